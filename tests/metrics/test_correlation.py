import math
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import scipy.stats

from headwise.metrics import Metric, kendall, pearson, spearman

Correlation = Callable[..., Metric]
ALL = (pearson, spearman, kendall)
REFERENCE = {
    pearson: scipy.stats.pearsonr,
    spearman: scipy.stats.spearmanr,
    kendall: scipy.stats.kendalltau,
}


@pytest.fixture(autouse=True)
def no_warnings() -> None:
    warnings.simplefilter("error")


@pytest.mark.parametrize("metric", ALL)
@pytest.mark.parametrize("count", [2, 3, 5, 17, 100, 3000])
@pytest.mark.parametrize("levels", [2, 7, None])
def test_equals_scipy(metric: Correlation, count: int, levels: int | None) -> None:
    compared = 0
    for seed in range(40 if count < 1000 else 5):
        random = np.random.default_rng(seed)
        scores = random.normal(size=count)
        gold = 100 * (scores + random.normal(size=count)) + 50
        if levels:
            scores = np.floor(levels * scipy.stats.norm.cdf(scores))
            gold = np.floor(levels * random.random(count))
        if np.ptp(scores) == 0 or np.ptp(gold) == 0:
            assert metric(scores, gold).value is None
            continue
        found = metric(scores, gold)
        assert found.name == metric.__name__
        assert found.count == count
        assert found.higher_is_better
        assert found.value == pytest.approx(REFERENCE[metric](scores, gold).statistic, abs=1e-9)
        compared += 1
    assert compared


def test_kendall_equals_its_definition() -> None:
    random = np.random.default_rng(0)
    for count in (2, 3, 9, 40):
        scores = np.append(random.integers(0, 4, size=count - 2), [0, 1])
        gold = np.append(random.integers(0, 3, size=count - 2), [1, 0])
        a = np.sign(np.subtract.outer(scores, scores))
        b = np.sign(np.subtract.outer(gold, gold))
        tau = (a * b).sum() / math.sqrt((a * a).sum() * (b * b).sum())
        assert kendall(scores, gold).value == pytest.approx(tau, abs=1e-12)


@pytest.mark.parametrize("metric", ALL)
@pytest.mark.parametrize("factor", [1.0, 1e300, 8e307, 1e-300, -1e300, 5e-324])
def test_size_does_not_matter(metric: Correlation, factor: float) -> None:
    scores, gold = np.array([1, 2, 1, 0, 2, 1]), np.array([1.0, 2.0, 2.0, 0.0, 1.0, 2.0])
    plain = metric(scores, gold).value
    assert plain is not None
    expected = plain * math.copysign(1, factor)
    assert metric(scores * factor, gold).value == pytest.approx(expected, abs=1e-12)
    assert metric(gold, scores * factor).value == pytest.approx(expected, abs=1e-12)


def test_opposite_extremes_do_not_overflow() -> None:
    extremes = [1.7e308, -1.7e308, 0.0]
    assert pearson(extremes, [1.0, -1.0, 0.0]).value == pytest.approx(1.0)


def test_an_offset_does_not_cost_the_digits() -> None:
    steps = np.array([0.0, 1.0, 3.0, 2.0])
    gold = np.array([0.0, 1.0, 1.0, 5.0])
    shifted = pearson(1e11 + steps, gold)  # exact in float64, as the steps are whole numbers
    assert shifted.value == pytest.approx(pearson(steps, gold).value, abs=1e-12)


@pytest.mark.parametrize("metric", ALL)
def test_perfect_agreement_is_one(metric: Correlation) -> None:
    scores = np.random.default_rng(0).random(50)
    assert metric(scores, scores).value == pytest.approx(1.0, abs=1e-12)
    assert metric(scores, -scores).value == pytest.approx(-1.0, abs=1e-12)


@pytest.mark.parametrize("metric", ALL)
@pytest.mark.parametrize(
    ("scores", "gold", "reason"),
    [
        ([], [], "at least two items, got 0"),
        ([1.0], [2.0], "at least two items, got 1"),
        ([0.1, 0.1, 0.1], [1, 2, 3], "All scores are the same"),
        ([1, 2, 3], [0, 0, 0], "All gold values are the same"),
        ([0.0, -0.0], [1, 2], "All scores are the same"),
        ([1e308, 1e308], [1, 2], "All scores are the same"),
    ],
)
def test_undefined(
    metric: Correlation, scores: list[float], gold: list[float], reason: str
) -> None:
    found = metric(scores, gold)
    assert found.value is None
    assert found.reason is not None
    assert reason in found.reason
    assert found.count == len(scores)


def test_pearson_of_rounding_errors_is_undefined() -> None:
    assert pearson([0.1 + 0.2, 0.3, 0.3], [1, 2, 3]).value is None
    assert pearson([1, 2, 3], [1e300, 1e300, np.nextafter(1e300, 0)]).value is None


@pytest.mark.parametrize("metric", ALL)
def test_bad_input(metric: Correlation) -> None:
    with pytest.raises(ValueError, match="`scores` must hold finite numbers, got nan at index 1"):
        metric([0.0, float("nan")], [1.0, 2.0])
    with pytest.raises(ValueError, match="`gold` must hold finite numbers, got inf at index 0"):
        metric([0.0, 1.0], [float("inf"), 2.0])
    with pytest.raises(ValueError, match=r"`scores` and `gold` .* got 2 and 3"):
        metric([0.0, 1.0], [1.0, 2.0, 3.0])
