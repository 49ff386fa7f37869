"""All signals as columns of numbers, each the higher the better: of texts, of words, of tokens."""

from dataclasses import dataclass

from scipy.stats import rankdata

from headwise.data.records.signals import Aggregation
from headwise.metrics.inputs import Floats

RANDOM, LENGTH = "random", "length"

DEFAULT_AGGREGATIONS = (
    Aggregation.MEAN,
    Aggregation.GEOMETRIC_MEAN,
    Aggregation.MEDIAN,
    Aggregation.MIN,
    Aggregation.NOISY_OR,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalColumn:
    """One signal of N items.

    Attributes:
        signal: Its name. Values of signals of which lower is better are turned round: those of
            ``-entropy`` and ``-rank`` by their sign; those of ``error`` and ``omission``, which
            are probabilities, by what they lack to 1.
        aggregation: How token values became one; ``None`` where nothing is aggregated.
        values: The higher the better, ``(N,)``, finite.
        is_probability: Whether the values claim to be probabilities of being right.
    """

    signal: str
    aggregation: str | None
    values: Floats
    is_probability: bool


def shares_below(values: Floats) -> Floats:
    """Share of the values below each, ties and itself counted half, ``(N,)``, in (0, 1)."""
    shares: Floats = (rankdata(values) - 0.5) / len(values)
    return shares


def plain_column(name: str, values: Floats) -> SignalColumn:
    """Values that nothing was aggregated to, and that are no probabilities."""
    return SignalColumn(signal=name, aggregation=None, values=values, is_probability=False)
