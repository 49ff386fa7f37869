"""One number from the values of several tokens."""

import math
import statistics
from collections.abc import Sequence
from enum import StrEnum
from typing import assert_never

from headwise.data.records.signals import Signal


class Aggregation(StrEnum):
    """How the values of several tokens become one."""

    MEAN = "mean"
    MIN = "min"
    PRODUCT = "product"
    GEOMETRIC_MEAN = "geometric_mean"
    MEDIAN = "median"
    NOISY_OR = "noisy_or"

    def is_defined_for(self, signal: Signal) -> bool:
        """Whether the signal's values can be combined this way.

        Products want probabilities of being right, ``noisy_or`` wants probabilities of being
        wrong.
        """
        match self:
            case Aggregation.PRODUCT | Aggregation.GEOMETRIC_MEAN:
                return signal.is_probability and signal.higher_is_better
            case Aggregation.NOISY_OR:
                return signal.is_probability and not signal.higher_is_better
            case Aggregation.MEAN | Aggregation.MIN | Aggregation.MEDIAN:
                return True
            case _:
                assert_never(self)


def aggregate(values: Sequence[float], how: Aggregation | str, *, signal: Signal) -> float | None:
    """Combine the values of several tokens into one.

    Args:
        values: One value a token.
        how: ``mean``, ``min`` (the worst token: the largest value where lower is better),
            ``median``, ``product`` or ``geometric_mean`` (both for probabilities of being right),
            or ``noisy_or`` (for probabilities of being wrong: ``1 - prod(1 - p)``, that of at
            least one error if errors are independent).
        signal: What the values are.

    Returns:
        The combined value, or ``None`` for no values.

    Raises:
        ValueError: If ``how`` is unknown, or is not defined for the signal.
    """
    try:
        how = Aggregation(how)
    except ValueError:
        raise ValueError(f"`how` must be one of {', '.join(Aggregation)}, got {how!r}.") from None
    if not how.is_defined_for(signal):
        kind = "wrong" if how is Aggregation.NOISY_OR else "right"
        defined = ", ".join(one for one in Signal if how.is_defined_for(one))
        possible = ", ".join(one for one in Aggregation if one.is_defined_for(signal))
        raise ValueError(
            f"`{how}` is defined for probabilities of being {kind} ({defined}), not for "
            f"`{signal}`; use one of {possible}."
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
        case Aggregation.NOISY_OR:
            return 1.0 - math.prod(1.0 - value for value in values)
        case _:
            assert_never(how)
