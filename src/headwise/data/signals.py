"""The names of the per-token signals, and which way each of them points."""

from collections.abc import Iterable
from enum import StrEnum


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

    @property
    def higher_is_better(self) -> bool:
        """Whether a larger value speaks for the token."""
        return self not in (Signal.ENTROPY, Signal.RANK)

    @property
    def is_probability(self) -> bool:
        """Whether the values lie in [0, 1], so that products of them have a meaning."""
        return self in (Signal.SIGMOID, Signal.SOFTMAX, Signal.BOOSTED, Signal.QUALITY)

    @property
    def needs_vocabulary(self) -> bool:
        """Whether the language model's own output layer has to run.

        ``quality`` needs what the signal needs that it was calibrated on.
        """
        return self not in (Signal.SIGMOID, Signal.QUALITY)


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
