"""How well scores rank right items above wrong ones."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from headwise.metrics import weighted_rows as rows
from headwise.metrics.inputs import Floats, checked_ranking
from headwise.metrics.resampled import ResampledMetric, Statistic
from headwise.metrics.weighted_rows import TieGroups


@ResampledMetric
def roc_auc(scores: ArrayLike, correct: ArrayLike) -> Statistic:
    """Probability that a right item outranks a wrong one, ties counted half.

    Args:
        scores: Scores, ``(n,)``, finite; right items should score high.
        correct: Which items are right, ``(n,)``, booleans or 0 and 1.

    Returns:
        The area under the ROC curve, ``roc_auc``, in [0, 1], 0.5 for chance; undefined if there
        are no right or no wrong items, since nothing is ranked then.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ.

    References:
        Hanley & McNeil 1982, Radiology 143 (the area as a probability).
    """
    values, labels = checked_ranking(scores, correct)
    order = np.argsort(values, kind="stable")
    right, wrong = order[labels[order]], order[~labels[order]]
    # How many wrong items score below each right one, and how many not above
    below = np.searchsorted(values[wrong], values[right], side="left")
    not_above = np.searchsorted(values[wrong], values[right], side="right")
    tied = bool((below != not_above).any())

    def area(weights: Floats) -> Floats:
        wins = rows.gathered(weights, right)
        losses = rows.running_sums(rows.gathered(weights, wrong), from_zero=True)
        beaten = rows.gathered(losses, below)
        if tied:
            beaten += rows.gathered(losses, not_above)
            beaten *= 0.5
        return rows.quotient(rows.products(wins, beaten), rows.totals(wins) * losses[:, -1])

    missing = [kind for kind, one in (("right", right), ("wrong", wrong)) if not len(one)]
    return Statistic(
        name="roc_auc",
        values=area,
        count=len(labels),
        reason=f"There are no {missing[0]} items." if missing else None,
    )


@ResampledMetric
def average_precision(
    scores: ArrayLike, correct: ArrayLike, *, positive: Literal["correct", "wrong"] = "correct"
) -> Statistic:
    """Precision at each threshold, weighted by the recall that it adds.

    Items of one score pass a threshold together, so ties have no order.

    Args:
        scores: Scores, ``(n,)``, finite; right items should score high.
        correct: Which items are right, ``(n,)``, booleans or 0 and 1.
        positive: What is to be found: ``correct`` items among high scores, or ``wrong`` items
            among low scores.

    Returns:
        The area ``average_precision`` in (0, 1]; scores of chance reach the share of positive
        items. Undefined if there are none.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ.

    References:
        Manning, Raghavan & Schütze 2008, Introduction to Information Retrieval, section 8.4.
    """
    values, labels = checked_ranking(scores, correct)
    if positive not in ("correct", "wrong"):
        raise ValueError(f"`positive` must be 'correct' or 'wrong', got {positive!r}.")
    sought = labels if positive == "correct" else ~labels
    ties = TieGroups.of(-values if positive == "correct" else values)
    last = np.append(ties.starts[1:], len(labels)) - 1
    at = np.flatnonzero(sought[ties.order])
    # Of each sought item: the last item of its score, and the last sought one
    seen_at = last[ties.group_of[ties.order[at]]]
    found_at = np.searchsorted(at, seen_at, side="right") - 1

    def area(weights: Floats) -> Floats:
        if not len(at):
            return np.full(len(weights), np.nan)
        ordered = rows.gathered(weights, ties.order)
        gains = rows.gathered(ordered, at)
        found = rows.running_sums(gains)
        total = found[:, -1].copy()
        if ties.tied:
            found = rows.gathered(found, found_at)
        seen = rows.gathered(rows.running_sums(ordered), seen_at)
        # Where nothing was drawn yet, nothing was found either: 0 / 1
        found /= np.maximum(seen, 1.0, out=seen)
        return rows.quotient(rows.products(gains, found), total)

    kind = "right" if positive == "correct" else "wrong"
    return Statistic(
        name="average_precision",
        values=area,
        count=len(labels),
        reason=None if len(at) else f"There are no {kind} items.",
    )
