"""How good a classifier's answers are where it gives one, and abstains from the others."""

import math

import numpy as np
from numpy.typing import ArrayLike

from headwise.metrics import weighted_rows as rows
from headwise.metrics.inputs import Bools, Floats, checked_labels, checked_ranking, same_length
from headwise.metrics.metric import NO_ITEMS
from headwise.metrics.resampled import ResampledMetric, Statistic, mean, ratio
from headwise.metrics.weighted_rows import TieGroups

# 0.8 * 15 is 12.000000000000002, and no reason to answer 13
_ROUNDING = 1e-12


@ResampledMetric
def selective_accuracy(scores: ArrayLike, correct: ArrayLike, *, coverage: float) -> Statistic:
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
    values, labels = checked_ranking(scores, correct)
    ties = TieGroups.of(-values)
    right = labels[ties.order].astype(np.float64)

    def accuracy(weights: Floats) -> Floats:
        ordered = rows.gathered(weights, ties.order)
        items = rows.running_sums(ties.sums(ordered))  # (B, U)
        ordered *= right
        hits = rows.running_sums(ties.sums(ordered))
        found, wanted = np.zeros(len(weights)), np.zeros(len(weights))
        for row, (seen, good) in enumerate(zip(items, hits, strict=True)):
            # Nothing was drawn: 0 / 0 stays undefined
            if not len(seen) or not seen[-1]:
                continue
            wanted[row] = answered_count(round(seen[-1]), coverage)
            last = int(np.searchsorted(seen, wanted[row]))
            before, good_before = (seen[last - 1], good[last - 1]) if last else (0.0, 0.0)
            of_tie = (good[last] - good_before) / (seen[last] - before)
            found[row] = good_before + (wanted[row] - before) * of_tie
        return rows.quotient(found, wanted)

    count = len(labels)
    return Statistic(name=name, values=accuracy, count=count, reason=None if count else NO_ITEMS)


@ResampledMetric
def answered_share(answered: ArrayLike) -> Statistic:
    """Share of items that are answered.

    Args:
        answered: Which items are answered, ``(n,)``, booleans or 0 and 1.

    Returns:
        ``coverage`` in [0, 1]; undefined if there are no items.

    Raises:
        ValueError: If the argument is not flat or holds other values.
    """
    return mean("coverage", checked_labels(answered, name="answered"))


@ResampledMetric
def answer_accuracy(answered: ArrayLike, correct: ArrayLike) -> Statistic:
    """Share of the answers that are right.

    Args:
        answered: Which items are answered, ``(n,)``, booleans or 0 and 1.
        correct: Whether the answer to each item would be right, ``(n,)``, likewise.

    Returns:
        ``selective_accuracy`` in [0, 1]; undefined if nothing is answered.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ.
    """
    given, right = _checked_answers(answered, correct)
    return ratio("selective_accuracy", given & right, given, reason=_NO_ANSWER)


@ResampledMetric
def answer_risk(answered: ArrayLike, correct: ArrayLike) -> Statistic:
    """Share of the answers that are wrong, ``selective_risk`` in [0, 1], lower is better.

    Arguments and errors are those of `answer_accuracy`; undefined if nothing is answered.

    References:
        Geifman & El-Yaniv 2017, arXiv 1705.08500, section 2.
    """
    given, right = _checked_answers(answered, correct)
    return ratio("selective_risk", given & ~right, given, reason=_NO_ANSWER, higher_is_better=False)


_NO_ANSWER = "Nothing is answered."


def _checked_answers(answered: ArrayLike, correct: ArrayLike) -> tuple[Bools, Bools]:
    given = checked_labels(answered, name="answered")
    right = checked_labels(correct, name="correct")
    same_length(answered=given, correct=right)
    return given, right


def answered_count(count: int, coverage: float) -> int:
    """The fewest of ``count`` items that make up a coverage in (0, 1]."""
    return min(count, math.ceil(coverage * count * (1.0 - _ROUNDING)))


def selective_accuracy_name(coverage: float) -> str:
    """What the metric is called at a coverage: ``selective_accuracy_80``.

    Raises:
        ValueError: If ``coverage`` is not in (0, 1].
    """
    if not 0.0 < coverage <= 1.0:
        raise ValueError(f"`coverage` must lie in (0, 1], got {coverage}.")
    return f"selective_accuracy_{100 * coverage:g}"
