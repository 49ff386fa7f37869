"""Score a file row by row, so that a job killed at any moment goes on where it stopped."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from headwise.data.jobs import run_job
from headwise.data.readers import Layout, read_pairs, read_parallel_text
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import Level, ScoredHypothesis
from headwise.data.records.signals import Signal, parse_signals
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


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSummary:
    """What a job did.

    Attributes:
        scored: Rows in the output, those of earlier runs included.
        rejected: Rows that could not be scored, those of earlier runs included.
        mean_score: Mean over the output; ``None`` if no row has a score.
        resumed_from: Rows that earlier runs had done.
        seconds: How long this run took.
        already_complete: Whether there was nothing left to do.
    """

    scored: int
    rejected: int
    mean_score: float | None
    resumed_from: int
    seconds: float
    already_complete: bool = False


def score_file(
    scorer: Scorer,
    source: str | Path,
    output: str | Path,
    *,
    model: str,
    head: str | None = None,
    calibration: str | None = None,
    hypotheses: str | Path | None = None,
    layout: Layout | None = None,
    output_format: str | None = None,
    level: Level = "sentence",
    signals: Iterable[Signal | str] | None = None,
    alternatives: int = 0,
    overwrite: bool = False,
    progress: bool = False,
) -> JobSummary:
    """Score the rows of a file, or go on doing so where an earlier run was stopped.

    Args:
        scorer: Scores pairs, in order; usually a ``QualityEstimator``.
        source: The file to read, ``-`` for standard input; with ``hypotheses`` the source texts.
        output: The file to write; :class:`~headwise.data.jobs.RunFiles` says which files there are
            beside it. ``-`` writes JSONL to standard output and rejects to standard error, and
            cannot be resumed.
        model: Name of the model; a job is resumed only with the same one.
        head: Name of the head, likewise.
        calibration: What tells the head's calibration from another one, likewise.
        hypotheses: Text file with a hypothesis for each line of ``source``.
        layout: Format and columns of the input, as far as they should not be found out.
        output_format: ``jsonl``, ``tsv`` or ``parquet``; by default the suffix says it.
        level: What a row of output holds beside its sentence score.
        signals: The signals to compute; the first one is the score. By default the scorer's.
        alternatives: How many of the model's own choices to keep a token, at token level.
        overwrite: Start anew and replace what is there, instead of resuming.
        progress: Whether the scorer shows its progress.

    Returns:
        What was done.

    Raises:
        DataError: If the input cannot be read.
        OutputError: If the output belongs to another job, or cannot be written.
    """
    layout = layout or Layout()
    signals = (scorer.default_signal,) if signals is None else parse_signals(signals)
    settings: dict[str, Any] = {
        **asdict(layout),
        "level": level,
        "signals": list(signals),
        "alternatives": alternatives,
        "model": model,
        "head": head,
    }
    if calibration is not None:
        settings["calibration"] = calibration
    done = run_job(
        RowScoring(
            scorer=scorer,
            signals=signals,
            alternatives=alternatives,
            level=level,
            has_source=layout.has_source,
            progress=progress,
        ),
        read_pairs(source, layout)
        if hypotheses is None
        else read_parallel_text(source, hypotheses),
        output,
        inputs=[path for path in (source, hypotheses) if path is not None],
        settings=settings,
        output_format=output_format,
        overwrite=overwrite,
    )
    return JobSummary(
        scored=done.written,
        rejected=done.rejected,
        mean_score=done.figures["mean_score"],
        resumed_from=done.resumed_from,
        seconds=done.seconds,
        already_complete=done.already_complete,
    )
