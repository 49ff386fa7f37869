"""Accuracy of the order of pairs of translations of one source."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headwise.metrics.bootstrap import bootstrap, group_indices, percentile_interval
from headwise.metrics.grouped_pairs import GroupedPairs
from headwise.metrics.inputs import Floats
from headwise.metrics.metric import Metric, undefined
from headwise.metrics.resampled import Weighted, weighted_mean, weighted_ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class PairwiseAccuracy:
    """Accuracy of the order within groups, and the tie threshold that it was reached with.

    Attributes:
        metric: The accuracy ``acc_eq`` in [0, 1], its count that of the items.
        epsilon: Scores that differ by no more than this count as tied; ``None`` if there is no
            pair.
        pairs: How many pairs were compared.
        groups: Labels of the groups that have a pair, ``(G,)``, sorted.
        accuracies: Accuracy of each of these groups, ``(G,)``; the metric is their mean.
    """

    metric: Metric
    epsilon: float | None
    pairs: int
    groups: NDArray[np.generic]
    accuracies: Floats


def pairwise_accuracy(
    scores: ArrayLike,
    gold: ArrayLike,
    groups: ArrayLike,
    *,
    tie_calibration: bool = True,
    epsilon: float | None = None,
    pairs_per_group: int | None = None,
    pair_limit: int = 10_000_000,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> PairwiseAccuracy:
    """Share of pairs that scores put in the order of the gold, ties included (acc*eq).

    A pair of one group is right if the gold ties it and its scores differ by at most epsilon, or
    if the gold orders it, the scores order it likewise and differ by more than epsilon. The
    accuracy is the mean over the groups of their shares of right pairs; groups without a pair are
    left out. Epsilon is the smallest of zero and the differences of scores that makes the
    accuracy highest. It is chosen on the same data, as in the paper, and kept in the interval.

    Takes O(P log P) time for P pairs, and about 40 bytes a pair while epsilon is chosen.

    Args:
        scores: Scores, ``(n,)``, finite.
        gold: Gold, ``(n,)``, finite.
        groups: The group of each item, such as its source, ``(n,)``, labels that can be sorted.
        tie_calibration: Whether epsilon is chosen; otherwise only equal scores are tied.
        epsilon: A threshold that was chosen elsewhere, at least 0; then none is chosen here.
        pairs_per_group: Groups with more pairs are represented by so many random ones, drawn with
            replacement; the metric's interval then says so.
        pair_limit: How many pairs epsilon is chosen on at most.
        resamples: Bootstrap resamples of the groups for the interval.
        level: Coverage of the interval.
        seed: Seed of all draws.

    Returns:
        The accuracy with its interval (none for a single group); undefined if no group has two
        items.

    Raises:
        ValueError: If the arguments do not fit, a number is out of range, or there are more pairs
            than ``pair_limit``.

    References:
        Deutsch, Foster & Freitag 2023, arXiv 2305.14324, sections 4 and 5, group by item.
    """
    if epsilon is not None and not 0 <= epsilon < math.inf:
        raise ValueError(f"`epsilon` must be a number of at least 0, got {epsilon}.")
    if pairs_per_group is not None and pairs_per_group < 1:
        raise ValueError(f"`pairs_per_group` must be at least 1, got {pairs_per_group}.")
    items = GroupedPairs.of(scores, gold, groups, pairs_per_group=pairs_per_group, seed=seed)
    names = np.unique(np.asarray(groups))[items.paired]
    if not len(names):
        metric = undefined("acc_eq", "No group has two items.", count=len(items.scores))
        return PairwiseAccuracy(
            metric=metric, epsilon=None, pairs=0, groups=names, accuracies=np.empty(0)
        )
    pairs = int(items.pairs.sum())
    if epsilon is not None:
        threshold = math.ldexp(epsilon, -items.exponent)
    elif not tie_calibration:
        threshold = 0.0
    elif pairs > pair_limit:
        raise ValueError(
            f"`pair_limit` allows {pair_limit:,} pairs, got {pairs:,}: raise it (40 bytes a pair), "
            "set `pairs_per_group` to sample pairs, or give an `epsilon`."
        )
    else:
        threshold = items.best_threshold()
    accuracies = items.accuracies(threshold)
    metric = Metric(name="acc_eq", value=float(accuracies.mean()), count=len(items.scores))
    if len(accuracies) > 1:
        samples = bootstrap(
            [weighted_mean(accuracies)], count=len(accuracies), resamples=resamples, seed=seed
        )
        how = (
            f"{level:.0%} percentile bootstrap at a fixed epsilon, {resamples:,} resamples of "
            f"{len(names):,} groups"
        )
        if items.sampled:
            how += f", at most {pairs_per_group:,} sampled pairs each"
        if (ends := percentile_interval(samples[0], level=level)) is not None:
            metric = metric.within(*ends, interval=how)
    return PairwiseAccuracy(
        metric=metric,
        epsilon=math.ldexp(threshold, items.exponent) if epsilon is None else epsilon,
        pairs=pairs,
        groups=names,
        accuracies=accuracies,
    )


def weighted_pairwise_accuracy(found: PairwiseAccuracy, groups: ArrayLike) -> Weighted:
    """The accuracy under weights of the items, for a bootstrap that draws the groups whole.

    Args:
        found: The accuracy, whose epsilon is kept.
        groups: The group of each item, ``(n,)``, as it was computed with. Weights must be the
            same for all items of a group.

    Returns:
        The statistic, in [0, 1]; undefined where no group with a pair was drawn.

    Raises:
        ValueError: If ``groups`` is not flat.
    """
    labels = np.asarray(groups)
    group_of = group_indices(labels, count=labels.size)
    share = (1 / np.bincount(group_of))[group_of] * np.isin(labels, found.groups)
    if not len(found.groups):
        return weighted_ratio(np.zeros(labels.size), share)
    place = np.searchsorted(found.groups, labels).clip(max=len(found.groups) - 1)
    return weighted_ratio(share * found.accuracies[place], share)
