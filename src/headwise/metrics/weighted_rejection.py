"""Metrics of weighted items under rejection of low scores.

Of items in the order of falling scores, let a tie of weight w and mean value m follow items of
weight k whose values add up to s. The mean of the answered at its places is m + (s - k m) / j for
j = k + 1 to k + w, so the tie adds w m + (s - k m) (H(k + w) - H(k)) to the sum over all places,
with harmonic numbers H. Less the mean of all items, the area is the second term alone.
"""

import numpy as np
from numpy.typing import ArrayLike

from headwise.metrics.inputs import Floats, checked_scores, same_length, unit_scaled
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


def weighted_risk_coverage_area(scores: ArrayLike, losses: ArrayLike) -> Weighted:
    """Area under the risk-coverage curve.

    Args:
        scores: The signal, ``(n,)``, finite; items with high scores are answered first.
        losses: Loss of each item, ``(n,)``, finite.

    Returns:
        The statistic, in the unit of the losses, lower is better; undefined where all weights are
        zero.

    Raises:
        ValueError: If the numbers are not flat, finite and equally many.

    References:
        Geifman, Uziel & El-Yaniv 2019, arXiv 1805.08206, section 3.
    """
    values = checked_scores(scores, name="scores")
    scaled, exponent = unit_scaled(checked_scores(losses, name="losses"))
    count = same_length(scores=values, losses=scaled)
    area_above_mean = _area_above_mean(values, scaled)

    def area(weights: Floats) -> Floats:
        checked_weights(weights, count=count)
        items = totals(weights)
        means = quotient(products(weights, scaled), items)
        return np.ldexp(means + quotient(area_above_mean(weights), items), exponent)

    return area


def weighted_rejection_ratio(scores: ArrayLike, quality: ArrayLike) -> Weighted:
    """Prediction-rejection ratio, as `rejection_ratio` defines it.

    Args:
        scores: The signal, ``(n,)``, finite; items with low scores are rejected first.
        quality: Gold quality of each item, ``(n,)``, finite, higher is better.

    Returns:
        The statistic, at most 1; undefined where the quality is constant.

    Raises:
        ValueError: If the numbers are not flat, finite and equally many.

    References:
        Malinin, Ragni, Knill & Gales 2017, ACL (short papers), section 3; Vashurin et al. 2025,
        TACL 13, arXiv 2406.15627 (this form).
    """
    values = checked_scores(scores, name="scores")
    scaled, _ = unit_scaled(checked_scores(quality, name="quality"))
    count = same_length(scores=values, quality=scaled)
    # Offset and scale cancel, and a common offset would cost digits
    deviation = unit_scaled(scaled - scaled.mean())[0] if count else scaled
    area_above_mean = _area_above_mean(values, deviation)
    best_above_mean = _area_above_mean(scaled, deviation)

    def ratio(weights: Floats) -> Floats:
        checked_weights(weights, count=count)
        return np.minimum(1.0, quotient(area_above_mean(weights), best_above_mean(weights)))

    return ratio


def _area_above_mean(scores: Floats, values: Floats) -> Weighted:
    """Area under the means of the answered, less the mean of all, times the number of items."""
    ties = TieGroups.of(-scores)
    ordered_values = values[ties.order]
    usual = _harmonic_numbers(len(scores))

    def area(weights: Floats) -> Floats:
        ordered = gathered(weights, ties.order)
        weight = ties.sums(ordered)  # (B, U)
        value = ties.sums(ordered * ordered_values)
        answered = running_sums(weight)
        total = int(answered[:, -1].max(initial=0.0)) if answered.size else 0
        harmonic = usual if total < len(usual) else _harmonic_numbers(total)
        steps = np.empty_like(answered)
        for row, into in zip(answered, steps, strict=True):
            np.take(harmonic, row.astype(np.intp), out=into, mode="clip")
            into[1:] -= into[:-1].copy()
        before = running_sums(value)
        before -= value
        answered -= weight
        # A tie that was not drawn has no mean, but no step either
        value /= np.maximum(weight, 1.0, out=weight)
        value *= answered
        before -= value
        return products(before, steps)

    return area


def _harmonic_numbers(count: int) -> Floats:
    return np.concatenate(([0.0], np.cumsum(1.0 / np.arange(1, count + 1))))
