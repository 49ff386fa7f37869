"""Metrics of weighted items that follow from sums over the items."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from headwise.metrics.inputs import (
    Floats,
    checked_labels,
    checked_scores,
    same_length,
    unit_scaled,
)
from headwise.metrics.weighted_rows import (
    Weighted,
    checked_weights,
    products,
    quotient,
    totals,
)

# A variance that is a smaller share of the squares than this has lost six of its 16 digits
_CANCELLED = 1e-6
# As in `correlation`: less than this share of the largest value is rounding
_ROUNDING = 1e-13


def weighted_mean(values: ArrayLike) -> Weighted:
    """Mean of numbers.

    Args:
        values: Numbers, ``(n,)``, finite.

    Returns:
        The statistic; undefined where all weights are zero.

    Raises:
        ValueError: If the numbers are not flat and finite.
    """
    numbers = checked_scores(values, name="values")
    return weighted_ratio(numbers, np.ones(len(numbers)))


def weighted_ratio(numerators: ArrayLike, denominators: ArrayLike) -> Weighted:
    """Ratio of two sums, such as a micro-averaged precision: true positives over predictions.

    Args:
        numerators: What each item adds above, ``(n,)``, finite.
        denominators: What each item adds below, ``(n,)``, finite.

    Returns:
        The statistic; undefined where the lower sum is zero.

    Raises:
        ValueError: If the numbers are not flat, finite and equally many.
    """
    above, up = unit_scaled(checked_scores(numerators, name="numerators"))
    below, down = unit_scaled(checked_scores(denominators, name="denominators"))
    count = same_length(numerators=above, denominators=below)

    def ratio(weights: Floats) -> Floats:
        checked_weights(weights, count=count)
        return np.ldexp(quotient(products(weights, above), products(weights, below)), up - down)

    return ratio


def weighted_pearson(scores: ArrayLike, gold: ArrayLike) -> Weighted:
    """Pearson's correlation.

    Args:
        scores: The signal, ``(n,)``, finite.
        gold: What it should follow, ``(n,)``, finite.

    Returns:
        The statistic, in [-1, 1]; undefined where either side is constant up to rounding.

    Raises:
        ValueError: If the numbers are not flat, finite and equally many.
    """
    first = checked_scores(scores, name="scores")
    second = checked_scores(gold, name="gold")
    count = same_length(scores=first, gold=second)
    scaled_x, scaled_y = unit_scaled(first)[0], unit_scaled(second)[0]
    x, y = _centred(scaled_x), _centred(scaled_y)
    terms = (x, y, x * x, y * y, x * y)

    def in_two_passes(weights: Floats) -> float:
        drawn = weights > 0
        sides = []
        for values in (scaled_x[drawn], scaled_y[drawn]):
            if not len(values) or np.ptp(values) <= _ROUNDING * np.abs(values).max():
                return np.nan
            centred = values - np.average(values, weights=weights[drawn])
            sides.append(centred / np.abs(centred).max())
        a, b = sides
        together, a_spread, b_spread = (
            float((weights[drawn] * term).sum()) for term in (a * b, a * a, b * b)
        )
        return together / float(np.sqrt(a_spread) * np.sqrt(b_spread))

    def pearson(weights: Floats) -> Floats:
        checked_weights(weights, count=count)
        items = totals(weights)
        x_mean, y_mean, xx, yy, xy = (quotient(products(weights, term), items) for term in terms)
        x_spread, y_spread = xx - x_mean**2, yy - y_mean**2
        spread = np.sqrt(np.maximum(x_spread, 0)) * np.sqrt(np.maximum(y_spread, 0))
        values = quotient(xy - x_mean * y_mean, spread)
        # Rare: all the spread was in items that were not drawn
        kept = (x_spread > _CANCELLED * xx) & (y_spread > _CANCELLED * yy)
        for row in np.flatnonzero(~kept):
            values[row] = in_two_passes(weights[row])
        return np.clip(values, -1.0, 1.0)

    return pearson


def _centred(values: Floats) -> Floats:
    # Squares of deviations must neither cancel, as beside a common offset, nor underflow
    if not len(values):
        return values
    return unit_scaled(values - values.mean())[0]


def weighted_matthews(flagged: ArrayLike, wrong: ArrayLike) -> Weighted:
    """Matthews correlation of what is flagged and what is wrong.

    Args:
        flagged: Which items are flagged, ``(n,)``, booleans or 0 and 1.
        wrong: Which items are wrong, ``(n,)``, likewise.

    Returns:
        The statistic, in [-1, 1]; undefined where all items or none are flagged or wrong.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ.
    """
    flags = checked_labels(flagged, name="flagged")
    errors = checked_labels(wrong, name="wrong")
    count = same_length(flagged=flags, wrong=errors)
    columns = [column.astype(np.float64) for column in (flags, errors, flags & errors)]

    def matthews(weights: Floats) -> Floats:
        checked_weights(weights, count=count)
        items = totals(weights)
        marked, bad, caught = (products(weights, column) for column in columns)
        spread = np.sqrt(marked * (items - marked)) * np.sqrt(bad * (items - bad))
        return np.clip(quotient(caught * items - marked * bad, spread), -1.0, 1.0)

    return matthews


def weighted_f1(flagged: ArrayLike, wrong: ArrayLike, *, of: Literal["wrong", "right"]) -> Weighted:
    """F1 of finding the wrong items, or of leaving the right ones alone.

    Args:
        flagged: Which items are flagged, ``(n,)``, booleans or 0 and 1.
        wrong: Which items are wrong, ``(n,)``, likewise.
        of: Which class is the positive one.

    Returns:
        The statistic, in [0, 1]; undefined where the class neither occurs nor is claimed.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ; if
            there is no such class.
    """
    flags = checked_labels(flagged, name="flagged")
    errors = checked_labels(wrong, name="wrong")
    same_length(flagged=flags, wrong=errors)
    if of not in ("wrong", "right"):
        raise ValueError(f"`of` must be 'wrong' or 'right', got {of!r}.")
    claimed, present = (flags, errors) if of == "wrong" else (~flags, ~errors)
    return weighted_ratio(2.0 * (claimed & present), claimed.astype(np.float64) + present)
