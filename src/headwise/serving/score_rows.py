"""Scored texts as answers show them."""

from typing import Any

from headwise.data.records.scored import Level, ScoredHypothesis
from headwise.data.records.signals import Signal
from headwise.data.writers import scored_row


def score_row(scored: ScoredHypothesis, level: Level) -> dict[str, Any]:
    """A row of ``headwise score``, with spans and gaps by themselves."""
    row = scored_row(scored, level)
    row["spans"] = [span.row() for span in scored.to_check if span.end > span.start]
    if Signal.OMISSION in scored.signals:
        row["gaps"] = [
            {"place": gap.place, "omission": gap.omission} for gap in scored.gaps(above=0.0)
        ]
    return row
