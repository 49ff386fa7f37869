"""Statistics of weighted items, of which a bootstrap evaluates many resamples.

A resample of n items is a vector of n weights: how often each item was drawn. A weighted statistic
maps many such vectors to the metric's values, as if items had been repeated; what it has to sort,
it sorts once. Under weights of one it is the metric itself.

Row by row, on flat arrays: NumPy lets other threads run during operations on long flat arrays,
but not during those on a few long rows at once. No BLAS either: it would start threads of its
own below those of the bootstrap, and their number would change the last digits.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headwise.metrics.inputs import Floats, checked_scores, same_length, unit_scaled

Indices = NDArray[np.intp]

Weighted = Callable[[Floats], Floats]
"""Weights ``(B, n)``, whole numbers >= 0, to values ``(B,)``, NaN where undefined; float64."""


def checked_weights(weights: Floats, *, count: int) -> Floats:
    """Weights that fit the items of a statistic.

    Args:
        weights: How often each item counts, ``(B, n)``.
        count: How many items the statistic was made of, n.

    Raises:
        ValueError: If there is not one weight for each item.
    """
    if weights.ndim != 2 or weights.shape[1] != count:
        raise ValueError(
            f"`weights` must have shape (B, {count}), one for each item, got {weights.shape}."
        )
    return weights


def gathered(rows: Floats, index: Indices) -> Floats:
    """Columns of each row.

    Args:
        rows: ``(B, n)``.
        index: Columns in [0, n), ``(k,)``.

    Returns:
        ``(B, k)``.
    """
    found = np.empty((len(rows), len(index)))
    for row, into in zip(rows, found, strict=True):
        # All are in range; without `mode`, NumPy would write to a buffer and copy that
        np.take(row, index, out=into, mode="clip")
    return found


def running_sums(rows: Floats, *, from_zero: bool = False) -> Floats:
    """Sums of each row up to and with each column.

    Args:
        rows: ``(B, n)``.
        from_zero: Whether to begin with the sum of no column.

    Returns:
        ``(B, n)``, or ``(B, n + 1)`` from zero.
    """
    first = int(from_zero)
    sums = np.zeros((len(rows), rows.shape[1] + first))
    for row, into in zip(rows, sums, strict=True):
        np.cumsum(row, out=into[first:])
    return sums


def totals(rows: Floats) -> Floats:
    """Sum of each row.

    Args:
        rows: ``(B, n)``.

    Returns:
        ``(B,)``.
    """
    return np.array([row.sum() for row in rows], dtype=np.float64)


def products(rows: Floats, factors: Floats) -> Floats:
    """Sum of the products of each row with factors.

    Args:
        rows: ``(B, n)``.
        factors: The same for all rows, ``(n,)``, or one set each, ``(B, n)``.

    Returns:
        ``(B,)``.
    """
    pairs = zip(rows, np.broadcast_to(factors, rows.shape), strict=True)
    return np.array([np.multiply(row, factor).sum() for row, factor in pairs], dtype=np.float64)


def quotient(numerators: Floats, denominators: Floats) -> Floats:
    """Divide, with NaN and no warning where the denominator is zero.

    Args:
        numerators: ``(B,)``.
        denominators: ``(B,)``.
    """
    undefined = np.full(np.shape(numerators), np.nan)
    np.divide(numerators, denominators, out=undefined, where=denominators != 0)
    return undefined


@dataclass(frozen=True, slots=True)
class TieGroups:
    """Items in order of their score, those with the same score together.

    Attributes:
        order: The items from the lowest score to the highest, ``(n,)``.
        starts: Position of each group's first item in that order, ``(U,)``.
        group_of: The group of each item, ``(n,)``.
    """

    order: Indices
    starts: Indices
    group_of: Indices

    @classmethod
    def of(cls, scores: Floats) -> "TieGroups":
        """Sort scores.

        Args:
            scores: ``(n,)``, finite.
        """
        order = np.argsort(scores, kind="stable")
        ordered = scores[order]
        first = np.ones(len(scores), dtype=np.bool_)
        first[1:] = ordered[1:] != ordered[:-1]
        group_of = np.empty(len(scores), dtype=np.intp)
        group_of[order] = np.cumsum(first) - 1
        return cls(order, np.flatnonzero(first), group_of)

    @property
    def tied(self) -> bool:
        """Whether any two items share a score."""
        return len(self.starts) < len(self.order)

    def sums(self, ordered: Floats) -> Floats:
        """Add up within groups.

        Args:
            ordered: Numbers in the order of the scores, ``(B, n)``.

        Returns:
            Sums, ``(B, U)``; ``ordered`` itself if every group is one item.
        """
        if not self.tied:
            return ordered
        found = np.empty((len(ordered), len(self.starts)))
        for row, into in zip(ordered, found, strict=True):
            np.add.reduceat(row, self.starts, out=into)
        return found


def value_of(statistic: Weighted, *, count: int) -> float:
    """What a statistic is of the items themselves, each counted once.

    Args:
        statistic: Of ``count`` items, defined for them.
        count: How many items there are, n.
    """
    return float(statistic(np.ones((1, count)))[0])


def weighted_mean(values: ArrayLike) -> Weighted:
    """Mean of numbers.

    Args:
        values: Numbers, ``(n,)``, finite.

    Returns:
        The statistic; undefined where all weights are zero.

    Raises:
        ValueError: If the numbers are not flat and finite.
    """
    numbers = checked_scores(values, name="values")
    return weighted_ratio(numbers, np.ones(len(numbers)))


def weighted_ratio(numerators: ArrayLike, denominators: ArrayLike) -> Weighted:
    """Ratio of two sums, such as a micro-averaged precision: true positives over predictions.

    Args:
        numerators: What each item adds above, ``(n,)``, finite.
        denominators: What each item adds below, ``(n,)``, finite.

    Returns:
        The statistic; undefined where the lower sum is zero.

    Raises:
        ValueError: If the numbers are not flat, finite and equally many.
    """
    above, up = unit_scaled(checked_scores(numerators, name="numerators"))
    below, down = unit_scaled(checked_scores(denominators, name="denominators"))
    count = same_length(numerators=above, denominators=below)

    def ratio(weights: Floats) -> Floats:
        checked_weights(weights, count=count)
        return np.ldexp(quotient(products(weights, above), products(weights, below)), up - down)

    return ratio
