import math
from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr
from sklearn.metrics import roc_auc_score

from headwise.evaluation.statistics.significance import (
    compare_with_best,
    compare_with_best_by_permutation,
    holm_adjusted,
    permutation_test,
)
from headwise.metrics import Metric, spearman, undefined
from headwise.metrics.bootstrap import bootstrap


def metrics(*values: float | None, higher_is_better: bool = True) -> list[Metric]:
    return [
        undefined("m", "No reason.", count=9)
        if value is None
        else Metric(name="m", value=value, count=9, higher_is_better=higher_is_better)
        for value in values
    ]


def signals(seed: int, *noise: float, count: int = 200) -> tuple[np.ndarray, list[np.ndarray]]:
    rng = np.random.default_rng(seed)
    gold = rng.normal(size=count)
    return gold, [gold + size * rng.normal(size=count) for size in noise]


def by_bootstrap(gold: np.ndarray, scores: Sequence[np.ndarray], *, seed: int = 0):
    statistics = [spearman.weighted(one, gold) for one in scores]
    samples = bootstrap(statistics, count=len(gold), resamples=200, seed=seed, workers=1)
    values = metrics(*(statistic(np.ones((1, len(gold))))[0] for statistic in statistics))
    return compare_with_best("m", [str(k) for k in range(len(scores))], values, samples)


