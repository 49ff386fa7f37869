"""Whether the mean scores of systems have the order of what people say of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from headwise.metrics import weighted_rows as rows
from headwise.metrics.bootstrap import group_indices
from headwise.metrics.inputs import Floats, checked_pair, unit_scaled
from headwise.metrics.metric import Metric, undefined
from headwise.metrics.resampled import ResampledMetric, Statistic
from headwise.metrics.weighted_rows import Indices, TieGroups

# Scaled means that differ by less are of the same numbers, added up in another order
_ROUNDING = 1e-12

_ALIKE = "All systems have the same mean {}."


@ResampledMetric
def system_pairwise_accuracy(scores: ArrayLike, gold: ArrayLike, systems: ArrayLike) -> Statistic:
    """Share of pairs of systems whose mean scores have the order of their mean gold.

    Args:
        scores: Scores of segments, ``(n,)``, finite.
        gold: Gold of segments, ``(n,)``, finite.
        systems: The system of each segment, ``(n,)``, labels that can be sorted.

    Returns:
        The accuracy ``system_acc`` in [0, 1], its count that of the pairs of systems. Pairs that
        the gold ties are left out; pairs that only the scores tie are wrong. Undefined if no pair
        is left.

    Raises:
        ValueError: If the arguments do not fit.

    References:
        Kocmi et al. 2021, arXiv 2107.10821, section 4.1.
    """
    found = _Systems.of(scores, gold, systems)
    decided = int((found.orders(*found.plain)[1] != 0).sum())
    reason = None if decided else _ALIKE.format("gold")
    if found.count < 2:
        reason = f"A pair needs two systems, got {found.count}."

    def accuracy(of_scores: Floats, of_gold: Floats) -> Floats:
        by_score, by_gold = found.orders(of_scores, of_gold)
        counted = by_gold != 0
        right = (by_score == by_gold) & counted
        return rows.quotient(right.sum(axis=1) * 1.0, counted.sum(axis=1) * 1.0)

    return found.statistic("system_acc", accuracy, reason, counted=decided)


@ResampledMetric
def system_pearson(scores: ArrayLike, gold: ArrayLike, systems: ArrayLike) -> Statistic:
    """Linear correlation of mean scores and mean gold over systems, ``system_pearson``.

    Arguments and errors are those of `system_pairwise_accuracy`. The coefficient lies in [-1, 1],
    its count is that of the systems; undefined for fewer than three, of which the correlation
    would be 1 or -1 whatever they are, and if a side is constant.
    """
    found = _Systems.of(scores, gold, systems)

    def correlation(of_scores: Floats, of_gold: Floats) -> Floats:
        x, y = (side - side.mean(axis=1, keepdims=True) for side in (of_scores, of_gold))
        x_spread, y_spread = (np.sqrt((side * side).sum(axis=1)) for side in (x, y))
        flat = (np.ptp(of_scores, axis=1) <= _ROUNDING) | (np.ptp(of_gold, axis=1) <= _ROUNDING)
        values = rows.quotient((x * y).sum(axis=1), x_spread * y_spread)
        return np.where(flat, np.nan, np.clip(values, -1.0, 1.0))

    return found.statistic("system_pearson", correlation, found.no_correlation)


@ResampledMetric
def system_kendall(scores: ArrayLike, gold: ArrayLike, systems: ArrayLike) -> Statistic:
    """Kendall's tau-b of mean scores and mean gold over systems, ``system_kendall``.

    All else is as with `system_pearson`.
    """
    found = _Systems.of(scores, gold, systems)

    def tau(of_scores: Floats, of_gold: Floats) -> Floats:
        by_score, by_gold = found.orders(of_scores, of_gold)
        untied = (by_score != 0).sum(axis=1) * 1.0 * (by_gold != 0).sum(axis=1)
        return rows.quotient((by_score * by_gold).sum(axis=1), np.sqrt(untied))

    return found.statistic("system_kendall", tau, found.no_correlation)


def soft_pairwise_accuracy(
    scores: ArrayLike,
    gold: ArrayLike,
    systems: ArrayLike,
    sources: ArrayLike,
    *,
    permutations: int = 1000,
    seed: int = 0,
) -> Metric:
    """Agreement of scores and gold about how surely one system is better than another.

    Of each pair of systems, both sides have the p-value of a paired one-sided permutation test,
    which exchanges the two systems' numbers on random sources; SPA is one minus the mean
    difference of the two p-values. Permutations that tie the observed difference count half, so
    that it does not matter which system of a pair comes first.

    It has no interval: in a resample the same sources come several times, and p-values scatter
    more than those of other sources would.

    Args:
        scores: Scores of segments, ``(n,)``, finite.
        gold: Gold of segments, ``(n,)``, finite.
        systems: The system of each segment, ``(n,)``, labels that can be sorted.
        sources: The source of each, likewise; every system needs every source. Several segments
            of one system and source count by their mean.
        permutations: How many are drawn; the same for both sides.
        seed: Seed of the draws.

    Returns:
        The accuracy ``spa`` in [0, 1], its count that of the pairs of systems; undefined for fewer
        than two systems, and if some system lacks a source.

    Raises:
        ValueError: If the arguments do not fit.

    References:
        Thompson et al. 2024, arXiv 2409.09598, section 4.
    """
    if permutations < 1:
        raise ValueError(f"`permutations` must be at least 1, got {permutations}.")
    found = _Systems.of(scores, gold, systems)
    first, second = found.pairs
    if not len(first):
        return undefined("spa", f"A pair needs two systems, got {found.count}.", count=0)
    source_of = group_indices(sources, count=len(found.scores))
    size = int(source_of.max()) + 1
    cell = group_indices(systems, count=len(source_of)) * size + source_of
    held = np.bincount(cell, minlength=found.count * size)
    if not held.all():
        reason = "Some systems lack sources that others have."
        return undefined("spa", reason, count=len(first))
    signs = np.random.default_rng(seed).integers(0, 2, (permutations, size)) * 2.0 - 1.0

    def p_values(values: Floats) -> Floats:
        means = (np.bincount(cell, weights=values) / held).reshape(found.count, size)
        differences = means[first] - means[second]  # (P, sources)
        # Sums of numbers in [-1, 1]
        beyond = signs @ differences.T - differences.sum(axis=1)
        tied = np.abs(beyond) <= _ROUNDING * size
        shares: Floats = np.where(tied, 0.5, beyond > 0).mean(axis=0)
        return shares

    apart = np.abs(p_values(found.scores) - p_values(found.gold))
    return Metric(name="spa", value=float(1 - apart.mean()), count=len(first))


@dataclass(frozen=True, slots=True)
class _Systems:
    """Segments with the S systems that wrote them; both sides are scaled into [-1, 1], ``(n,)``."""

    scores: Floats
    gold: Floats
    segments: TieGroups
    plain: tuple[Floats, Floats]

    @classmethod
    def of(cls, scores: ArrayLike, gold: ArrayLike, systems: ArrayLike) -> "_Systems":
        values, truth = (unit_scaled(side)[0] for side in checked_pair(scores, gold))
        system_of = group_indices(systems, count=len(values))
        segments = TieGroups.of(system_of.astype(np.float64))
        once = np.ones((1, len(values)))
        plain = tuple(_means(once, side, segments) for side in (values, truth))
        return cls(values, truth, segments, (plain[0], plain[1]))

    @property
    def count(self) -> int:
        """How many systems there are, S."""
        return len(self.segments.starts)

    @property
    def pairs(self) -> tuple[Indices, Indices]:
        """The two systems of each pair, ``(P,)``."""
        return np.triu_indices(self.count, 1)

    @property
    def no_correlation(self) -> str | None:
        """Why there is no correlation over systems, if there is none."""
        if self.count < 3:
            return f"A correlation over systems needs three of them, got {self.count}."
        for side, of in zip(self.plain, ("score", "gold"), strict=True):
            if np.ptp(side) <= _ROUNDING:
                return _ALIKE.format(of)
        return None

    def orders(self, of_scores: Floats, of_gold: Floats) -> tuple[Floats, Floats]:
        """Signs of the differences within pairs, from means ``(B, S)`` to ``(B, P)``."""
        first, second = self.pairs
        signs = []
        for means in (of_scores, of_gold):
            apart = means[:, first] - means[:, second]
            signs.append(np.where(np.abs(apart) <= _ROUNDING, 0.0, np.sign(apart)))
        return signs[0], signs[1]

    def statistic(
        self,
        name: str,
        of_means: Callable[[Floats, Floats], Floats],
        reason: str | None,
        *,
        counted: int | None = None,
    ) -> Statistic:
        """A statistic of mean scores and mean gold, each ``(B, S)``, NaN where one is not drawn."""

        def values(weights: Floats) -> Floats:
            sides = (_means(weights, side, self.segments) for side in (self.scores, self.gold))
            of_scores, of_gold = sides
            found = of_means(of_scores, of_gold)
            return np.where(np.isnan(of_scores).any(axis=1), np.nan, found)

        return Statistic(
            name=name,
            values=values,
            count=len(self.scores),
            reason=reason,
            counted=self.count if counted is None else counted,
        )


def _means(weights: Floats, values: Floats, segments: TieGroups) -> Floats:
    """Weighted mean of each system, ``(B, S)``."""
    if not len(values):
        return np.empty((len(weights), 0))
    ordered = rows.gathered(weights, segments.order)
    totals = segments.sums(ordered)
    return rows.quotient(segments.sums(ordered * values[segments.order]), totals)
