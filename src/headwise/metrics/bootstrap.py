"""Bootstrap: how far metrics would move had other texts been drawn."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headwise.metrics.inputs import Floats
from headwise.metrics.resampled import Weighted

# Weights of a block, 1 MiB, stay in a core's cache while all statistics read them
_BLOCK_WEIGHTS = 1 << 17
_MOST_WORKERS = 8


def bootstrap(
    statistics: Sequence[Weighted],
    *,
    count: int,
    groups: ArrayLike | None = None,
    resamples: int = 1000,
    seed: int = 0,
    workers: int | None = None,
    advance: Callable[[int], None] | None = None,
) -> Floats:
    """Values of statistics on resamples of the items, the same resamples for all of them.

    Whole groups are drawn with replacement, as many as there are, so that items that depend on
    each other (translations of one source, tokens of one text) stay together. The values depend
    on the seed alone, not on the number of workers.

    Args:
        statistics: What to evaluate, each made of the same items.
        count: How many items there are, n.
        groups: The group of each item, ``(n,)``, any labels that can be sorted; each item is its
            own group if left out.
        resamples: How often to draw, R.
        seed: Seed of the draws.
        workers: Threads; one for each processor, up to eight, if left out.
        advance: Called with the number of resamples done since its last call.

    Returns:
        Values, ``(len(statistics), R)``, float64, NaN where a statistic is undefined.

    Raises:
        ValueError: If a count is not positive or ``groups`` has not one label for each item.

    References:
        Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapters 6 and 13; paired over
        statistics as in Koehn 2004, "Statistical Significance Tests for Machine Translation".
    """
    for name, size in (("count", count), ("resamples", resamples)):
        if size < 1:
            raise ValueError(f"`{name}` must be at least 1, got {size}.")
    workers = min(os.cpu_count() or 1, _MOST_WORKERS) if workers is None else workers
    if workers < 1:
        raise ValueError(f"`workers` must be at least 1, got {workers}.")
    group_of = None if groups is None else group_indices(groups, count=count)
    # Of the size alone, so that neither workers nor machines change the last digit
    rows = max(1, _BLOCK_WEIGHTS // count)
    values = np.empty((len(statistics), resamples))

    def run(start: int) -> int:
        stop = min(start + rows, resamples)
        weights = np.empty((stop - start, count))
        for row in range(stop - start):
            weights[row] = resample(count, group_of, seed=seed, index=start + row)
        for statistic, of_statistic in zip(statistics, values, strict=True):
            of_statistic[start:stop] = statistic(weights)
        return stop - start

    pool = ThreadPoolExecutor(workers, thread_name_prefix="bootstrap")
    try:
        for done in as_completed([pool.submit(run, at) for at in range(0, resamples, rows)]):
            finished = done.result()
            if advance is not None:
                advance(finished)
    finally:
        pool.shutdown(cancel_futures=True)
    return values


def group_indices(groups: ArrayLike, *, count: int) -> NDArray[np.intp]:
    """Number the groups of items from zero: labels that can be sorted, ``(n,)``, to ``(n,)``.

    Raises:
        ValueError: If there is not one label for each item.
    """
    labels = np.asarray(groups)
    if labels.shape != (count,):
        raise ValueError(
            f"`groups` must have one label for each of {count} items, got shape {labels.shape}."
        )
    return np.unique(labels, return_inverse=True)[1]


def resample(
    count: int, group_of: NDArray[np.intp] | None, *, seed: int, index: int
) -> NDArray[np.intp]:
    """How often each item is drawn in one resample, ``(n,)``, the same in a group."""
    # A seed for each resample: no order of work can change what is drawn
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(index,)))
    size = count if group_of is None else int(group_of.max()) + 1
    drawn = np.bincount(rng.integers(0, size, size), minlength=size)
    return drawn if group_of is None else drawn[group_of]


def percentile_interval(samples: ArrayLike, *, level: float = 0.95) -> tuple[float, float] | None:
    """The middle of a bootstrap distribution.

    Args:
        samples: Values of a statistic on resamples, ``(R,)``; NaN where it was undefined.
        level: Share of the values inside, in (0, 1).

    Returns:
        Lower and upper end; ``None`` if there are no values or most of them are undefined.

    Raises:
        ValueError: If ``level`` is not in (0, 1) or the samples are not flat.
    """
    if not 0 < level < 1:
        raise ValueError(f"`level` must be above 0 and below 1, got {level}.")
    values = np.asarray(samples, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(f"`samples` must be a flat sequence, got shape {values.shape}.")
    known = values[~np.isnan(values)]
    if not len(known) or len(known) < len(values) / 2:
        return None
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
