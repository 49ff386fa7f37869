"""How well scores rank right items above wrong ones."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from headwise.metrics.inputs import Bools, Floats, checked_labels, checked_scores, same_length
from headwise.metrics.metric import Metric, undefined
from headwise.metrics.resampled import (
    TieGroups,
    Weighted,
    checked_weights,
    gathered,
    products,
    quotient,
    running_sums,
    totals,
    value_of,
)


def roc_auc(scores: ArrayLike, correct: ArrayLike) -> Metric:
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
    values, labels = _checked(scores, correct)
    for found, kind in ((labels.any(), "right"), (not labels.all(), "wrong")):
        if not found:
            return undefined("roc_auc", f"There are no {kind} items.", count=len(labels))
    value = value_of(weighted_roc_auc(values, labels), count=len(labels))
    return Metric(name="roc_auc", value=value, count=len(labels))


def average_precision(
    scores: ArrayLike, correct: ArrayLike, *, positive: Literal["correct", "wrong"]
) -> Metric:
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
    values, labels = _checked(scores, correct)
    if positive not in ("correct", "wrong"):
        raise ValueError(f"`positive` must be 'correct' or 'wrong', got {positive!r}.")
    if not (labels if positive == "correct" else ~labels).any():
        kind = "right" if positive == "correct" else "wrong"
        return undefined("average_precision", f"There are no {kind} items.", count=len(labels))
    value = value_of(
        weighted_average_precision(values, labels, positive=positive), count=len(labels)
    )
    return Metric(name="average_precision", value=value, count=len(labels))


def _checked(scores: ArrayLike, correct: ArrayLike) -> tuple[Floats, Bools]:
    values = checked_scores(scores, name="scores")
    labels = checked_labels(correct, name="correct")
    same_length(scores=values, correct=labels)
    return values, labels


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