def test_holm_by_hand() -> None:
    assert holm_adjusted([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm_adjusted([0.5, 0.6]) == (1.0, 1.0)
    assert holm_adjusted([0.2]) == (0.2,)
    assert holm_adjusted([]) == ()
    # The second is not below the first, though 0.021 * 1 is
    assert holm_adjusted([0.02, 0.021]) == pytest.approx((0.04, 0.04))
    with pytest.raises(ValueError, match="must lie in"):
        holm_adjusted([0.2, 1.2])


def test_p_value_and_interval_by_hand() -> None:
    best, other = np.arange(99.0), np.full(99, 1.5)  # two differences below zero
    (one,) = compare_with_best("m", ["b", "o"], metrics(50, 1.5), [best, other])
    assert (one.metric, one.best, one.other) == ("m", "b", "o")
    assert one.difference == 48.5
    assert one.p_value == pytest.approx(2 * 3 / 100)
    assert not one.distinguishable
    assert (one.low, one.high) == pytest.approx(tuple(np.quantile(best - 1.5, [0.025, 0.975])))
    assert compare_with_best("m", ["b", "o"], metrics(50, 1.5), [best, other], level=0.1)[
        0
    ].distinguishable


def test_every_other_row_is_compared_in_order_and_adjusted() -> None:
    samples = np.stack([np.full(999, value) for value in (0.3, 0.1, 0.5, 0.2)])
    found = compare_with_best("m", list("abcd"), metrics(0.3, 0.1, 0.5, None), samples)
    assert [(one.best, one.other) for one in found] == [("c", "a"), ("c", "b")]
    assert [one.p_value for one in found] == pytest.approx([2 * 2 / 1000] * 2)
    assert all(one.distinguishable for one in found)
    assert found[0].test == "paired bootstrap, 999 resamples, Holm-adjusted, level 0.05"


def test_the_lowest_is_best_where_lower_is_better() -> None:
    samples = [np.full(99, 0.3), np.full(99, 0.1)]
    (one,) = compare_with_best("m", ["a", "b"], metrics(0.3, 0.1, higher_is_better=False), samples)
    assert (one.best, one.difference) == ("b", pytest.approx(-0.2))
    assert one.distinguishable
    (same,) = compare_with_best("m", ["a", "b"], metrics(0.3, 0.1), samples, higher_is_better=False)
    assert same.best == "b"


def test_identical_signals_are_not_told_apart() -> None:
    gold, (one,) = signals(0, 1.0)
    (found,) = by_bootstrap(gold, [one, one])
    assert (found.p_value, found.difference, found.low, found.high) == (1.0, 0.0, 0.0, 0.0)
    assert not found.distinguishable
    assert permutation_test(one, one, lambda s: spearmanr(s, gold).statistic) == 1.0
    # The same order on another scale is the same signal
    assert permutation_test(one, np.exp(one), lambda s: spearmanr(s, gold).statistic) == 1.0


def test_rounding_tells_nothing_apart() -> None:
    values = np.random.default_rng(0).uniform(0.5, 0.6, 500)
    noisy = values * (1 - 2e-16)
    (found,) = compare_with_best("m", ["a", "b"], metrics(0.55, 0.55 - 1e-16), [values, noisy])
    assert (found.p_value, found.low, found.high) == (1.0, 0.0, 0.0)


def test_undefined_resamples() -> None:
    nan = math.nan
    values = metrics(0.5, 0.1)
    samples = np.array([[0.5] * 10, [0.1] * 6 + [nan] * 4])
    (one,) = compare_with_best("m", ["a", "b"], values, samples)
    assert one.p_value == pytest.approx(2 / 7)
    (one,) = compare_with_best("m", ["a", "b"], values, [[0.5] * 10, [0.1] * 4 + [nan] * 6])
    assert (one.p_value, one.low, one.distinguishable) == (None, None, False)
    assert compare_with_best("m", ["a", "b"], metrics(None, None), samples) == ()
    assert compare_with_best("m", [], [], np.empty((0, 10))) == ()
    assert compare_with_best("m", ["a"], metrics(1.0), samples[:1]) == ()


def test_bootstrap_errs_about_as_often_as_its_level() -> None:
    found = [by_bootstrap(*signals(seed, 1.0, 1.0, count=60), seed=seed)[0] for seed in range(160)]
    # Level 0.05: 8 of 160 expected
    assert 1 <= sum(one.distinguishable for one in found) <= 18


def test_bootstrap_tells_different_signals_apart() -> None:
    found = [by_bootstrap(*signals(seed, 0.5, 1.5))[0] for seed in range(10)]
    assert all(one.distinguishable and one.best == "0" for one in found)
    assert all(one.low > 0 for one in found)


def p_values(trials: int, *noise: float, count: int, permutations: int = 99) -> np.ndarray:
    found = []
    for seed in range(trials):
        gold, (one, other) = signals(seed, *noise, count=count)
        ranks = rankdata(gold) - (count + 1) / 2

        # Proportional to Spearman's correlation, and quick
        def statistic(scores: np.ndarray, ranks: np.ndarray = ranks) -> float:
            return float(rankdata(scores) @ ranks)

        found.append(permutation_test(one, other, statistic, permutations=permutations, seed=seed))
    return np.array(found)


def test_permutation_errs_about_as_often_as_its_level() -> None:
    null = p_values(300, 1.0, 1.0, count=50)
    assert 0.02 <= (null <= 0.05).mean() <= 0.085
    assert 0.4 <= (null <= 0.5).mean() <= 0.6


def test_permutation_tells_different_signals_apart() -> None:
    assert (p_values(10, 0.5, 1.5, count=200) == 1 / 100).all()


def test_permutation_ignores_scale() -> None:
    gold, (one, other) = signals(3, 0.8, 1.2, count=100)

    def statistic(scores: np.ndarray) -> float:
        return float(roc_auc_score(gold > 0, scores))

    first = permutation_test(one, other, statistic, permutations=50)
    second = permutation_test(1000 * one - 7, np.exp(other), statistic, permutations=50)
    assert first == second


def test_groups_are_exchanged_together() -> None:
    # A difference in one text of 50 tokens is one observation, not 50
    gold, (one, other) = signals(4, 0.5, 1.5, count=100)
    groups = np.repeat([0, 1], 50)

    def statistic(scores: np.ndarray) -> float:
        return float(spearmanr(scores, gold).statistic)

    alone = permutation_test(one, other, statistic, permutations=99)
    together = permutation_test(one, other, statistic, groups=groups, permutations=99)
    assert alone == 1 / 100
    # Two of the four exchanges change nothing but the sign
    assert together >= 0.35


def test_permutation_records() -> None:
    gold, scores = signals(5, 0.5, 1.5, 0.5)
    found = compare_with_best_by_permutation(
        "m",
        ["good", "bad", "none"],
        metrics(0.9, 0.5, None),
        scores,
        lambda s: float(spearmanr(s, gold).statistic),
        permutations=99,
    )
    assert [(one.best, one.other) for one in found] == [("good", "bad")]
    assert found[0].difference == pytest.approx(0.4)
    assert found[0].p_value == pytest.approx(1 / 100)
    assert (found[0].low, found[0].high) == (None, None)
    assert found[0].distinguishable
    assert (
        found[0].test == "paired permutation, 99 permutations of ranks, Holm-adjusted, level 0.05"
    )


def test_undefined_statistics() -> None:
    assert permutation_test([1, 2], [2, 1], lambda _: math.nan) is None
    assert permutation_test([], [], lambda _: 0.0) is None
    (one,) = compare_with_best_by_permutation(
        "m", ["a", "b"], metrics(1, 2), [[1, 2], [2, 1]], lambda _: math.nan
    )
    assert (one.p_value, one.distinguishable) == (None, False)
    # Undefined permutations count against a difference
    calls = iter([1.0, 0.0])
    assert permutation_test([1, 2], [2, 1], lambda _: next(calls, math.nan)) == 1.0


def test_wrong_input_is_named() -> None:
    two = metrics(1.0, 2.0)
    with pytest.raises(ValueError, match="`level` must be above 0 and below 1, got 0"):
        compare_with_best("m", ["a", "b"], two, np.ones((2, 5)), level=0)
    with pytest.raises(ValueError, match="`samples` must have one row for each of 2 labels, got 3"):
        compare_with_best("m", ["a", "b"], two, np.ones((3, 5)))
    with pytest.raises(ValueError, match="`metrics` must have one row for each of 1 labels"):
        compare_with_best("m", ["a"], two, np.ones((1, 5)))
    with pytest.raises(ValueError, match=r"`samples` must have shape \(rows, R\)"):
        compare_with_best("m", ["a", "b"], two, np.ones(2))
    with pytest.raises(ValueError, match="`scores` must have one row"):
        compare_with_best_by_permutation("m", ["a", "b"], two, [[1]], lambda _: 0.0)
    with pytest.raises(ValueError, match="`permutations` must be at least 1, got 0"):
        permutation_test([1], [2], lambda _: 0.0, permutations=0)
    with pytest.raises(ValueError, match="`first` and `second`"):
        permutation_test([1, 2], [2], lambda _: 0.0)
    with pytest.raises(ValueError, match="one label for each of 2 items"):
        permutation_test([1, 2], [2, 1], lambda s: s[0], groups=[0])


def test_a_table_of_many_rows_can_still_tell_them_apart() -> None:
    """Counting resamples alone, Holm's factor would leave every row like the best."""
    rng = np.random.default_rng(0)
    samples = np.concatenate([rng.normal(0.9, 0.01, (1, 200)), rng.normal(0.5, 0.01, (40, 200))])
    metrics = [Metric(name="m", value=v, count=100) for v in [0.9, *[0.5] * 40]]
    labels = [str(row) for row in range(41)]
    found = compare_with_best("m", labels, metrics, samples)
    assert len(found) == 40
    assert all(one.distinguishable for one in found)
    assert all(one.p_value < 1e-6 for one in found)


def test_the_tail_of_the_curve_meets_what_can_be_counted() -> None:
    """With plenty of resamples both ways of finding the p-value agree."""
    rng = np.random.default_rng(1)
    many = rng.normal(2.5, 1.0, 200_000)
    metrics = [Metric(name="m", value=v, count=100) for v in (2.5, 0.0)]
    exact, few = (
        compare_with_best("m", ["a", "b"], metrics, np.stack([of, np.zeros(len(of))]))[0].p_value
        for of in (many, many[-1500:])
    )
    assert exact == pytest.approx(0.0124, rel=0.1)
    assert few == pytest.approx(exact, rel=0.3)
