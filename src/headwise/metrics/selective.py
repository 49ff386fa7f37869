"""How good a classifier's answers are where it gives one, and abstains from the others."""

import math

import numpy as np
from numpy.typing import ArrayLike

from headwise.metrics.inputs import (
    Bools,
    Floats,
    checked_labels,
    checked_scores,
    same_length,
)
from headwise.metrics.metric import NO_ITEMS, Metric, undefined
from headwise.metrics.rejection import risk_coverage_curve
from headwise.metrics.resampled import (
    TieGroups,
    Weighted,
    checked_weights,
    gathered,
    quotient,
    running_sums,
)

# 0.8 * 15 is 12.000000000000002, and no reason to answer 13
_ROUNDING = 1e-12


def selective_accuracy(scores: ArrayLike, correct: ArrayLike, *, coverage: float) -> Metric:
    """Accuracy where only the highest scores are answered.

    Answered are the fewest items that make up the coverage, ``ceil(coverage * n)``. Where they
    end within a tie, it is the expected accuracy over all orders of that tie.

    Args:
        scores: Scores, ``(n,)``, finite; items with high scores are answered first.
        correct: Whether the answer to each item would be right, ``(n,)``, booleans or 0 and 1.
        coverage: Share of items to answer, in (0, 1].

    Returns:
        ``selective_accuracy_<percent>`` in [0, 1]; undefined if there are no items.

    Raises:
        ValueError: If ``coverage`` is out of range, an argument is not flat or holds other
            values, or the lengths differ.

    References:
        Geifman & El-Yaniv 2017, arXiv 1705.08500, section 2.
    """
    name = selective_accuracy_name(coverage)
    values, labels = _checked(scores, correct)
    count = len(labels)
    if not count:
        return undefined(name, NO_ITEMS, count=0)
    risk = risk_coverage_curve(values, ~labels).risk[answered_count(count, coverage) - 1]
    return Metric(name=name, value=1.0 - float(risk), count=count)


def weighted_selective_accuracy(
    scores: ArrayLike, correct: ArrayLike, *, coverage: float
) -> Weighted:
    """Accuracy where only the highest scores are answered, of weighted items.

    Args:
        scores: Scores, ``(n,)``, finite.
        correct: Whether the answer to each item would be right, ``(n,)``, booleans or 0 and 1.
        coverage: Share of items to answer, in (0, 1].

    Returns:
        The statistic, in [0, 1]; undefined where all weights are zero.

    Raises:
        ValueError: If ``coverage`` is out of range, an argument is not flat or holds other
            values, or the lengths differ.
    """
    selective_accuracy_name(coverage)  # refuses what is no coverage
    values, labels = _checked(scores, correct)
    count = len(labels)
    ties = TieGroups.of(-values)
    right = labels[ties.order].astype(np.float64)

    def accuracy(weights: Floats) -> Floats:
        checked_weights(weights, count=count)
        ordered = gathered(weights, ties.order)
        items = running_sums(ties.sums(ordered))  # (B, U)
        ordered *= right
        hits = running_sums(ties.sums(ordered))
        found, wanted = np.zeros(len(weights)), np.zeros(len(weights))
        for row, (seen, good) in enumerate(zip(items, hits, strict=True)):
            if not len(seen) or not seen[-1]:
                continue
            wanted[row] = answered_count(round(seen[-1]), coverage)
            last = int(np.searchsorted(seen, wanted[row]))
            before, good_before = (seen[last - 1], good[last - 1]) if last else (0.0, 0.0)
            of_tie = (good[last] - good_before) / (seen[last] - before)
            found[row] = good_before + (wanted[row] - before) * of_tie
        return quotient(found, wanted)

    return accuracy


def answered_share(answered: ArrayLike) -> Metric:
    """Share of items that are answered.

    Args:
        answered: Which items are answered, ``(n,)``, booleans or 0 and 1.

    Returns:
        ``coverage`` in [0, 1]; undefined if there are no items.

    Raises:
        ValueError: If the argument is not flat or holds other values.
    """
    given = checked_labels(answered, name="answered")
    if not len(given):
        return undefined("coverage", NO_ITEMS, count=0)
    return Metric(name="coverage", value=float(given.mean()), count=len(given))


def answer_accuracy(answered: ArrayLike, correct: ArrayLike) -> Metric:
    """Share of the answers that are right.

    Args:
        answered: Which items are answered, ``(n,)``, booleans or 0 and 1.
        correct: Whether the answer to each item would be right, ``(n,)``, likewise.

    Returns:
        ``selective_accuracy`` in [0, 1]; undefined if nothing is answered.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ.
    """
    return _of_answers("selective_accuracy", answered, correct)


def answer_risk(answered: ArrayLike, correct: ArrayLike) -> Metric:
    """Share of the answers that are wrong.

    Args:
        answered: Which items are answered, ``(n,)``, booleans or 0 and 1.
        correct: Whether the answer to each item would be right, ``(n,)``, likewise.

    Returns:
        ``selective_risk`` in [0, 1], lower is better; undefined if nothing is answered.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ.

    References:
        Geifman & El-Yaniv 2017, arXiv 1705.08500, section 2.
    """
    return _of_answers("selective_risk", answered, correct)


def _of_answers(name: str, answered: ArrayLike, correct: ArrayLike) -> Metric:
    given = checked_labels(answered, name="answered")
    labels = checked_labels(correct, name="correct")
    count = same_length(answered=given, correct=labels)
    higher = name == "selective_accuracy"
    if not given.any():
        reason = "Nothing is answered." if count else NO_ITEMS
        return undefined(name, reason, count=count, higher_is_better=higher)
    value = float((labels if higher else ~labels)[given].mean())
    return Metric(name=name, value=value, count=count, higher_is_better=higher)


def answered_count(count: int, coverage: float) -> int:
    """The fewest items that make up a coverage.

    Args:
        count: How many items there are.
        coverage: Share of them to answer at least, in (0, 1].
    """
    return min(count, math.ceil(coverage * count * (1.0 - _ROUNDING)))


def selective_accuracy_name(coverage: float) -> str:
    """What the metric is called at a coverage: ``selective_accuracy_80``.

    Raises:
        ValueError: If ``coverage`` is not in (0, 1].
    """
    if not 0.0 < coverage <= 1.0:
        raise ValueError(f"`coverage` must lie in (0, 1], got {coverage}.")
    return f"selective_accuracy_{100 * coverage:g}"


def _checked(scores: ArrayLike, correct: ArrayLike) -> tuple[Floats, Bools]:
    values = checked_scores(scores, name="scores")
    labels = checked_labels(correct, name="correct")
    same_length(scores=values, correct=labels)
    return values, labels
