"""How good a classifier's answers are, where each item belongs to one of C classes."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headwise.metrics.inputs import Floats
from headwise.metrics.metric import NO_ITEMS, Metric, ratio, undefined
from headwise.metrics.resampled import Weighted, checked_weights, products, quotient, weighted_ratio

Indices = NDArray[np.int64]


def checked_answers(
    predicted: ArrayLike, gold: ArrayLike, *, classes: int
) -> tuple[Indices, Indices]:
    """Class indices that go together, as flat arrays.

    Args:
        predicted: Class index of each answer, a whole number in [0, C), ``(n,)``.
        gold: Class index that would be right, likewise, ``(n,)``.
        classes: How many classes there are, C.

    Returns:
        Both, ``(n,)``, int64.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ.
    """
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


def accuracy(predicted: ArrayLike, gold: ArrayLike, *, classes: int) -> Metric:
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
    table = confusion_matrix(predicted, gold, classes=classes)
    count = int(table.sum())
    return ratio("accuracy", int(np.trace(table)), count, reason=NO_ITEMS, count=count)


def class_precision(predicted: ArrayLike, gold: ArrayLike, *, of: int, classes: int) -> Metric:
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
    hits, claimed, _, count = _of_class(predicted, gold, of=of, classes=classes)
    return ratio("precision", hits, claimed, reason="No answer has this class.", count=count)


def class_recall(predicted: ArrayLike, gold: ArrayLike, *, of: int, classes: int) -> Metric:
    """Share of the items of a class that are found.

    Args:
        predicted: Class index of each answer, ``(n,)``.
        gold: Class index that would be right, ``(n,)``.
        of: Index of the class.
        classes: How many classes there are, C.

    Returns:
        ``recall`` in [0, 1]; undefined if no item is of the class.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ.
    """
    hits, _, present, count = _of_class(predicted, gold, of=of, classes=classes)
    return ratio("recall", hits, present, reason="No item is of this class.", count=count)


def class_f1(predicted: ArrayLike, gold: ArrayLike, *, of: int, classes: int) -> Metric:
    """Harmonic mean of the precision and the recall of a class, 2 TP / (2 TP + FP + FN).

    Args:
        predicted: Class index of each answer, ``(n,)``.
        gold: Class index that would be right, ``(n,)``.
        of: Index of the class.
        classes: How many classes there are, C.

    Returns:
        ``f1`` in [0, 1]; undefined if the class neither occurs nor is answered.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ.

    References:
        van Rijsbergen 1979, Information Retrieval, chapter 7.
    """
    hits, claimed, present, count = _of_class(predicted, gold, of=of, classes=classes)
    reason = "No item or answer has this class."
    return ratio("f1", 2 * hits, claimed + present, reason=reason, count=count)


def macro_f1(predicted: ArrayLike, gold: ArrayLike, *, classes: int) -> Metric:
    """Mean of the F1 of the classes that occur or are answered.

    Args:
        predicted: Class index of each answer, ``(n,)``.
        gold: Class index that would be right, ``(n,)``.
        classes: How many classes there are, C.

    Returns:
        ``macro_f1`` in [0, 1]; undefined if there are no items.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ.

    References:
        Opitz & Burst 2019, arXiv 1911.03347 (the mean of F1, not the F1 of means).
    """
    table = confusion_matrix(predicted, gold, classes=classes)
    count = int(table.sum())
    if not count:
        return undefined("macro_f1", NO_ITEMS, count=0)
    both = table.sum(axis=0) + table.sum(axis=1)
    known = both > 0
    value = float(np.mean(2 * np.diagonal(table)[known] / both[known]))
    return Metric(name="macro_f1", value=value, count=count)


def _of_class(
    predicted: ArrayLike, gold: ArrayLike, *, of: int, classes: int
) -> tuple[int, int, int, int]:
    """Hits, answers and items of a class, and the number of items in all."""
    if not 0 <= of < classes:
        raise ValueError(f"`of` must lie in [0, {classes}), got {of}.")
    table = confusion_matrix(predicted, gold, classes=classes)
    return int(table[of, of]), int(table[:, of].sum()), int(table[of].sum()), int(table.sum())


def weighted_class_precision(
    predicted: ArrayLike, gold: ArrayLike, *, of: int, classes: int
) -> Weighted:
    """Share of the answers with a class that are right.

    Args:
        predicted: Class index of each answer, ``(n,)``.
        gold: Class index that would be right, ``(n,)``.
        of: Index of the class.
        classes: How many classes there are, C.

    Returns:
        The statistic, in [0, 1]; undefined where no answer has the class.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ.
    """
    claimed, present = _members(predicted, gold, of=of, classes=classes)
    return weighted_ratio(claimed * present, claimed)


def weighted_class_recall(
    predicted: ArrayLike, gold: ArrayLike, *, of: int, classes: int
) -> Weighted:
    """Share of the items of a class that are found.

    Args:
        predicted: Class index of each answer, ``(n,)``.
        gold: Class index that would be right, ``(n,)``.
        of: Index of the class.
        classes: How many classes there are, C.

    Returns:
        The statistic, in [0, 1]; undefined where no item is of the class.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ.
    """
    claimed, present = _members(predicted, gold, of=of, classes=classes)
    return weighted_ratio(claimed * present, present)


def weighted_class_f1(predicted: ArrayLike, gold: ArrayLike, *, of: int, classes: int) -> Weighted:
    """Harmonic mean of the precision and the recall of a class.

    Args:
        predicted: Class index of each answer, ``(n,)``.
        gold: Class index that would be right, ``(n,)``.
        of: Index of the class.
        classes: How many classes there are, C.

    Returns:
        The statistic, in [0, 1]; undefined where the class neither occurs nor is answered.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ.
    """
    claimed, present = _members(predicted, gold, of=of, classes=classes)
    return weighted_ratio(2.0 * claimed * present, claimed + present)


def weighted_macro_f1(predicted: ArrayLike, gold: ArrayLike, *, classes: int) -> Weighted:
    """Mean of the F1 of the classes that occur or are answered.

    Args:
        predicted: Class index of each answer, ``(n,)``.
        gold: Class index that would be right, ``(n,)``.
        classes: How many classes there are, C.

    Returns:
        The statistic, in [0, 1]; undefined where all weights are zero.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ.
    """
    members = [_members(predicted, gold, of=of, classes=classes) for of in range(classes)]
    count = len(members[0][0])
    parts = [(2.0 * claimed * present, claimed + present) for claimed, present in members]

    def mean_f1(weights: Floats) -> Floats:
        checked_weights(weights, count=count)
        # Of the resample, too, a class counts only if it is there: its F1 is 0 / 0 otherwise
        found = np.array(
            [quotient(products(weights, a), products(weights, b)) for a, b in parts]
        )  # (C, B)
        known = ~np.isnan(found)
        return quotient(np.where(known, found, 0.0).sum(axis=0), known.sum(axis=0))

    return mean_f1


def _members(
    predicted: ArrayLike, gold: ArrayLike, *, of: int, classes: int
) -> tuple[Floats, Floats]:
    """Which answers have a class and which items are of it, each ``(n,)``, 0 and 1."""
    if not 0 <= of < classes:
        raise ValueError(f"`of` must lie in [0, {classes}), got {of}.")
    answers, right = checked_answers(predicted, gold, classes=classes)
    return (answers == of).astype(np.float64), (right == of).astype(np.float64)
