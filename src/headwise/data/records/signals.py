"""The names of the per-token signals, and which way each of them points."""

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_Values = TypeVar("_Values", "float", "NDArray[np.float64]")


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
        """Values of this signal turned round where low is good, so that high speaks for the text.

        Args:
            values: A number, or an array of any shape.

        Returns:
            ``1 - values`` for a probability of being wrong, which makes it one of being right;
            ``-values`` for other signals of which lower is better; otherwise the values.
        """
        if self.higher_is_better:
            return values
        return 1.0 - values if self.is_probability else -values


def parse_signals(names: Iterable[str]) -> tuple[Signal, ...]:
    """Turn names into signals, keeping their order and dropping repetitions.

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
