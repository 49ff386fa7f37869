import numpy as np
import pytest

from headwise.metrics import kendall
from headwise.metrics.kendall_interval import kendall_samples, kendall_with_interval


def correlated(count: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    gold = np.round(rng.normal(size=count), 1)
    return gold + rng.normal(size=count), gold


def test_few_items_are_an_ordinary_bootstrap() -> None:
    scores, gold = correlated(300)
    metric = kendall_with_interval(scores, gold)
    assert metric.value == kendall(scores, gold).value
    assert metric.low < metric.value < metric.high
    assert metric.interval == "95% percentile bootstrap, 200 resamples of 300 items"


def test_many_items_are_subsampled_to_the_same_width() -> None:
    scores, gold = correlated(4000)
    few = kendall_samples(scores, gold, size=400, resamples=300)
    all_items = kendall_samples(scores, gold, size=4000, resamples=300)
    assert few.how == "subsampled percentile bootstrap, 300 resamples of 400 of 4,000 items"
    assert few.values.std() == pytest.approx(all_items.values.std(), rel=0.15)
    assert few.values.mean() == pytest.approx(kendall(scores, gold).value, abs=0.002)


def test_groups_are_drawn_whole() -> None:
    rng = np.random.default_rng(1)
    # Copies of 60 pairs of numbers, twenty each: no more is known than from 60 items
    x = rng.normal(size=60)
    y = x + rng.normal(size=60)
    groups = np.repeat(np.arange(60), 20)
    copies = kendall_samples(x[groups], y[groups], groups=groups, size=2000)
    originals = kendall_samples(x, y)
    assert copies.values.std() == pytest.approx(originals.values.std(), rel=0.1)
    assert copies.how == "percentile bootstrap, 200 resamples of 60 groups"
    fewer = kendall_samples(x[groups], y[groups], groups=groups, size=400)
    assert fewer.how == "subsampled percentile bootstrap, 200 resamples of 20 of 60 groups"
    assert fewer.values.std() == pytest.approx(originals.values.std(), rel=0.3)


def test_groups_need_not_be_in_order() -> None:
    scores, gold = correlated(60)
    groups = np.random.default_rng(3).integers(0, 10, 60)
    order = np.argsort(groups, kind="stable")
    first = kendall_samples(scores, gold, groups=groups)
    second = kendall_samples(scores[order], gold[order], groups=groups[order])
    assert first.values == pytest.approx(second.values)


def test_samples_of_two_signals_are_paired() -> None:
    scores, gold = correlated(500)
    first = kendall_samples(scores, gold, seed=5)
    second = kendall_samples(np.exp(scores), gold, seed=5)
    assert np.array_equal(first.values, second.values)
    assert not np.array_equal(first.values, kendall_samples(scores, gold, seed=6).values)


def test_what_has_no_interval_has_none() -> None:
    assert kendall_with_interval([1, 1], [1, 2]).value is None
    assert kendall_with_interval([], []).value is None
    one_group = kendall_with_interval([1, 2, 3], [1, 3, 2], groups=[0, 0, 0])
    assert one_group.value is not None
    assert one_group.low is None
    # All resamples of two items that do not hold both are undefined
    assert kendall_with_interval([1, 2], [1, 2]).value == pytest.approx(1.0)


def test_wrong_input_is_named() -> None:
    with pytest.raises(ValueError, match="`size` must be at least 2, got 1"):
        kendall_samples([1, 2], [1, 2], size=1)
    with pytest.raises(ValueError, match="`resamples` must be at least 1, got 0"):
        kendall_samples([1, 2], [1, 2], resamples=0)
    with pytest.raises(ValueError, match="one label for each of 2 items"):
        kendall_samples([1, 2], [1, 2], groups=[1])
    with pytest.raises(ValueError, match="`scores` must hold finite"):
        kendall_with_interval([1, float("inf")], [1, 2])
