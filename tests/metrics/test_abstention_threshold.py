"""Thresholds against plain searches, and a guarantee against simulations."""

import numpy as np
import pytest
from scipy.stats import binom

from headwise.metrics.thresholds.abstention import (
    items_needed,
    threshold_for_coverage,
    threshold_for_risk,
    threshold_with_guarantee,
)


def drawn(
    seed: int, count: int, *, steps: int = 0, power: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Uncertainties u and errors of probability ``u ** power / 2``."""
    random = np.random.default_rng(seed)
    uncertainty = random.random(count)
    if steps:
        uncertainty = np.round(uncertainty * steps) / steps
    return uncertainty.astype(np.float32), random.random(count) < uncertainty**power / 2


@pytest.mark.parametrize("coverage", [0.01, 0.5, 0.8, 0.9, 1.0])
@pytest.mark.parametrize("steps", [0, 7])
@pytest.mark.parametrize("count", [1, 2, 15, 101])
def test_coverage_is_the_smallest_that_will_do(coverage: float, steps: int, count: int) -> None:
    uncertainty, _ = drawn(0, count, steps=steps)
    threshold = threshold_for_coverage(uncertainty, coverage=coverage)
    share = np.mean(uncertainty < threshold)
    shares = [np.mean(uncertainty <= value) for value in uncertainty]
    assert share == min(s for s in shares if s >= coverage - 1e-12)


@pytest.mark.parametrize("risk", [0.02, 0.1, 0.2, 0.6])
@pytest.mark.parametrize("steps", [0, 7])
def test_risk_answers_as_much_as_it_may(risk: float, steps: int) -> None:
    uncertainty, wrong = drawn(1, 300, steps=steps)
    threshold = threshold_for_risk(uncertainty, wrong, risk=risk)
    cuts = [uncertainty <= value for value in uncertainty]
    allowed = [cut.sum() for cut in cuts if wrong[cut].mean() <= risk]
    if threshold is None:
        assert not allowed
    else:
        assert (uncertainty < threshold).sum() == max(allowed)


def test_thresholds_lie_between_neighbours_in_float32() -> None:
    low = np.float32(0.3)
    values = np.array([low, np.nextafter(low, np.float32(1))])
    threshold = np.float32(threshold_for_coverage(values, coverage=0.5))
    assert (values < threshold).tolist() == [True, False]


def test_no_threshold_where_every_answer_is_wrong() -> None:
    uncertainty = np.linspace(0, 1, 100)
    assert threshold_for_risk(uncertainty, np.ones(100), risk=0.5) is None
    assert threshold_with_guarantee(uncertainty, np.ones(100), risk=0.5) is None


def test_a_guarantee_needs_enough_pairs() -> None:
    """None wrong of n proves an error rate below 10 % from n = 29 on."""
    for count, found in ((28, False), (29, True)):
        uncertainty = np.linspace(0, 1, count)
        threshold = threshold_with_guarantee(uncertainty, np.zeros(count), risk=0.1)
        assert (threshold is not None) == found


@pytest.mark.parametrize("steps", [0, 20])
def test_the_guaranteed_threshold_is_the_last_of_an_unbroken_row(steps: int) -> None:
    uncertainty, wrong = drawn(2, 1500, steps=steps)
    threshold = threshold_with_guarantee(uncertainty, wrong, risk=0.15)
    assert threshold is not None
    start = 10 / 0.15
    expected = 0
    for value in np.unique(uncertainty):
        answered = uncertainty <= value
        if answered.sum() < start:
            continue
        if binom.cdf(wrong[answered].sum(), answered.sum(), 0.15) > 0.05:
            break
        expected = int(answered.sum())
    assert (uncertainty < threshold).sum() == expected


@pytest.mark.parametrize("steps", [0, 12])
@pytest.mark.parametrize(
    ("power", "risk", "count"), [(1, 0.1, 400), (1, 0.05, 600), (2, 0.1, 400), (2, 0.05, 600)]
)
def test_the_guarantee_holds_as_often_as_promised(
    power: int, steps: int, risk: float, count: int
) -> None:
    """Errors have the probability u ** power / 2, so that the rate below a threshold is known.

    With power 1 it is near or above the risk where tests begin; with power 2 well below.
    """
    broken = found = 0
    runs = 400
    for seed in range(runs):
        uncertainty, wrong = drawn(seed, count, steps=steps, power=power)
        threshold = threshold_with_guarantee(uncertainty, wrong, risk=risk, confidence=0.9)
        if threshold is None:
            continue
        found += 1
        below = uncertainty[uncertainty < threshold].max()
        if steps:
            # Values k / steps, each of the same probability but for the two at the ends
            values = np.arange(round(float(below) * steps) + 1) / steps
            weights = np.where((values == 0) | (values == 1), 0.5, 1.0)
            rate = np.average(values**power / 2, weights=weights)
        else:
            rate = threshold**power / (2 * power + 2)
        broken += rate > risk
    assert power == 1 or found > 0.9 * runs
    # Three standard errors above the promise
    assert broken / runs <= 0.1 + 3 * (0.1 * 0.9 / runs) ** 0.5


@pytest.mark.parametrize("level", [0.0, 1.1, float("nan")])
def test_shares_out_of_range_are_refused(level: float) -> None:
    with pytest.raises(ValueError, match="coverage"):
        threshold_for_coverage([0.1], coverage=level)
    with pytest.raises(ValueError, match="risk"):
        threshold_for_risk([0.1], [True], risk=level)
    with pytest.raises(ValueError, match="confidence"):
        threshold_with_guarantee([0.1], [True], risk=0.1, confidence=level)


def test_bad_columns_are_refused() -> None:
    for values in ([], [float("nan")], [[0.1]]):
        with pytest.raises(ValueError, match="uncertainty"):
            threshold_for_coverage(values, coverage=0.5)
    with pytest.raises(ValueError, match="one shape"):
        threshold_for_risk([0.1, 0.2], [True], risk=0.5)


def test_what_a_promise_would_take() -> None:
    uncertainty, wrong = drawn(7, 60)
    assert threshold_with_guarantee(uncertainty, wrong, risk=0.1) is None
    needed = items_needed(uncertainty, wrong, risk=0.1)
    assert needed is not None
    assert needed > 60
    # So many, and some to spare for the luck of the draw
    kept = [threshold_with_guarantee(*drawn(s, 4 * needed), risk=0.1) for s in range(20)]
    assert sum(one is not None for one in kept) >= 15
    assert items_needed(uncertainty, np.arange(60) % 2 == 0, risk=0.1) is None
