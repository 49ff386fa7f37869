"""The names of the per-token signals, and how the values of several tokens become one."""

import math
import statistics
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar, assert_never

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_Values = TypeVar("_Values", "float", "NDArray[np.float64]")

DEFAULT_THRESHOLD = 0.5
"""The confidence below which something is to be checked, where no calibration says another one."""


class Signal(StrEnum):
    """A number that says something about one token of a hypothesis.

    Attributes:
        SIGMOID: The Sigmoid Head's score of the token, in (0, 1).
        SOFTMAX: The language model's probability of the token, in [0, 1].
        LOGPROB: Its natural logarithm, at most 0.
        ENTROPY: Entropy of the language model's next-token distribution, in nats.
        BOOSTED: BoostedProb: a dominant token is credited with the mass of all dominant tokens.
        RANK: The token's place in the language model's distribution; 1 is the most probable.
        QUALITY: The calibrated probability that the token is right, in (0, 1).
        ERROR: The error head's probability that the token is wrong, in [0, 1].
        OMISSION: Its probability that something is missing in the gap after the token, in [0, 1];
            ``None`` where the model has read nothing that could follow the gap.

    References:
        Dinh & Niehues 2026, arXiv 2601.00680 (sigmoid); 2025, arXiv 2502.11115 (boosted).
    """

    SIGMOID = "sigmoid"
    SOFTMAX = "softmax"
    LOGPROB = "logprob"
    ENTROPY = "entropy"
    BOOSTED = "boosted"
    RANK = "rank"
    QUALITY = "quality"
    ERROR = "error"
    OMISSION = "omission"

    @property
    def higher_is_better(self) -> bool:
        """Whether a larger value speaks for the token."""
        return self not in (Signal.ENTROPY, Signal.RANK, Signal.ERROR, Signal.OMISSION)

    @property
    def is_probability(self) -> bool:
        """Whether the values are probabilities: of being right, or where lower is better, wrong."""
        return self not in (Signal.LOGPROB, Signal.ENTROPY, Signal.RANK)

    @property
    def needs_vocabulary(self) -> bool:
        """Whether the language model's own output layer has to run.

        ``quality`` needs what the signal needs that it was calibrated on. An error head with
        statistics among its inputs needs them all the same.
        """
        return self in (
            Signal.SOFTMAX,
            Signal.LOGPROB,
            Signal.ENTROPY,
            Signal.BOOSTED,
            Signal.RANK,
        )

    @property
    def needs_error_head(self) -> bool:
        """Whether the values come from an error head."""
        return self in (Signal.ERROR, Signal.OMISSION)

    def oriented(self, values: _Values) -> _Values:
        """Values, of any shape, turned round where low is good, so that high speaks for the text.

        Returns:
            ``1 - values`` for a probability of being wrong, which makes it one of being right;
            ``-values`` for other signals of which lower is better; otherwise the values.
        """
        if self.higher_is_better:
            return values
        return 1.0 - values if self.is_probability else -values

    def confidence(self, value: float | None) -> float | None:
        """Map a value onto the scale of all thresholds: 0 is suspicious, 1 is not.

        Probabilities of being right stay as they are, ``logprob`` becomes the probability
        ``exp(x)``, ``entropy`` the inverse perplexity ``exp(-x)``, ``rank`` its reciprocal ``1/x``,
        ``error`` and ``omission`` become ``1 - x``. Each map keeps or reverses the order. In
        [0, 1], with the four decimals that views show; ``None`` for ``None`` and NaN.

        Args:
            value: A value of this signal; ``None`` where it is not known.
        """
        if value is None or math.isnan(value):
            return None
        if self in _RIGHT:  # most values that are looked at
            return round(min(max(value, 0.0), 1.0), 4)
        match self:
            case Signal.LOGPROB:
                value = math.exp(min(value, 0.0))
            case Signal.ENTROPY:
                value = math.exp(-max(value, 0.0))
            case Signal.RANK:
                value = 1.0 / max(value, 1.0)
            case _:
                value = self.oriented(value)
        return round(min(max(value, 0.0), 1.0), 4)


# Probabilities of being right, which are their own confidence
_RIGHT = frozenset({Signal.QUALITY, Signal.SIGMOID, Signal.SOFTMAX, Signal.BOOSTED})


