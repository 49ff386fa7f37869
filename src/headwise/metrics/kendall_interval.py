"""How certain Kendall's correlation is; it is no sum over items, so it is drawn on few of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from headwise.metrics.bootstrap import group_indices, percentile_interval
from headwise.metrics.correlation import kendall
from headwise.metrics.inputs import Floats, checked_scores, same_length
from headwise.metrics.metric import Metric


@dataclass(frozen=True, slots=True, kw_only=True)
class KendallSamples:
    """A bootstrap distribution of Kendall's correlation.

    Attributes:
        values: One a resample, ``(R,)``, NaN where undefined. Samples of two signals that were
            drawn with the same seed, groups and gold are paired.
        how: How they were drawn, for a reader.
    """

    values: Floats
    how: str


def kendall_with_interval(
    scores: ArrayLike,
    gold: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    size: int = 2000,
    resamples: int = 200,
    level: float = 0.95,
    seed: int = 0,
) -> Metric:
    """Kendall's correlation (tau-b) with a bootstrap interval, subsampled if there are many items.

    Args:
        scores: Scores, ``(n,)``, finite.
        gold: Gold, ``(n,)``, finite.
        groups: The group of each item, ``(n,)``; groups are drawn whole.
        size: How many items a resample has at most, about.
        resamples: How often to draw.
        level: Coverage of the interval.
        seed: Seed of the draws.

    Returns:
        The coefficient ``kendall``; without interval if there is only one group, or if it is
        undefined on most resamples.

    Raises:
        ValueError: If the arguments do not fit, or a number is too small.
    """
    metric = kendall(scores, gold)
    if metric.value is None or (groups is not None and len(np.unique(np.asarray(groups))) < 2):
        return metric
    samples = kendall_samples(
        scores, gold, groups=groups, size=size, resamples=resamples, seed=seed
    )
    ends = percentile_interval(samples.values, level=level)
    return metric if ends is None else metric.within(*ends, interval=f"{level:.0%} {samples.how}")


def kendall_samples(
    scores: ArrayLike,
    gold: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    size: int = 2000,
    resamples: int = 200,
    seed: int = 0,
) -> KendallSamples:
    """Draw from the distribution of Kendall's correlation.

    With at most ``size`` items this is the ordinary bootstrap. With more, m of the n groups are
    drawn; the deviations from the value of all items are then sqrt(n / m) times too wide, and are
    scaled by sqrt(m / n). Arguments are those of `kendall_with_interval`.

    Returns:
        The distribution, within [-1, 1].

    Raises:
        ValueError: If the arguments do not fit, or a number is too small.

    References:
        Bickel, Götze & van Zwet 1997, Statistica Sinica 7 (m out of n).
    """
    first, second = checked_scores(scores, name="scores"), checked_scores(gold, name="gold")
    count = same_length(scores=first, gold=second)
    for name, number, least in (("size", size, 2), ("resamples", resamples, 1)):
        if number < least:
            raise ValueError(f"`{name}` must be at least {least}, got {number}.")
    group_of = np.arange(count) if groups is None else group_indices(groups, count=count)
    items = np.argsort(group_of, kind="stable")
    sizes = np.bincount(group_of)
    starts = np.cumsum(sizes) - sizes
    many = count > size
    drawn = min(len(sizes), max(2, round(len(sizes) * size / count))) if many else len(sizes)
    value = _tau(first, second)
    shrink = np.sqrt(drawn / len(sizes)) if many else 1.0
    values = np.empty(resamples)
    for index in range(resamples):
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(index,)))
        chosen = rng.integers(0, len(sizes), drawn)
        # Places of the items of each chosen group, one group after the other
        lengths = sizes[chosen]
        offsets = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        at = items[np.repeat(starts[chosen], lengths) + offsets]
        values[index] = value + shrink * (_tau(first[at], second[at]) - value)
    unit = "items" if groups is None else "groups"
    how = (
        f"subsampled percentile bootstrap, {resamples:,} resamples of {drawn:,} of "
        f"{len(sizes):,} {unit}"
        if many
        else f"percentile bootstrap, {resamples:,} resamples of {drawn:,} {unit}"
    )
    return KendallSamples(values=np.clip(values, -1.0, 1.0), how=how)


def _tau(scores: Floats, gold: Floats) -> float:
    # SciPy warns of constant numbers
    if len(scores) < 2 or scores.min() == scores.max() or gold.min() == gold.max():
        return np.nan
    from scipy.stats import kendalltau  # 0.7 s, which those who score do not need

    return float(kendalltau(scores, gold, variant="b").statistic)
