"""How well scores rank right items above wrong ones."""

from typing import Literal

from numpy.typing import ArrayLike
from sklearn.metrics import average_precision_score, roc_auc_score

from headwise.metrics.inputs import Bools, Floats, checked_labels, checked_scores, same_length
from headwise.metrics.metric import Metric, undefined


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
    return Metric(name="roc_auc", value=float(roc_auc_score(labels, values)), count=len(labels))


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
    if positive == "wrong":
        values, labels = -values, ~labels
    if not labels.any():
        kind = "right" if positive == "correct" else "wrong"
        return undefined("average_precision", f"There are no {kind} items.", count=len(labels))
    value = float(average_precision_score(labels, values))
    return Metric(name="average_precision", value=value, count=len(labels))


def _checked(scores: ArrayLike, correct: ArrayLike) -> tuple[Floats, Bools]:
    values = checked_scores(scores, name="scores")
    labels = checked_labels(correct, name="correct")
    same_length(scores=values, correct=labels)
    return values, labels
