"""Hypotheses of one source, best first."""

from collections.abc import Iterable

from headwise.data.records.scored import ScoredHypothesis
from headwise.data.records.signals import Aggregation


def worth(candidate: ScoredHypothesis, by: Aggregation | str = Aggregation.MEAN) -> float | None:
    """The main signal of a hypothesis as one number, the higher the better, if it has one."""
    number = candidate.aggregate(by)
    return None if number is None else candidate.signals[0].oriented(number)


def best_first(
    candidates: Iterable[ScoredHypothesis], *, by: Aggregation | str = Aggregation.MEAN
) -> list[ScoredHypothesis]:
    """Sort by the main signal; equal ones keep their order, those without a value come last.

    Of a text of one token that nothing closes, no ``omission`` is known.
    """

    def key(candidate: ScoredHypothesis) -> tuple[bool, float]:
        number = worth(candidate, by)
        return (False, 0.0) if number is None else (True, number)

    return sorted(candidates, key=key, reverse=True)
