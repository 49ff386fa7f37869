"""Scoring as the work of a job: what becomes of each pair of a file."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from headwise.data.pairs import Pair
from headwise.data.scored import Level, ScoredHypothesis
from headwise.data.signals import Signal
from headwise.data.writers import TableLayout, scored_row
from headwise.errors import InputError


class Scorer(Protocol):
    """What scoring rows needs of a quality estimator."""

    @property
    def default_signal(self) -> Signal:
        """The signal to compute if none is named."""

    def score_many(
        self,
        pairs: Iterable[Pair],
        *,
        signals: tuple[Signal, ...],
        alternatives: int,
        errors: Literal["yield"],
        progress: bool,
    ) -> Iterator[ScoredHypothesis | InputError]:
        """Score pairs lazily: one result a pair, in order; an error in the place of a bad pair."""


@dataclass(slots=True, kw_only=True)
class RowScoring:
    """Scores the rows of a file, as :class:`~headwise.data.jobs.RowWork`.

    Attributes:
        scorer: Scores pairs. It may read ahead of what it yields.
        signals: The signals to compute; the first one is the score.
        alternatives: How many of the model's own choices to keep a token.
        level: What a row of output holds beside its sentence score.
        has_source: Whether the pairs have a source.
        progress: Whether the scorer shows its progress.
        with_score: Rows in the output that have a score; a hypothesis without tokens has none.
        score_sum: Sum of these scores, in row order, so that a resumed job adds up the same.
    """

    scorer: Scorer
    signals: tuple[Signal, ...]
    alternatives: int
    level: Level
    has_source: bool
    progress: bool
    with_score: int = 0
    score_sum: float = 0.0

    def results(self, rows: Iterator[Pair]) -> Iterator[ScoredHypothesis | InputError]:
        """Score pairs."""
        return self.scorer.score_many(
            rows,
            signals=self.signals,
            alternatives=self.alternatives,
            errors="yield",
            progress=self.progress,
        )

    def output_row(self, _: Pair, result: ScoredHypothesis) -> dict[str, Any]:
        """The scored pair; it brings the other columns of its row."""
        return scored_row(result, self.level)

    def content(self, row: Pair) -> str:
        """Source and hypothesis."""
        return row.hypothesis if row.source is None else f"{row.source}\t{row.hypothesis}"

    def count(self, output_row: Mapping[str, Any]) -> None:
        """Add a row's score."""
        score = output_row["score"]
        if score is not None and math.isfinite(score):
            self.with_score += 1
            self.score_sum += score

    def figures(self) -> dict[str, Any]:
        """The mean of the scores; ``None`` if there are none."""
        return {"mean_score": self.score_sum / self.with_score if self.with_score else None}

    def columns(self) -> TableLayout:
        """Signals, texts and detail."""
        return TableLayout(signals=self.signals, level=self.level, has_source=self.has_source)
