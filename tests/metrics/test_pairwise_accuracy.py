from itertools import combinations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headwise.metrics.bootstrap import bootstrap
from headwise.metrics.pairwise_accuracy import (
    pairwise_accuracy,
    weighted_pairwise_accuracy,
)


def by_group(scores, gold, groups, epsilon: float) -> dict[object, float]:
    """Share of right pairs of each group, straight from the definition."""
    shares = {}
    for group in sorted(set(groups)):
        right = []
        members = [k for k, label in enumerate(groups) if label == group]
        for i, j in combinations(members, 2):
            tied = abs(scores[i] - scores[j]) <= epsilon
            if gold[i] == gold[j]:
                right.append(tied)
            else:
                right.append(not tied and (scores[i] > scores[j]) == (gold[i] > gold[j]))
        if right:
            shares[group] = sum(right) / len(right)
    return shares


def brute_force(scores, gold, groups) -> tuple[float, float]:
    """The best accuracy of any epsilon, and the smallest epsilon that reaches it."""
    candidates = {0.0} | {
        abs(scores[i] - scores[j])
        for i, j in combinations(range(len(scores)), 2)
        if groups[i] == groups[j]
    }
    found = [
        (float(np.mean(list(by_group(scores, gold, groups, epsilon).values()))), epsilon)
        for epsilon in sorted(candidates)
    ]
    best = max(accuracy for accuracy, _ in found)
    return best, next(epsilon for accuracy, epsilon in found if accuracy >= best - 1e-12)


numbers = st.one_of(
    st.integers(-3, 3).map(float), st.floats(-2, 2, allow_nan=False), st.sampled_from([0.1, 0.3])
)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(numbers, numbers, st.integers(0, 3)), min_size=2, max_size=14))
def test_equals_trying_every_epsilon(items) -> None:
    scores, gold, groups = (list(column) for column in zip(*items, strict=True))
    found = pairwise_accuracy(scores, gold, groups, resamples=5)
    if found.metric.value is None:
        assert len(set(groups)) == len(groups)
        assert found.epsilon is None
        return
    accuracy, epsilon = brute_force(scores, gold, groups)
    assert found.metric.value == pytest.approx(accuracy, abs=1e-12)
    assert found.epsilon == epsilon
    shares = by_group(scores, gold, groups, epsilon)
    assert list(found.groups) == list(shares)
    assert found.accuracies == pytest.approx(list(shares.values()))


@settings(deadline=None)
@given(
    st.lists(st.tuples(numbers, numbers, st.integers(0, 2)), min_size=4, max_size=12),
    st.sampled_from([0.0, 0.2, 1.0]),
)
@example([(0.0, 0.0, 0), (0.0, 0.0, 0), (0.0, 1.0, 0), (0.0, 5e-324, 0)], 0.0)
@example([(0.0, 0.0, 0), (5e-324, 0.0, 0), (1.0, 1.0, 0), (0.0, 2.0, 0)], 0.0)
def test_a_given_epsilon_is_kept(items, epsilon: float) -> None:
    scores, gold, groups = (list(column) for column in zip(*items, strict=True))
    found = pairwise_accuracy(scores, gold, groups, epsilon=epsilon, resamples=5)
    shares = list(by_group(scores, gold, groups, epsilon).values())
    assert found.epsilon == epsilon
    assert found.accuracies == pytest.approx(shares)
    if epsilon == 0:
        plain = pairwise_accuracy(scores, gold, groups, tie_calibration=False, resamples=5)
        assert plain.metric == found.metric


def test_by_hand() -> None:
    # One source: 3 pairs, gold ties the last two; the scores differ by 0.1 there
    found = pairwise_accuracy([0.9, 0.5, 0.4], [2, 1, 1], ["a"] * 3)
    assert found.metric.value == 1.0
    assert found.epsilon == pytest.approx(0.1)
    assert found.pairs == 3
    assert found.metric.low is None
    assert pairwise_accuracy(
        [0.9, 0.5, 0.4], [2, 1, 1], ["a"] * 3, tie_calibration=False
    ).metric.value == pytest.approx(2 / 3)


def test_groups_count_the_same_whatever_their_size() -> None:
    scores, gold = [1, 2, 3, 4, 2, 1, 9], [1, 2, 3, 4, 1, 2, 9]
    found = pairwise_accuracy(scores, gold, [0, 0, 0, 0, 1, 1, 2])
    assert found.metric.value == pytest.approx((1 + 0) / 2)
    assert list(found.groups) == [0, 1]
    assert found.metric.count == 7
    assert found.metric.interval == (
        "95% percentile bootstrap at a fixed epsilon, 1,000 resamples of 2 groups"
    )
    assert (found.metric.low, found.metric.high) == (0.0, 1.0)


