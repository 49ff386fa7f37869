import threading

import numpy as np
import pytest

from headwise.metrics import pearson, spearman, weighted_mean
from headwise.metrics.bootstrap import bootstrap, percentile_interval, resample


def test_samples_spread_as_the_mean_does() -> None:
    values = np.random.default_rng(0).normal(size=400)
    samples = bootstrap([weighted_mean(values)], count=400, resamples=4000)[0]
    assert samples.mean() == pytest.approx(values.mean(), abs=0.005)
    assert samples.std() == pytest.approx(values.std() / 20, rel=0.05)


def test_groups_are_drawn_whole() -> None:
    groups = np.array(["b", "a", "b", "c", "a", "a"])
    sizes = []

    def spy(weights):
        for label in "abc":
            assert (np.ptp(weights[:, groups == label], axis=1) == 0).all()
        sizes.extend(weights[:, [1, 0, 3]].sum(axis=1))
        return np.zeros(len(weights))

    bootstrap([spy], count=6, groups=groups, resamples=50)
    assert sizes == [3.0] * 50


def test_dependent_items_have_wider_intervals() -> None:
    per_group = np.random.default_rng(1).normal(size=50)
    values, groups = np.repeat(per_group, 8), np.repeat(np.arange(50), 8)
    alone = bootstrap([weighted_mean(values)], count=400)[0].std()
    together = bootstrap([weighted_mean(values)], count=400, groups=groups)[0].std()
    assert together == pytest.approx(per_group.std() / np.sqrt(50), rel=0.1)
    assert together > 2 * alone


@pytest.mark.parametrize("workers", [2, 5])
def test_neither_workers_nor_company_nor_number_change_a_sample(workers: int) -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(2, 3000))
    statistics = [pearson.weighted(x, y), spearman.weighted(x, y)]
    one = bootstrap(statistics, count=3000, resamples=120, seed=3, workers=1)
    many = bootstrap(statistics, count=3000, resamples=120, seed=3, workers=workers)
    alone = bootstrap(statistics[1:], count=3000, resamples=70, seed=3, workers=1)
    assert np.array_equal(one, many)
    assert np.array_equal(one[1, :70], alone[0])
    other = bootstrap(statistics, count=3000, resamples=120, seed=4, workers=1)
    assert not np.isin(one, other).any()


def test_statistics_are_paired_and_can_be_drawn_again() -> None:
    values = np.arange(50.0)
    samples = bootstrap([weighted_mean(values), weighted_mean(2 * values)], count=50, seed=7)
    assert samples[1] == pytest.approx(2 * samples[0])
    weights = resample(50, None, seed=7, index=12)
    assert weights.sum() == 50
    assert samples[0, 12] == pytest.approx(np.repeat(values, weights).mean())


def test_progress_adds_up_and_is_told_in_the_calling_thread() -> None:
    done, threads = [], set()

    def advance(count: int) -> None:
        done.append(count)
        threads.add(threading.get_ident())

    bootstrap([weighted_mean(np.ones(3000))], count=3000, resamples=100, advance=advance)
    assert sum(done) == 100
    assert len(done) > 1
    assert threads == {threading.get_ident()}


def test_a_failure_ends_the_work() -> None:
    calls = []

    def broken(weights):
        calls.append(len(weights))
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        bootstrap([broken], count=100_000, resamples=500, workers=1)
    assert len(calls) < 500


def test_no_statistics_are_no_rows() -> None:
    assert bootstrap([], count=3, resamples=5).shape == (0, 5)


def test_wrong_numbers_are_named() -> None:
    statistic = weighted_mean([1.0, 2.0])
    with pytest.raises(ValueError, match="`count` must be at least 1, got 0"):
        bootstrap([statistic], count=0)
    with pytest.raises(ValueError, match="`resamples` must be at least 1, got 0"):
        bootstrap([statistic], count=2, resamples=0)
    with pytest.raises(ValueError, match="`workers` must be at least 1, got 0"):
        bootstrap([statistic], count=2, workers=0)
    with pytest.raises(ValueError, match="one label for each of 2 items"):
        bootstrap([statistic], count=2, groups=[1, 2, 3])
    with pytest.raises(ValueError, match="one for each item"):
        bootstrap([statistic], count=3)


def test_percentile_interval() -> None:
    samples = np.arange(101.0)
    assert percentile_interval(samples, level=0.9) == pytest.approx((5.0, 95.0))
    assert percentile_interval([*samples, float("nan")], level=0.9) == pytest.approx((5.0, 95.0))
    assert percentile_interval([float("nan"), 1.0]) == (1.0, 1.0)
    assert percentile_interval([float("nan"), float("nan"), 1.0]) is None
    assert percentile_interval([]) is None
    for level in (0.0, 1.0, 95.0):
        with pytest.raises(ValueError, match="`level` must be above 0 and below 1"):
            percentile_interval(samples, level=level)
    with pytest.raises(ValueError, match="flat"):
        percentile_interval([[1.0]])


def test_an_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    covered = 0
    for trial in range(150):
        x = rng.normal(size=80)
        y = 0.6 * x + 0.8 * rng.normal(size=80)
        samples = bootstrap(
            [pearson.weighted(x, y)], count=80, resamples=200, seed=trial, workers=1
        )
        ends = percentile_interval(samples[0])
        assert ends is not None
        covered += ends[0] <= 0.6 <= ends[1]
    assert 0.88 <= covered / 150 <= 0.99
