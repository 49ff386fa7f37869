"""Sums over weighted items, a row a resample.

Row by row, on flat arrays: NumPy lets other threads run during operations on long flat arrays,
but not during those on a few long rows at once. No BLAS either: it would start threads of its
own below those of the bootstrap, and their number would change the last digits.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headwise.metrics.inputs import Floats

Indices = NDArray[np.intp]


def gathered(rows: Floats, index: Indices) -> Floats:
    """Columns of each row: ``(B, n)`` and indices in [0, n), ``(k,)``, to ``(B, k)``."""
    found = np.empty((len(rows), len(index)))
    for row, into in zip(rows, found, strict=True):
        # All are in range; without `mode`, NumPy would write to a buffer and copy that
        np.take(row, index, out=into, mode="clip")
    return found


def running_sums(rows: Floats, *, from_zero: bool = False) -> Floats:
    """Sums of each row up to and with each column, ``(B, n)``.

    ``from_zero`` begins with the sum of no column: ``(B, n + 1)``.
    """
    first = int(from_zero)
    sums = np.zeros((len(rows), rows.shape[1] + first))
    for row, into in zip(rows, sums, strict=True):
        np.cumsum(row, out=into[first:])
    return sums


def totals(rows: Floats) -> Floats:
    """Sum of each row: ``(B, n)`` to ``(B,)``."""
    return np.array([row.sum() for row in rows], dtype=np.float64)


def products(rows: Floats, factors: Floats) -> Floats:
    """Sum of the products of each row with factors, ``(B,)``.

    The factors are the same for all rows, ``(n,)``, or one set each, ``(B, n)``.
    """
    pairs = zip(rows, np.broadcast_to(factors, rows.shape), strict=True)
    return np.array([np.multiply(row, factor).sum() for row, factor in pairs], dtype=np.float64)


def quotient(numerators: Floats, denominators: Floats) -> Floats:
    """Divide, with NaN and no warning where the denominator is zero."""
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
        """Sort scores, ``(n,)``, finite."""
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
        """Add up within groups: numbers in the order of the scores, ``(B, n)``, to ``(B, U)``."""
        if not self.tied:
            return ordered
        found = np.empty((len(ordered), len(self.starts)))
        for row, into in zip(ordered, found, strict=True):
            np.add.reduceat(row, self.starts, out=into)
        return found
