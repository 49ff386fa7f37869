"""Score a file row by row, so that a job killed at any moment goes on where it stopped.

Every row of the input becomes exactly one whole line, of the output or of the rejects, in input
order and without a buffer. The number of whole lines in both is therefore the number of rows that
are done, and this is all that a job has to know to continue.
"""

import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any, assert_never

from headwise import __version__
from headwise.data.pairs import Pair, Reject
from headwise.data.readers import STDIN, Layout, read_pairs, read_parallel_text
from headwise.data.scored import Level
from headwise.data.signals import Signal, parse_signals
from headwise.data.writers import (
    LineFile,
    LineStream,
    LineWriter,
    TableLayout,
    write_parquet,
    write_tsv,
)
from headwise.errors import OutputError
from headwise.quality.row_scoring import RowSink, Scorer, Tally, naming_write_errors, score_rows
from headwise.quality.run_files import START_ANEW, OutputFormat, RunFiles

STDOUT = "-"


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
    signals: Iterable[Signal | str] = (Signal.SIGMOID,),
    alternatives: int = 0,
    overwrite: bool = False,
    progress: bool = False,
) -> JobSummary:
    """Score the rows of a file, or go on doing so where an earlier run was stopped.

    Args:
        scorer: Scores pairs, in order; usually a ``QualityEstimator``.
        source: The file to read, ``-`` for standard input; with ``hypotheses`` the source texts.
        output: The file to write; :class:`~headwise.quality.run_files.RunFiles` says which files
            there are beside it. ``-`` writes JSONL to standard output and rejects to standard
            error, and cannot be resumed.
        model: Name of the model; a job is resumed only with the same one.
        head: Name of the head, likewise.
        calibration: What tells the head's calibration from another one, likewise.
        hypotheses: Text file with a hypothesis for each line of ``source``.
        layout: Format and columns of the input, as far as they should not be found out.
        output_format: ``jsonl``, ``tsv`` or ``parquet``; by default the suffix says it.
        level: What a row of output holds beside its sentence score.
        signals: The signals to compute; the first one is the score.
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
    rows = (
        read_pairs(source, layout) if hypotheses is None else read_parallel_text(source, hypotheses)
    )
    signals = parse_signals(signals)
    job = _Job(
        # What is wrong with the whole input is noticed at its first row, before a file is written.
        rows=chain(list(islice(rows, 1)), rows),
        scorer=scorer,
        signals=signals,
        alternatives=alternatives,
        level=level,
        has_source=layout.has_source,
        progress=progress,
    )
    if str(output) == STDOUT:
        results, rejects = LineStream(sys.stdout.buffer), LineStream(sys.stderr.buffer)
        job.score(results, rejects, resumable=False)
        return job.summary()

    files = RunFiles.of(output, output_format)
    inputs = [str(path) for path in (source, hypotheses) if path is not None]
    files.refuse_inputs(inputs)
    settings: dict[str, Any] = {
        "headwise": __version__,
        "input": inputs,
        "input_bytes": [_size(path) for path in inputs],
        **asdict(layout),
        "output": files.output.name,
        "output_format": files.format,
        "level": level,
        "signals": list(signals),
        "alternatives": alternatives,
        "model": model,
        "head": head,
    }
    if calibration is not None:
        settings["calibration"] = calibration
    if complete := files.check(settings, overwrite=overwrite):
        files.clean_up()
        return job.earlier_summary(complete)
    with LineFile(files.work) as work, LineFile(files.rejects) as rejects_file:
        # Another process may have finished just before this one could lock the files.
        if complete := files.check(settings, overwrite=overwrite):
            files.clean_up()
            return job.earlier_summary(complete)
        if overwrite:
            files.discard(work, rejects_file)
        return job.run(files, work, rejects_file, settings)


@dataclass(kw_only=True)
class _Job:
    """Rows on their way to files, and how many of them are there."""

    rows: Iterator[Pair | Reject]
    scorer: Scorer
    signals: tuple[Signal, ...]
    alternatives: int
    level: Level
    has_source: bool
    progress: bool
    tally: Tally = field(default_factory=Tally)
    resumed_from: int = 0
    started: float = field(default_factory=time.perf_counter)

    def run(
        self, files: RunFiles, results: LineFile, rejects: LineFile, settings: Mapping[str, Any]
    ) -> JobSummary:
        """Do what earlier runs have left to do."""
        with naming_write_errors(self.tally):
            files.record(settings)
            self.recover(files, results, rejects)
        self.score(results, rejects, resumable=True)
        with naming_write_errors(self.tally):
            results.sync()
            rejects.sync()
            self.make_table(files)
            summary = self.summary()
            files.record(settings, result=asdict(summary))
            files.clean_up()
        return summary

    def recover(self, files: RunFiles, results: LineFile, rejects: LineFile) -> None:
        """Count what earlier runs have written, and pass over as many rows of the input."""
        for number, line in enumerate(results.recover(), start=1):
            try:
                self.tally.add_scored(json.loads(line)["score"])
            except (ValueError, TypeError, KeyError):
                raise OutputError(
                    f"Line {number} of `{files.work}` was changed or damaged since it was "
                    f"written; {START_ANEW}."
                ) from None
        self.tally.rejected = sum(1 for _ in rejects.recover())
        self.resumed_from = self.tally.rows
        found = sum(1 for _ in islice(self.rows, self.resumed_from))
        if found < self.resumed_from:
            raise OutputError(
                f"`{files.work}` and `{files.rejects}` hold {self.resumed_from:,} rows, but the "
                f"input has only {found:,}; {START_ANEW}."
            )

    def score(self, results: LineWriter, rejects: LineWriter, *, resumable: bool) -> None:
        """Score the remaining rows."""
        sink = RowSink(results, rejects, level=self.level, tally=self.tally, resumable=resumable)
        score_rows(
            self.rows,
            sink,
            scorer=self.scorer,
            signals=self.signals,
            alternatives=self.alternatives,
            progress=self.progress,
        )

    def make_table(self, files: RunFiles) -> None:
        """Turn the lines into the format that was asked for."""
        layout = TableLayout(signals=self.signals, level=self.level, has_source=self.has_source)
        match files.format:
            case OutputFormat.JSONL:
                pass  # the lines are the output
            case OutputFormat.TSV:
                write_tsv(files.work, files.output, layout)
            case OutputFormat.PARQUET:
                write_parquet(files.work, files.output, layout)
            case _:
                assert_never(files.format)

    def summary(self) -> JobSummary:
        """What this run and those before it did."""
        return JobSummary(
            scored=self.tally.scored,
            rejected=self.tally.rejected,
            mean_score=self.tally.mean_score,
            resumed_from=self.resumed_from,
            seconds=time.perf_counter() - self.started,
        )

    def earlier_summary(self, result: Mapping[str, Any]) -> JobSummary:
        """What the run that completed the job wrote down."""
        return JobSummary(
            scored=result["scored"],
            rejected=result["rejected"],
            mean_score=result["mean_score"],
            resumed_from=result["scored"] + result["rejected"],
            seconds=time.perf_counter() - self.started,
            already_complete=True,
        )


def _size(path: str) -> int | None:
    """How large an input is; ``None`` for a stream, whose size is not known beforehand."""
    return Path(path).stat().st_size if path != STDIN and Path(path).is_file() else None