def test_extreme_scores() -> None:
    found = pairwise_accuracy([-1.7e308, 1.7e308, 0], [1, 2, 1.5], [0, 0, 0])
    assert found.metric.value == 1.0
    assert found.epsilon == 0.0
    tiny = pairwise_accuracy([5e-324, 0.0], [1, 0], [0, 0])
    assert tiny.metric.value == 1.0


def test_large_groups_are_sampled_only_if_asked() -> None:
    rng = np.random.default_rng(0)
    gold = np.round(rng.normal(size=600), 1)
    scores = gold + rng.normal(size=600)
    groups = np.arange(600) // 200
    groups[590:] = 9
    whole = pairwise_accuracy(scores, gold, groups)
    sampled = pairwise_accuracy(scores, gold, groups, pairs_per_group=3000, pair_limit=10_000)
    assert whole.pairs == 2 * 19_900 + 190 * 189 // 2 + 45
    assert sampled.pairs == 3 * 3000 + 45
    assert sampled.metric.value == pytest.approx(whole.metric.value, abs=0.02)
    assert "sampled pairs" in sampled.metric.interval
    assert "sampled" not in whole.metric.interval
    again = pairwise_accuracy(scores, gold, groups, pairs_per_group=3000)
    assert again.metric == sampled.metric
    with pytest.raises(ValueError, match=r"allows 10,000 pairs, got 57,800.*`pairs_per_group`"):
        pairwise_accuracy(scores, gold, groups, pair_limit=10_000)
    # No pair is held where no epsilon is chosen
    pairwise_accuracy(scores, gold, groups, epsilon=0.1, pair_limit=10_000)


def test_weights_of_items_weight_their_groups() -> None:
    rng = np.random.default_rng(1)
    groups = rng.integers(0, 40, 150)
    groups[0] = 99
    gold = np.round(rng.normal(size=150))
    scores = gold + rng.normal(size=150)
    found = pairwise_accuracy(scores, gold, groups)
    statistic = weighted_pairwise_accuracy(found, groups)
    assert statistic(np.ones((1, 150)))[0] == pytest.approx(found.metric.value)
    chosen = np.isin(groups, found.groups[:3]) * 2.0 + (groups == found.groups[5])
    expected = (2 * found.accuracies[:3].sum() + found.accuracies[5]) / 7
    assert statistic(chosen[None])[0] == pytest.approx(expected)
    samples = bootstrap([statistic], count=150, groups=groups, resamples=500)[0]
    assert samples.std() == pytest.approx(
        found.accuracies.std() / np.sqrt(len(found.groups)), rel=0.2
    )
    nothing = pairwise_accuracy([1, 2], [1, 2], [0, 1])
    assert np.isnan(weighted_pairwise_accuracy(nothing, [0, 1])(np.ones((1, 2)))[0])


def test_no_pairs_are_undefined() -> None:
    for scores, groups in (([], []), ([1.0], [0]), ([1.0, 2.0], [0, 1])):
        found = pairwise_accuracy(scores, scores, groups)
        assert found.metric.value is None
        assert found.metric.reason == "No group has two items."
        assert found.pairs == 0


def test_wrong_input_is_named() -> None:
    with pytest.raises(ValueError, match="`epsilon` must be a number of at least 0, got -1"):
        pairwise_accuracy([1, 2], [1, 2], [0, 0], epsilon=-1)
    with pytest.raises(ValueError, match="`epsilon`"):
        pairwise_accuracy([1, 2], [1, 2], [0, 0], epsilon=float("nan"))
    with pytest.raises(ValueError, match="`pairs_per_group` must be at least 1, got 0"):
        pairwise_accuracy([1, 2], [1, 2], [0, 0], pairs_per_group=0)
    with pytest.raises(ValueError, match="one label for each of 2 items"):
        pairwise_accuracy([1, 2], [1, 2], [0])
    with pytest.raises(ValueError, match="3 and 2"):
        pairwise_accuracy([1, 2, 3], [1, 2], [0, 0, 0])
    with pytest.raises(ValueError, match="`scores` must hold finite"):
        pairwise_accuracy([1, float("nan")], [1, 2], [0, 0])
