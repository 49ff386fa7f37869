"""Hypotheses of one source, best first."""

from collections.abc import Iterable

from headwise.data.records.scored import ScoredHypothesis
from headwise.data.records.signals import Aggregation


def worth(candidate: ScoredHypothesis, by: Aggregation | str | None = None) -> float | None:
    """A hypothesis as one number, the higher the better, if it has one.

    That is what its calibration ranks by, if that was computed; else, and with ``by``, its main
    signal, of which the mean is taken if ``by`` names nothing else.
    """
    if by is None and candidate.ranking_score is not None:
        return candidate.ranking_score
    number = candidate.aggregate(by or Aggregation.MEAN)
    return None if number is None else candidate.signals[0].oriented(number)


def best_first(
    candidates: Iterable[ScoredHypothesis], *, by: Aggregation | str | None = None
) -> list[ScoredHypothesis]:
    """Sort by :func:`worth`; equal ones keep their order, those without a value come last.

    Of a text of one token that nothing closes, no ``omission`` is known.
    """

    def key(candidate: ScoredHypothesis) -> tuple[bool, float]:
        number = worth(candidate, by)
        return (False, 0.0) if number is None else (True, number)

    return sorted(candidates, key=key, reverse=True)
