import math
from typing import Literal

import numpy as np
import pytest
import sklearn.metrics
from sklearn.calibration import calibration_curve

from headwise.metrics import brier, expected_calibration_error, log_loss, reliability_curve

SIZES = (2, 3, 10, 200, 4000)


def claims(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities with many ties, some of them at 0, 1 and the edges of bins."""
    random = np.random.default_rng(seed)
    probabilities = random.beta(2, 1, size=count)
    probabilities[::3] = np.round(probabilities[::3], 1)
    correct = random.random(count) < probabilities**1.5
    return probabilities, np.append(correct[:-2], [True, False])


@pytest.mark.parametrize("count", SIZES)
def test_losses_equal_scikit_learn(count: int) -> None:
    for seed in range(10):
        probabilities, correct = claims(count, seed)
        found = brier(probabilities, correct)
        expected = sklearn.metrics.brier_score_loss(correct, probabilities)
        assert found.value == pytest.approx(expected, abs=1e-9)
        assert found.value == pytest.approx(np.mean((probabilities - correct) ** 2), abs=1e-12)
        assert (found.name, found.count, found.higher_is_better) == ("brier", count, False)
        found = log_loss(probabilities, correct)
        expected = sklearn.metrics.log_loss(correct, probabilities)
        assert found.value == pytest.approx(expected, abs=1e-9)
        assert (found.name, found.count, found.higher_is_better) == ("log_loss", count, False)


@pytest.mark.parametrize("correct", [[1, 1, 1], [0, 0, 0]])
def test_one_class_is_enough(correct: list[int]) -> None:
    probabilities = [0.2, 0.5, 0.9]
    true = [p if c else 1 - p for p, c in zip(probabilities, correct, strict=True)]
    assert brier(probabilities, correct).value == pytest.approx(
        sum((1 - p) ** 2 for p in true) / 3, abs=1e-12
    )
    assert log_loss(probabilities, correct).value == pytest.approx(
        -sum(map(math.log, true)) / 3, abs=1e-12
    )


def test_certain_and_false_is_clipped() -> None:
    assert log_loss([0.0], [True]).value == pytest.approx(-math.log(2**-52), abs=1e-9)
    assert log_loss([1.0], [False]).value == pytest.approx(36.04, abs=0.01)
    assert log_loss([1.0, 0.0], [True, False]).value == pytest.approx(0.0, abs=1e-12)
    assert brier([1.0], [False]).value == 1.0


@pytest.mark.parametrize("count", SIZES)
@pytest.mark.parametrize("bins", [1, 2, 10, 15])
@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
def test_curve_equals_scikit_learn(
    count: int, bins: int, strategy: Literal["uniform", "quantile"]
) -> None:
    for seed in range(10):
        probabilities, correct = claims(count, seed)
        curve = reliability_curve(probabilities, correct, bins=bins, strategy=strategy)
        share, mean = calibration_curve(correct, probabilities, n_bins=bins, strategy=strategy)
        np.testing.assert_allclose(curve.predicted, mean, rtol=0, atol=1e-9)
        np.testing.assert_allclose(curve.correct, share, rtol=0, atol=1e-9)
        assert curve.count.sum() == count
        assert (curve.count > 0).all()


def test_error_equals_its_definition() -> None:
    for seed in range(10):
        probabilities, correct = claims(500, seed)
        total = 0.0
        for index in range(15):
            low, high = np.linspace(0, 1, 16)[index : index + 2]
            inside = (probabilities > low) & (probabilities <= high)
            inside |= (index == 0) & (probabilities == 0)
            if inside.any():
                gap = abs(probabilities[inside].mean() - correct[inside].mean())
                total += inside.sum() / 500 * gap
        assert expected_calibration_error(probabilities, correct).value == pytest.approx(
            total, abs=1e-9
        )


def test_error_equals_torchmetrics() -> None:
    pytest.importorskip("torchmetrics")
    import torch
    from torchmetrics.functional.classification import binary_calibration_error

    for seed in range(20):
        random = np.random.default_rng(seed)
        # Not rounded: torchmetrics has a probability on an edge in the upper bin
        probabilities = random.beta(2, 1, size=300)
        correct = random.random(300) < probabilities**2
        for bins in (1, 7, 10, 15):
            expected = binary_calibration_error(
                torch.tensor(probabilities), torch.tensor(correct).long(), n_bins=bins
            )
            found = expected_calibration_error(probabilities, correct, bins=bins).value
            # It adds up the shares of right items in float32
            assert found == pytest.approx(float(expected), abs=2e-6)


def test_an_edge_belongs_to_the_lower_bin() -> None:
    curve = reliability_curve([0.0, 0.5, 0.5, 0.75, 1.0], [0, 1, 1, 0, 1], bins=2)
    assert curve.count.tolist() == [3, 2]
    assert curve.correct.tolist() == pytest.approx([2 / 3, 1 / 2])
    assert curve.predicted.tolist() == pytest.approx([1 / 3, 0.875])


def test_ties_share_a_quantile_bin() -> None:
    curve = reliability_curve([0.9] * 10, [1] * 9 + [0], bins=5, strategy="quantile")
    assert curve.count.tolist() == [10]
    assert curve.correct.tolist() == [0.9]


def test_known_error() -> None:
    found = expected_calibration_error([0.9, 0.9, 0.1, 0.1], [True, False, False, False], bins=2)
    assert found.value == pytest.approx(0.25)
    assert (found.name, found.higher_is_better) == ("ece", False)


def test_no_items() -> None:
    for metric in (brier, log_loss, expected_calibration_error):
        found = metric([], [])
        assert (found.value, found.count, found.higher_is_better) == (None, 0, False)
    for strategy in ("uniform", "quantile"):
        curve = reliability_curve([], [], strategy=strategy)
        assert len(curve.predicted) == len(curve.correct) == len(curve.count) == 0


def test_bad_input() -> None:
    for metric in (brier, log_loss, expected_calibration_error, reliability_curve):
        with pytest.raises(ValueError, match=r"`probabilities` must lie in \[0, 1\], got 1.5 at"):
            metric([0.5, 1.5], [True, False])
        with pytest.raises(ValueError, match="`probabilities` must hold finite numbers, got nan"):
            metric([0.5, float("nan")], [True, False])
        with pytest.raises(ValueError, match="`correct` must hold booleans"):
            metric([0.5, 0.5], [1, -1])
        with pytest.raises(ValueError, match="got 2 and 1"):
            metric([0.5, 0.5], [1])
    with pytest.raises(ValueError, match="`bins` must be at least 1, got 0"):
        expected_calibration_error([0.5], [True], bins=0)
    with pytest.raises(ValueError, match="`strategy` must be 'uniform' or 'quantile', got 'even'"):
        reliability_curve([0.5], [True], strategy="even")


def test_bins_of_equal_mass_and_weights() -> None:
    rng = np.random.default_rng(0)
    claims = rng.beta(8, 1, 300)
    correct = rng.random(300) < claims**2
    found = expected_calibration_error(claims, correct, strategy="quantile", bins=10)
    # Thirty items a bin, by their order
    parts = np.argsort(claims).reshape(10, 30)
    gaps = [abs(claims[part].mean() - correct[part].mean()) for part in parts]
    assert found.name == "ece_equal_mass"
    assert found.value == pytest.approx(np.mean(gaps))
    weights = rng.integers(0, 3, 300)
    weighted = expected_calibration_error.weighted(claims, correct)(weights[None].astype(float))
    again = np.repeat(np.arange(300), weights)
    assert weighted == pytest.approx(
        [expected_calibration_error(claims[again], correct[again]).value]
    )
