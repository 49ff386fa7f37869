"""Pairs of items of one group: compared piece by piece, never all held at once but to sort them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from headwise.metrics.bootstrap import group_indices
from headwise.metrics.inputs import Bools, Floats, checked_scores, same_length
from headwise.metrics.weighted_rows import Indices

# Candidates whose accuracies differ by less than this differ by rounding
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class GroupedPairs:
    """Items in the order of their groups.

    Attributes:
        scores: Scores, scaled so that differences do not overflow, ``(n,)``.
        gold: Place of each gold value among the different ones, ``(n,)``: its order is all that
            counts.
        exponent: Scores of the caller are ``scores * 2**exponent``.
        starts: Place of each group's first item.
        paired: Which groups have a pair; G of them.
        pairs: How many pairs each of those has, or is represented by, ``(G,)``.
        place: Number of each item's group among those with a pair, ``(n,)``.
        pairs_per_group: Groups with more pairs are represented by so many random ones.
    """

    scores: Floats
    gold: Floats
    exponent: int
    starts: Indices
    sizes: Indices
    paired: Bools
    pairs: Indices
    place: Indices
    pairs_per_group: int | None
    seed: int

    @classmethod
    def of(
        cls,
        scores: ArrayLike,
        gold: ArrayLike,
        groups: ArrayLike,
        *,
        pairs_per_group: int | None,
        seed: int,
    ) -> "GroupedPairs":
        """Sort items by group."""
        values = checked_scores(scores, name="scores")
        # Halved only where a difference would overflow: the smallest numbers would be rounded
        exponent = int(np.abs(values).max(initial=0.0) > np.finfo(np.float64).max / 2)
        values = np.ldexp(values, -exponent)
        truth = checked_scores(gold, name="gold")
        truth = np.unique(truth, return_inverse=True)[1].astype(np.float64)
        group_of = group_indices(groups, count=same_length(scores=values, gold=truth))
        order = np.argsort(group_of, kind="stable")
        sizes = np.bincount(group_of)
        paired = sizes > 1
        pairs = (sizes * (sizes - 1) // 2)[paired]
        if pairs_per_group is not None:
            pairs = np.minimum(pairs, pairs_per_group)
        place = (np.cumsum(paired) - 1)[group_of[order]]
        return cls(
            values[order],
            truth[order],
            exponent,
            np.cumsum(sizes) - sizes,
            sizes,
            paired,
            pairs,
            place,
            pairs_per_group,
            seed,
        )

    @property
    def _too_many(self) -> Bools:
        if self.pairs_per_group is None:
            return np.zeros(len(self.sizes), dtype=np.bool_)
        return self.sizes * (self.sizes - 1) // 2 > self.pairs_per_group

    @property
    def sampled(self) -> bool:
        """Whether some group is represented by a sample of its pairs."""
        return bool(self._too_many.any())

    def index_pairs(self) -> Iterator[tuple[Indices, Indices]]:
        """All pairs, in pieces of at most n or ``pairs_per_group``; the same at every call."""
        too_many = self._too_many
        # How many items of the same group follow each one
        following = np.repeat(self.starts + self.sizes, self.sizes) - 1 - np.arange(len(self.place))
        left = np.flatnonzero((following > 0) & ~np.repeat(too_many, self.sizes))
        distance = 1
        while len(left):
            yield left, left + distance
            distance += 1
            left = left[following[left] >= distance]
        rng = np.random.default_rng(self.seed)
        for group in np.flatnonzero(too_many):
            size = int(self.sizes[group])
            first = rng.integers(0, size, self.pairs_per_group)
            second = rng.integers(0, size - 1, self.pairs_per_group)
            second += second >= first
            yield self.starts[group] + first, self.starts[group] + second

    def compared(self, i: Indices, j: Indices) -> tuple[Floats, Bools, Bools]:
        """Compare items at places ``i`` and ``j``, ``(P,)``.

        Returns:
            Differences of the scores, ``(P,)``, whether the gold ties them, and whether scores
            and gold have them in the same order.
        """
        rise = self.scores[j] - self.scores[i]
        gold_rise = np.sign(self.gold[j] - self.gold[i])
        return np.abs(rise), gold_rise == 0, (np.sign(rise) == gold_rise) & (gold_rise != 0)

    def best_threshold(self) -> float:
        """The smallest difference of scores, or zero, with the highest accuracy."""
        weight = 1 / (len(self.pairs) * self.pairs)
        pieces = []
        for i, j in self.index_pairs():
            difference, tied, agreeing = self.compared(i, j)
            # A pair in the wrong order stays wrong whatever the threshold
            kept = np.flatnonzero(tied | agreeing)
            gain = np.where(tied[kept], 1.0, -1.0) * weight[self.place[i[kept]]]
            pieces.append((difference[kept], gain))
        differences = np.concatenate([piece[0] for piece in pieces])
        gains = np.concatenate([piece[1] for piece in pieces])
        del pieces
        if not len(differences):
            return 0.0
        order = np.argsort(differences)
        differences, gains = differences[order], gains[order]
        del order
        np.cumsum(gains, out=gains)
        # Equal differences become ties together
        last = np.flatnonzero(np.append(differences[1:] != differences[:-1], True))
        differences, gains = differences[last], gains[last]
        if differences[0] > 0:
            differences, gains = np.append(0.0, differences), np.append(0.0, gains)
        return float(differences[np.argmax(gains >= gains.max() - _ROUNDING)])

    def accuracies(self, threshold: float) -> Floats:
        """Shares of right pairs of groups, ``(G,)``, where scores within the threshold are tied."""
        right = np.zeros(len(self.pairs))
        for i, j in self.index_pairs():
            difference, tied, agreeing = self.compared(i, j)
            correct = np.where(difference <= threshold, tied, agreeing)
            right += np.bincount(self.place[i], weights=correct, minlength=len(right))
        return right / self.pairs
