"""How good a classifier's answers are, where each item belongs to one of C classes."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headwise.metrics import weighted_rows as rows
from headwise.metrics.inputs import Bools, Floats
from headwise.metrics.metric import NO_ITEMS
from headwise.metrics.resampled import ResampledMetric, Statistic, mean, ratio

Indices = NDArray[np.int64]


def checked_answers(
    predicted: ArrayLike, gold: ArrayLike, *, classes: int
) -> tuple[Indices, Indices]:
    """Class indices in [0, C) that go together, as flat arrays, ``(n,)``, int64."""
    answers = _checked(predicted, name="predicted", classes=classes)
    right = _checked(gold, name="gold", classes=classes)
    if len(answers) != len(right):
        raise ValueError(
            "`predicted` and `gold` must have one value for each item, got "
            f"{len(answers)} and {len(right)}."
        )
    return answers, right


def _checked(values: ArrayLike, *, name: str, classes: int) -> Indices:
    if classes < 1:
        raise ValueError(f"`classes` must be at least 1, got {classes}.")
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"`{name}` must be a flat sequence, got shape {array.shape}.")
    if not array.size:
        return np.empty(0, dtype=np.int64)
    if array.dtype.kind not in "iu":
        raise ValueError(f"`{name}` must hold class indices, got values of type {array.dtype}.")
    if not (inside := (array >= 0) & (array < classes)).all():
        at = int(np.flatnonzero(~inside)[0])
        raise ValueError(f"`{name}` must lie in [0, {classes}), got {array[at]} at index {at}.")
    return array.astype(np.int64)


def confusion_matrix(predicted: ArrayLike, gold: ArrayLike, *, classes: int) -> Indices:
    """How often each class is taken for each class.

    Args:
        predicted: Class index of each answer, ``(n,)``.
        gold: Class index that would be right, ``(n,)``.
        classes: How many classes there are, C.

    Returns:
        Counts, ``(C, C)``, int64: a row a gold class, a column a predicted one.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ.
    """
    answers, right = checked_answers(predicted, gold, classes=classes)
    counts = np.bincount(right * classes + answers, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64)


@ResampledMetric
def accuracy(predicted: ArrayLike, gold: ArrayLike, *, classes: int) -> Statistic:
    """Share of answers that are right.

    Args:
        predicted: Class index of each answer, ``(n,)``.
        gold: Class index that would be right, ``(n,)``.
        classes: How many classes there are, C.

    Returns:
        ``accuracy`` in [0, 1]; undefined if there are no items.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ.
    """
    answers, right = checked_answers(predicted, gold, classes=classes)
    return mean("accuracy", answers == right)


@ResampledMetric
def class_precision(predicted: ArrayLike, gold: ArrayLike, *, of: int, classes: int) -> Statistic:
    """Share of the answers with a class that are right.

    Args:
        predicted: Class index of each answer, ``(n,)``.
        gold: Class index that would be right, ``(n,)``.
        of: Index of the class.
        classes: How many classes there are, C.

    Returns:
        ``precision`` in [0, 1]; undefined if no answer has the class.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ.
    """
    claimed, present = _members(predicted, gold, of=of, classes=classes)
    return ratio("precision", claimed & present, claimed, reason="No answer has this class.")


@ResampledMetric
def class_recall(predicted: ArrayLike, gold: ArrayLike, *, of: int, classes: int) -> Statistic:
    """Share of the items of a class that are found, ``recall`` in [0, 1].

    Arguments and errors are those of `class_precision`; undefined if no item is of the class.
    """
    claimed, present = _members(predicted, gold, of=of, classes=classes)
    return ratio("recall", claimed & present, present, reason="No item is of this class.")


@ResampledMetric
def class_f1(predicted: ArrayLike, gold: ArrayLike, *, of: int, classes: int) -> Statistic:
    """Harmonic mean of the two, ``f1`` in [0, 1], 2 TP / (2 TP + FP + FN).

    Arguments and errors are those of `class_precision`; undefined if the class neither occurs nor
    is answered.

    References:
        van Rijsbergen 1979, Information Retrieval, chapter 7.
    """
    part, whole = _f1_parts(*_members(predicted, gold, of=of, classes=classes))
    return ratio("f1", part, whole, reason="No item or answer has this class.")


@ResampledMetric
def macro_f1(predicted: ArrayLike, gold: ArrayLike, *, classes: int) -> Statistic:
    """Mean of the F1 of the classes that occur or are answered, ``macro_f1`` in [0, 1].

    Arguments and errors are those of `accuracy`; undefined if there are no items.

    References:
        Opitz & Burst 2019, arXiv 1911.03347 (the mean of F1, not the F1 of means).
    """
    answers, right = checked_answers(predicted, gold, classes=classes)
    parts = [_f1_parts(answers == of, right == of) for of in range(classes)]

    def mean_f1(weights: Floats) -> Floats:
        # Of a resample, too, a class counts only if it is there: its F1 is 0 / 0 otherwise
        sums = ((rows.products(weights, a), rows.products(weights, b)) for a, b in parts)
        found = np.array([rows.quotient(*pair) for pair in sums])  # (C, B)
        known = ~np.isnan(found)
        return rows.quotient(np.where(known, found, 0.0).sum(axis=0), known.sum(axis=0))

    count = len(right)
    return Statistic(
        name="macro_f1", values=mean_f1, count=count, reason=None if count else NO_ITEMS
    )


def _members(
    predicted: ArrayLike, gold: ArrayLike, *, of: int, classes: int
) -> tuple[Bools, Bools]:
    """Which answers have a class and which items are of it, each ``(n,)``."""
    if not 0 <= of < classes:
        raise ValueError(f"`of` must lie in [0, {classes}), got {of}.")
    answers, right = checked_answers(predicted, gold, classes=classes)
    return answers == of, right == of


def _f1_parts(claimed: Bools, present: Bools) -> tuple[Floats, Floats]:
    """What each item adds to both terms of F1, 2 TP and 2 TP + FP + FN."""
    claims = claimed.astype(np.float64)
    return 2.0 * claims * present, claims + present
