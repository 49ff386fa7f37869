import itertools
import math

import numpy as np
import pytest
from sklearn.metrics import auc

from headwise.metrics import rejection_ratio, risk_coverage_area, risk_coverage_curve


def mean_curve(scores: list[float], values: list[float]) -> np.ndarray:
    """Mean over all orders of falling scores of the means of the first k values."""
    curves = []
    for order in itertools.permutations(range(len(scores))):
        if all(scores[a] >= scores[b] for a, b in itertools.pairwise(order)):
            curves.append(
                [np.mean([values[i] for i in order[:k]]) for k in range(1, len(order) + 1)]
            )
    return np.mean(curves, axis=0)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("levels", [1, 2, 3, 100])
def test_ties_are_averaged_over_all_orders(count: int, levels: int) -> None:
    for seed in range(8 if count < 6 else 2):
        random = np.random.default_rng(seed)
        scores = random.integers(0, levels, count).tolist()
        losses = random.choice([0.0, 1.0, 0.3, 7.0], count).tolist()
        expected = mean_curve(scores, losses)
        curve = risk_coverage_curve(scores, losses)
        np.testing.assert_allclose(curve.risk, expected, rtol=0, atol=1e-12)
        np.testing.assert_allclose(curve.coverage, np.arange(1, count + 1) / count)
        area = risk_coverage_area(scores, losses)
        assert area.value == pytest.approx(expected.mean(), abs=1e-12)
        assert (area.name, area.count, area.higher_is_better) == ("aurc", count, False)
        if len(set(losses)) == 1:
            assert rejection_ratio(scores, losses).value is None
            continue
        oracle, chance = mean_curve(losses, losses).mean(), np.mean(losses)
        ratio = rejection_ratio(scores, losses)
        assert ratio.value == pytest.approx(
            (expected.mean() - chance) / (oracle - chance), abs=1e-12
        )
        assert (ratio.name, ratio.count, ratio.higher_is_better) == ("prr", count, True)


@pytest.mark.parametrize("count", [2, 50, 3000])
def test_equals_plain_sums_without_ties(count: int) -> None:
    for seed in range(10):
        random = np.random.default_rng(seed)
        scores, quality = random.permutation(count), random.normal(size=count)

        def plain(by: np.ndarray, values: np.ndarray = quality) -> float:
            ranked = values[np.argsort(-by)]
            return math.fsum(np.cumsum(ranked) / np.arange(1, len(by) + 1)) / len(by)

        expected = (plain(scores) - quality.mean()) / (plain(quality) - quality.mean())
        assert rejection_ratio(scores, quality).value == pytest.approx(expected, abs=1e-9)
        assert risk_coverage_area(scores, quality).value == pytest.approx(plain(scores), abs=1e-9)


def test_random_scores_are_worth_nothing_on_average() -> None:
    quality = [0.0, 0.1, 0.5, 0.7, 1.0]
    ratios = [rejection_ratio(order, quality).value for order in itertools.permutations(range(5))]
    assert np.mean(ratios) == pytest.approx(0.0, abs=1e-12)
    assert max(ratios) == 1.0
    assert min(ratios) < 0.0


def test_the_end_points() -> None:
    quality = np.random.default_rng(0).random(200).round(1)
    assert rejection_ratio(quality, quality).value == 1.0
    assert rejection_ratio(np.exp(5 * quality), quality).value == 1.0
    assert rejection_ratio(np.zeros(200), quality).value == pytest.approx(0.0, abs=1e-12)
    assert rejection_ratio([0, 0, 1], [1, 1, 0]).value < -1.0


@pytest.mark.parametrize("factor", [1e300, -1e300, 1e-300, 3.7])
def test_size_does_not_matter(factor: float) -> None:
    random = np.random.default_rng(0)
    scores, values = random.integers(0, 5, 40), random.integers(-90, 100, 40)
    plain = risk_coverage_area(scores, values).value
    scaled = risk_coverage_area(scores, values * factor).value
    assert scaled == pytest.approx(plain * factor, rel=1e-9)
    sign = math.copysign(1, factor)
    assert rejection_ratio(scores, values * factor).value == pytest.approx(
        rejection_ratio(scores, values * sign).value, abs=1e-9
    )
    assert rejection_ratio(scores, 1e8 + values).value == pytest.approx(
        rejection_ratio(scores, values).value, abs=1e-9
    )


def test_extremes_do_not_overflow() -> None:
    largest = 1.7e308
    assert risk_coverage_area([3, 2, 1], [largest] * 3).value == pytest.approx(largest)
    assert rejection_ratio([3, 2, 1], [largest, 0.0, -largest]).value == 1.0


def test_the_order_of_the_input_does_not_matter_to_the_last_bit() -> None:
    random = np.random.default_rng(0)
    scores, losses = random.integers(0, 5, 300), random.random(300)
    order = random.permutation(300)
    one = risk_coverage_curve(scores, losses)
    other = risk_coverage_curve(scores[order], losses[order])
    assert np.array_equal(one.risk, other.risk)
    assert np.array_equal(one.coverage, other.coverage)


def test_labels_as_losses() -> None:
    curve = risk_coverage_curve([0.9, 0.8, 0.8, 0.1], [False, True, False, True])
    np.testing.assert_allclose(curve.risk, [0, 0.25, 1 / 3, 0.5])
    assert curve.coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    # The mean over points is the area of the steps that the curve makes
    steps = auc(np.repeat(np.append(0, curve.coverage), 2)[1:-1], np.repeat(curve.risk, 2))
    area = risk_coverage_area([0.9, 0.8, 0.8, 0.1], [False, True, False, True])
    assert area.value == pytest.approx(steps)


def test_undefined() -> None:
    assert len(risk_coverage_curve([], []).risk) == len(risk_coverage_curve([], []).coverage) == 0
    empty = risk_coverage_area([], [])
    assert (empty.value, empty.reason) == (None, "There are no items.")
    assert not empty.higher_is_better
    assert rejection_ratio([], []).reason == "Rejection needs at least two items, got 0."
    assert rejection_ratio([1.0], [1.0]).reason == "Rejection needs at least two items, got 1."
    assert rejection_ratio([1, 2], [0.1, 0.1]).reason == "All items have the same quality."


def test_bad_input() -> None:
    for metric in (risk_coverage_curve, risk_coverage_area, rejection_ratio):
        with pytest.raises(ValueError, match="`scores` must hold finite numbers, got nan"):
            metric([float("nan"), 1.0], [0.0, 1.0])
        with pytest.raises(ValueError, match=r"`(losses|quality)` must hold finite .* got -inf"):
            metric([0.0, 1.0], [0.0, -float("inf")])
        with pytest.raises(ValueError, match=r"`scores` and `(losses|quality)` .* got 2 and 3"):
            metric([0.0, 1.0], [0.0, 1.0, 2.0])
