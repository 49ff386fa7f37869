"""A metric is defined once, for weighted items; its plain value has weights of one.

A resample of n items is a vector of n weights: how often each item was drawn. A `Statistic` maps
many such vectors to the metric's values, as if items had been repeated; what it has to sort, it
sorts once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import update_wrapper
from typing import Generic, ParamSpec

import numpy as np
from numpy.typing import ArrayLike

from headwise.metrics.inputs import Floats, checked_scores, same_length, unit_scaled
from headwise.metrics.metric import NO_ITEMS, Metric
from headwise.metrics.weighted_rows import products, quotient

Weighted = Callable[[Floats], Floats]
"""Weights ``(B, n)``, whole numbers >= 0, to values ``(B,)``, NaN where undefined; float64."""


P = ParamSpec("P")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """A metric of certain items: of each counted once, or under the weights of resamples.

    Attributes:
        name: The metric.
        values: What it is under weights.
        count: How many items there are, n.
        reason: Why it is undefined where each item counts once; ``None`` if it is not.
        higher_is_better: Which way it points.
        counted: How many of the items the metric is about, if not all of them.
    """

    name: str
    values: Weighted
    count: int
    reason: str | None = None
    higher_is_better: bool = True
    counted: int | None = None

    def __call__(self, weights: Floats) -> Floats:
        """Values under weights: how often each item counts, ``(B, n)``, to ``(B,)``.

        Raises:
            ValueError: If there is not one weight for each item.
        """
        return self.values(checked_weights(weights, count=self.count))

    def metric(self) -> Metric:
        """The metric of the items, each counted once."""
        return Metric(
            name=self.name,
            value=None if self.reason else float(self(np.ones((1, self.count)))[0]),
            count=self.count if self.counted is None else self.counted,
            higher_is_better=self.higher_is_better,
            reason=self.reason,
        )


class ResampledMetric(Generic[P]):
    """A metric by its definition for weighted items.

    Called, it gives the `Metric` of the items, each counted once. Its ``weighted`` takes the same
    arguments and gives the `Statistic`, NaN where a resample leaves it undefined.

    Args:
        definition: Gives the `Statistic` of its arguments.
    """

    def __init__(self, definition: Callable[P, Statistic]) -> None:
        self.weighted = definition
        update_wrapper(self, definition)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Metric:
        """The metric of the items."""
        return self.weighted(*args, **kwargs).metric()


def checked_weights(weights: Floats, *, count: int) -> Floats:
    """Weights, of which there must be one for each of ``count`` items."""
    if weights.ndim != 2 or weights.shape[1] != count:
        raise ValueError(
            f"`weights` must have shape (B, {count}), one for each item, got {weights.shape}."
        )
    return weights


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


def mean(name: str, values: ArrayLike, *, higher_is_better: bool = True) -> Statistic:
    """A mean of numbers, ``(n,)``, undefined if there are none."""
    count = np.size(values)
    return Statistic(
        name=name,
        values=weighted_mean(values),
        count=count,
        reason=None if count else NO_ITEMS,
        higher_is_better=higher_is_better,
    )


def ratio(
    name: str,
    part: ArrayLike,
    whole: ArrayLike,
    *,
    reason: str,
    of_none: str = NO_ITEMS,
    higher_is_better: bool = True,
) -> Statistic:
    """What items add to a part over what they add to the whole, each ``(n,)`` and at least 0.

    ``reason`` says why there is no value if there are items but no whole; ``of_none``, if there
    are no items.
    """
    count = np.size(whole)
    return Statistic(
        name=name,
        values=weighted_ratio(part, whole),
        count=count,
        reason=None if np.any(whole) else reason if count else of_none,
        higher_is_better=higher_is_better,
    )
