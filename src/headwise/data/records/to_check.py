"""Which pieces of a text lie on the doubtful side of a threshold."""

from collections.abc import Iterable

from headwise.data.records.error_spans import Range
from headwise.data.records.scored_pieces import ScoredToken
from headwise.data.records.signals import DEFAULT_THRESHOLD, Signal


def low_tokens(tokens: Iterable[ScoredToken], signal: Signal, threshold: float) -> list[Range]:
    """The places of the tokens whose confidence lies below a threshold, in order."""
    return [
        (token.start, token.end)
        for token in tokens
        if (value := signal.confidence(getattr(token, signal))) is not None and value < threshold
    ]


def joined_ranges(ranges: Iterable[Range], text: str) -> list[Range]:
    """Ranges in order, those joined that overlap or have nothing but space between them."""
    joined: list[Range] = []
    for start, end in sorted(ranges):
        if joined and not text[joined[-1][1] : start].strip():
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def gap_threshold(threshold: float | None, signal: Signal) -> float:
    """The confidence below which a gap is to be checked.

    A threshold on words holds for gaps too if the main signal is ``error`` or ``omission``; of
    other signals it says nothing about gaps, and 0.5 takes its place.
    """
    if threshold is None or not signal.needs_error_head:
        return DEFAULT_THRESHOLD
    return threshold
