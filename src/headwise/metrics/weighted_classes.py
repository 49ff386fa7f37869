"""Metrics of classes under weights: what a bootstrap of a classifier's answers evaluates."""

import numpy as np
from numpy.typing import ArrayLike

from headwise.metrics.classification import checked_answers
from headwise.metrics.inputs import Floats
from headwise.metrics.weighted_rows import Weighted, checked_weights, products, quotient
from headwise.metrics.weighted_sums import weighted_ratio


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
