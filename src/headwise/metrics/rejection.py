"""What is gained by answering only where the score is high.

Items are answered in the order of falling scores. Items of one score have no order: each curve
here is the mean over all orders of such ties, so it does not depend on the order of the input.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from headwise.metrics import weighted_rows as rows
from headwise.metrics.inputs import Floats, checked_scores, same_length, unit_scaled
from headwise.metrics.metric import NO_ITEMS
from headwise.metrics.resampled import ResampledMetric, Statistic, Weighted
from headwise.metrics.weighted_rows import TieGroups


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskCoverage:
    """Risk of the answered items at each coverage.

    Attributes:
        coverage: Share of items that are answered, k/n for k = 1 to n, ``(n,)``.
        risk: Mean loss of the answered ones, ``(n,)``.
    """

    coverage: Floats
    risk: Floats


def risk_coverage_curve(scores: ArrayLike, losses: ArrayLike) -> RiskCoverage:
    """Mean loss of the k items with the highest scores, for each k.

    Args:
        scores: Scores, ``(n,)``, finite; items with high scores are answered first.
        losses: Loss of each item, such as 1 for a wrong and 0 for a right one, ``(n,)``, finite.

    Returns:
        The curve, one point for each k; no points for no items.

    Raises:
        ValueError: If an argument is not a flat sequence of finite numbers, or the lengths differ.

    References:
        El-Yaniv & Wiener 2010, JMLR 11; Geifman & El-Yaniv 2017, arXiv 1705.08500.
    """
    values = checked_scores(scores, name="scores")
    scaled, exponent = unit_scaled(checked_scores(losses, name="losses"))
    count = same_length(scores=values, losses=scaled)
    return RiskCoverage(
        coverage=np.arange(1, count + 1) / count if count else np.empty(0),
        risk=np.ldexp(_answered_means(values, scaled), exponent),
    )


@ResampledMetric
def risk_coverage_area(scores: ArrayLike, losses: ArrayLike) -> Statistic:
    """Area under the risk-coverage curve: the mean of the risk over k = 1 to n.

    Args:
        scores: Scores, ``(n,)``, finite; items with high scores are answered first.
        losses: Loss of each item, such as 1 for a wrong and 0 for a right one, ``(n,)``, finite.

    Returns:
        The area ``aurc`` in the unit of the losses, lower is better; scores of chance reach the
        mean loss. Undefined if there are no items.

    Raises:
        ValueError: If an argument is not a flat sequence of finite numbers, or the lengths differ.

    References:
        Geifman, Uziel & El-Yaniv 2019, arXiv 1805.08206.
    """
    values = checked_scores(scores, name="scores")
    scaled, exponent = unit_scaled(checked_scores(losses, name="losses"))
    count = same_length(scores=values, losses=scaled)
    area_above_mean = _area_above_mean(values, scaled)

    def area(weights: Floats) -> Floats:
        items = rows.totals(weights)
        means = rows.quotient(rows.products(weights, scaled), items)
        return np.ldexp(means + rows.quotient(area_above_mean(weights), items), exponent)

    return Statistic(
        name="aurc",
        values=area,
        count=count,
        reason=None if count else NO_ITEMS,
        higher_is_better=False,
    )


@ResampledMetric
def rejection_ratio(scores: ArrayLike, quality: ArrayLike) -> Statistic:
    """How far rejecting low scores gets from chance to rejecting low quality.

    With Q(k) the mean quality of the k items with the highest scores, the area under the
    rejection curve is A = (Q(1) + ... + Q(n)) / n. The ratio is (A - R) / (O - R), where O is the
    area if the quality itself is the score, and R, the mean quality of all items, is the expected
    area of random scores. Rejected items are left out of the mean, as in LM-Polygraph; Malinin et
    al. count them as corrected instead, which weights high coverage more.

    Args:
        scores: Scores, ``(n,)``, finite; items with low scores are rejected first.
        quality: Gold quality of each item, ``(n,)``, finite, higher is better.

    Returns:
        The prediction-rejection ratio ``prr``: 1 for the oracle, 0 for chance, and below 0
        without a lower bound for scores that are worse than chance. Undefined for fewer than two
        items, and if the quality is constant.

    Raises:
        ValueError: If an argument is not a flat sequence of finite numbers, or the lengths differ.

    References:
        Malinin, Ragni, Knill & Gales 2017, ACL (short papers); Vashurin et al. 2025,
        TACL 13, arXiv 2406.15627 (this form).
    """
    values = checked_scores(scores, name="scores")
    scaled, _ = unit_scaled(checked_scores(quality, name="quality"))
    count = same_length(scores=values, quality=scaled)
    reason = None
    if count < 2:
        reason = f"Rejection needs at least two items, got {count}."
    elif not np.ptp(scaled):
        reason = "All items have the same quality."
    # Offset and scale cancel, and a common offset would cost digits
    deviation = unit_scaled(scaled - scaled.mean())[0] if count else scaled
    area_above_mean = _area_above_mean(values, deviation)
    best_above_mean = _area_above_mean(scaled, deviation)

    def gain(weights: Floats) -> Floats:
        gained, possible = area_above_mean(weights), best_above_mean(weights)
        # Rounding could lift scores as good as the oracle above it
        return np.minimum(1.0, rows.quotient(gained, possible))

    return Statistic(name="prr", values=gain, count=count, reason=reason)


def _answered_means(scores: Floats, values: Floats) -> Floats:
    """Expected mean value of the k items with the highest scores, for each k, ``(n,)``."""
    # The values as second key: rounding does not depend on the order of the input either
    order = np.lexsort((values, -scores))
    _, first, tied = np.unique(-scores[order], return_index=True, return_counts=True)
    # Over all orders of a tie, each of its places holds the mean of the tie
    expected = np.repeat(np.add.reduceat(values[order], first) / tied, tied)
    return np.divide(np.cumsum(expected), np.arange(1, len(values) + 1))


def _area_above_mean(scores: Floats, values: Floats) -> Weighted:
    """Area under the means of the answered, less the mean of all, times the number of items.

    Of items in the order of falling scores, let a tie of weight w and mean value m follow items of
    weight k whose values add up to s. The mean of the answered at its places is m + (s - k m) / j
    for j = k + 1 to k + w, so the tie adds w m + (s - k m) (H(k + w) - H(k)) to the sum over all
    places, with harmonic numbers H. Less the mean of all items, the area is the second term alone.
    """
    ties = TieGroups.of(-scores)
    ordered_values = values[ties.order]
    usual = _harmonic_numbers(len(scores))

    def area(weights: Floats) -> Floats:
        ordered = rows.gathered(weights, ties.order)
        weight = ties.sums(ordered)  # (B, U)
        value = ties.sums(ordered * ordered_values)
        answered = rows.running_sums(weight)
        total = int(answered[:, -1].max(initial=0.0)) if answered.size else 0
        harmonic = usual if total < len(usual) else _harmonic_numbers(total)
        steps = np.empty_like(answered)
        for row, into in zip(answered, steps, strict=True):
            np.take(harmonic, row.astype(np.intp), out=into, mode="clip")
            into[1:] -= into[:-1].copy()
        before = rows.running_sums(value)
        before -= value
        answered -= weight
        # A tie that was not drawn has no mean, but no step either
        value /= np.maximum(weight, 1.0, out=weight)
        value *= answered
        before -= value
        return rows.products(before, steps)

    return area


def _harmonic_numbers(count: int) -> Floats:
    return np.concatenate(([0.0], np.cumsum(1.0 / np.arange(1, count + 1))))
