"""Rank metrics of weighted items: the items are sorted once, a resample is then only counted."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from headwise.metrics.inputs import Floats, checked_labels, checked_scores, same_length
from headwise.metrics.weighted_rows import (
    TieGroups,
    Weighted,
    checked_weights,
    gathered,
    products,
    quotient,
    running_sums,
    totals,
)


def weighted_spearman(scores: ArrayLike, gold: ArrayLike) -> Weighted:
    """Spearman's correlation, with the mean ranks of each resample.

    Items of one value and weight w that follow items of weight v have rank v + (w + 1) / 2.

    Args:
        scores: The signal, ``(n,)``, finite.
        gold: What it should follow, ``(n,)``, finite.

    Returns:
        The statistic, in [-1, 1]; undefined where either side is constant.

    Raises:
        ValueError: If the numbers are not flat, finite and equally many.
    """
    first = checked_scores(scores, name="scores")
    second = checked_scores(gold, name="gold")
    count = same_length(scores=first, gold=second)
    x, y = TieGroups.of(first), TieGroups.of(second)
    x_group, y_group = x.group_of[x.order], y.group_of[x.order]

    def spearman(weights: Floats) -> Floats:
        checked_weights(weights, count=count)
        ordered = gathered(weights, x.order)  # (B, n)
        x_ranks, x_spread = _centred_ranks(x.sums(ordered))
        y_ranks, y_spread = _centred_ranks(y.sums(gathered(weights, y.order)))
        ordered *= gathered(x_ranks, x_group) if x.tied else x_ranks
        together = products(ordered, gathered(y_ranks, y_group))
        return np.clip(quotient(together, np.sqrt(x_spread) * np.sqrt(y_spread)), -1.0, 1.0)

    return spearman


def _centred_ranks(weights: Floats) -> tuple[Floats, Floats]:
    # Ranks of groups less the mean rank, (B, U), and the sum of their squares over items, (B,)
    halves = weights * 0.5
    ranks = running_sums(weights)
    ranks -= halves
    ranks -= ranks[:, -1:] / 2 + halves[:, -1:] / 2  # half of the total weight
    halves *= ranks
    return ranks, 2 * products(halves, ranks)


def weighted_roc_auc(scores: ArrayLike, correct: ArrayLike) -> Weighted:
    """Probability that a right item outranks a wrong one, ties counted half.

    Args:
        scores: The signal, ``(n,)``, finite; right items should score high.
        correct: Which items are right, ``(n,)``, booleans or 0 and 1.

    Returns:
        The statistic, in [0, 1]; undefined where one class is missing.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ.

    References:
        Hanley & McNeil 1982, Radiology 143 (the area as a probability).
    """
    values = checked_scores(scores, name="scores")
    labels = checked_labels(correct, name="correct")
    count = same_length(scores=values, correct=labels)
    order = np.argsort(values, kind="stable")
    right, wrong = order[labels[order]], order[~labels[order]]
    # How many wrong items score below each right one, and how many not above
    below = np.searchsorted(values[wrong], values[right], side="left")
    not_above = np.searchsorted(values[wrong], values[right], side="right")
    tied = bool((below != not_above).any())

    def roc_auc(weights: Floats) -> Floats:
        checked_weights(weights, count=count)
        wins = gathered(weights, right)
        losses = running_sums(gathered(weights, wrong), from_zero=True)
        beaten = gathered(losses, below)
        if tied:
            beaten += gathered(losses, not_above)
            beaten *= 0.5
        return quotient(products(wins, beaten), totals(wins) * losses[:, -1])

    return roc_auc


def weighted_average_precision(
    scores: ArrayLike, correct: ArrayLike, *, positive: Literal["correct", "wrong"] = "correct"
) -> Weighted:
    """Precision at each threshold, weighted by the recall that it adds.

    Items of one score pass a threshold together, so ties have no order.

    Args:
        scores: The signal, ``(n,)``, finite; right items should score high.
        correct: Which items are right, ``(n,)``, booleans or 0 and 1.
        positive: What is to be found: ``correct`` items among high scores, or ``wrong`` items
            among low scores.

    Returns:
        The statistic, in (0, 1]; undefined where there is nothing to be found.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ; if
            there is no such class.
    """
    values = checked_scores(scores, name="scores")
    labels = checked_labels(correct, name="correct")
    count = same_length(scores=values, correct=labels)
    if positive not in ("correct", "wrong"):
        raise ValueError(f"`positive` must be 'correct' or 'wrong', got {positive!r}.")
    sought = labels if positive == "correct" else ~labels
    ties = TieGroups.of(-values if positive == "correct" else values)
    last = np.append(ties.starts[1:], count) - 1
    at = np.flatnonzero(sought[ties.order])
    # Of each sought item: the last item of its score, and the last sought one
    seen_at = last[ties.group_of[ties.order[at]]]
    found_at = np.searchsorted(at, seen_at, side="right") - 1

    def average_precision(weights: Floats) -> Floats:
        checked_weights(weights, count=count)
        if not len(at):
            return np.full(len(weights), np.nan)
        ordered = gathered(weights, ties.order)
        gains = gathered(ordered, at)
        found = running_sums(gains)
        total = found[:, -1].copy()
        if ties.tied:
            found = gathered(found, found_at)
        seen = gathered(running_sums(ordered), seen_at)
        # Where nothing was drawn yet, nothing was found either: 0 / 1
        found /= np.maximum(seen, 1.0, out=seen)
        return quotient(products(gains, found), total)

    return average_precision