def parse_signals(names: Iterable[str]) -> tuple[Signal, ...]:
    """Turn names into signals, keeping their order and dropping repetitions.

    Args:
        names: Names such as ``softmax``.

    Raises:
        ValueError: If there is no name, or a name is not a signal's.
    """
    if isinstance(names, str):
        names = names.split(",")
    try:
        signals = tuple(dict.fromkeys(Signal(str(name).strip()) for name in names))
    except ValueError as error:
        raise ValueError(f"{error}; choose from {', '.join(Signal)}.") from None
    if not signals:
        raise ValueError(f"No signal was asked for; choose from {', '.join(Signal)}.")
    return signals


class Aggregation(StrEnum):
    """How the values of several tokens become one.

    A mean says nothing of how much text there is, a sum or a product says little else, though a
    long text has more places to be wrong in. ``root_length`` lies between them: a sum over the
    square root of the number of tokens, as beam search does with a length penalty of 0.5; of
    probabilities of being right, their logarithms are summed.

    References:
        Wu et al. 2016, arXiv 1609.08144, Eq. 14 (length normalisation of log-probabilities).
    """

    MEAN = "mean"
    MIN = "min"
    PRODUCT = "product"
    GEOMETRIC_MEAN = "geometric_mean"
    MEDIAN = "median"
    NOISY_OR = "noisy_or"
    ROOT_LENGTH = "root_length"

    def is_defined_for(self, signal: Signal) -> bool:
        """Whether the signal's values can be combined this way.

        Products want probabilities of being right, ``noisy_or`` wants probabilities of being
        wrong, and ranks are no sums of anything.

        Args:
            signal: The signal whose values are to be combined.
        """
        match self:
            case Aggregation.PRODUCT | Aggregation.GEOMETRIC_MEAN:
                return signal.is_probability and signal.higher_is_better
            case Aggregation.NOISY_OR:
                return signal.is_probability and not signal.higher_is_better
            case Aggregation.ROOT_LENGTH:
                return signal is not Signal.RANK
            case Aggregation.MEAN | Aggregation.MIN | Aggregation.MEDIAN:
                return True
            case _:
                assert_never(self)


_RIGHT_ONES = "probabilities of being right"
_KINDS = {
    Aggregation.PRODUCT: _RIGHT_ONES,
    Aggregation.GEOMETRIC_MEAN: _RIGHT_ONES,
    Aggregation.NOISY_OR: "probabilities of being wrong",
    Aggregation.ROOT_LENGTH: "what can be summed",
}


def aggregate(values: Sequence[float], how: Aggregation | str, *, signal: Signal) -> float | None:
    """Combine values of several tokens, one a token, into one; ``None`` for no values.

    Args:
        values: One value a token.
        how: ``mean``, ``min`` (the worst token: the largest value where lower is better),
            ``median``, ``product`` or ``geometric_mean`` (both for probabilities of being right),
            ``noisy_or`` (for probabilities of being wrong: ``1 - prod(1 - p)``, that of at
            least one error if errors are independent), or ``root_length`` (``prod(p)`` of n
            probabilities of being right to the power of ``1 / sqrt(n)``, one minus that of
            probabilities of being wrong, the sum over ``sqrt(n)`` of other values but ranks).
        signal: What the values are.

    Raises:
        ValueError: If ``how`` is unknown, or is not defined for the signal.
    """
    try:
        how = Aggregation(how)
    except ValueError:
        raise ValueError(f"`how` must be one of {', '.join(Aggregation)}, got {how!r}.") from None
    if not how.is_defined_for(signal):
        defined = ", ".join(one for one in Signal if how.is_defined_for(one))
        possible = ", ".join(one for one in Aggregation if one.is_defined_for(signal))
        raise ValueError(
            f"`{how}` is defined for {_KINDS[how]} ({defined}), not for `{signal}`; use one of "
            f"{possible}."
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
        case Aggregation.ROOT_LENGTH:
            return _over_root_of_length(values, signal)
        case _:
            assert_never(how)


def _over_root_of_length(values: Sequence[float], signal: Signal) -> float:
    root = math.sqrt(len(values))
    if not signal.is_probability:
        return math.fsum(values) / root
    right = [signal.oriented(value) for value in values]
    total = math.fsum(map(math.log, right)) if min(right) > 0.0 else -math.inf
    return signal.oriented(math.exp(total / root))


def values_of(tokens: Iterable[object], signal: Signal) -> list[float]:
    """The values of a signal that tokens have, in order; ``omission`` may be unknown at the end.

    Args:
        tokens: Scored tokens, or anything with the names of signals as attributes.
        signal: Which value of each.
    """
    return [value for token in tokens if (value := getattr(token, signal)) is not None]
