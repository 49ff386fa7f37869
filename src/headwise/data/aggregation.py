"""One number from the values of several tokens."""

import math
import statistics
from collections.abc import Sequence
from enum import StrEnum
from typing import assert_never

from headwise.data.signals import Signal


class Aggregation(StrEnum):
    """How the values of several tokens become one."""

    MEAN = "mean"
    MIN = "min"
    PRODUCT = "product"
    GEOMETRIC_MEAN = "geometric_mean"
    MEDIAN = "median"

    def is_defined_for(self, signal: Signal) -> bool:
        """Whether the signal's values can be combined this way: products want probabilities."""
        products = (Aggregation.PRODUCT, Aggregation.GEOMETRIC_MEAN)
        return self not in products or signal.is_probability


def aggregate(values: Sequence[float], how: Aggregation | str, *, signal: Signal) -> float | None:
    """Combine the values of several tokens into one.

    Args:
        values: One value a token.
        how: ``mean``, ``min`` (the worst token: for ``entropy`` and ``rank`` the largest value),
            ``product``, ``geometric_mean`` (both for probabilities only) or ``median``.
        signal: What the values are.

    Returns:
        The combined value, or ``None`` for no values.

    Raises:
        ValueError: If ``how`` is unknown, or a product of something else than probabilities is
            asked for.
    """
    try:
        how = Aggregation(how)
    except ValueError:
        raise ValueError(f"`how` must be one of {', '.join(Aggregation)}, got {how!r}.") from None
    if not how.is_defined_for(signal):
        raise ValueError(
            f"`{how}` is defined for probabilities (sigmoid, softmax, boosted, quality), not for "
            f"`{signal}`; use mean, min or median."
        )
    if not values:
        return None
    match how:
        case Aggregation.MEAN:
            return math.fsum(values) / len(values)
        case Aggregation.MIN:
            return min(values) if signal.higher_is_better else max(values)
        case Aggregation.PRODUCT:
            return math.prod(values)
        case Aggregation.GEOMETRIC_MEAN:
            if min(values) <= 0.0:
                return 0.0
            return math.exp(math.fsum(map(math.log, values)) / len(values))
        case Aggregation.MEDIAN:
            return statistics.median(values)
        case _:
            assert_never(how)
