"""Work through a file row by row, so that a job killed at any moment goes on where it stopped.

Every row of the input becomes exactly one whole line, of the output or of the rejects, in input
order and without a buffer. The number of whole lines in both is therefore the number of rows that
are done, and this is all that a job has to know to continue.
"""

import errno
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any, Generic

from headwise import __version__
from headwise.data import writers
from headwise.data.jobs.files import TABLE_WRITERS, RunFiles
from headwise.data.jobs.inputs import StreamDigest, compared_rows, input_settings, is_stream
from headwise.data.jobs.record import START_ANEW, JobDone, JobRecord, JobResult
from headwise.data.jobs.windows import timed_windows
from headwise.data.jobs.work import Row, RowWork
from headwise.data.readers.looking import count_rows
from headwise.data.records.pairs import Reject
from headwise.data.writers import LineFile, LineWriter
from headwise.documents import parse_json
from headwise.errors import InputError, OutputError
from headwise.progress import progress_bar

STDOUT = "-"
# What a line that no work wrote makes a work raise
_DAMAGED = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)


def run_job(
    work: RowWork[Row],
    rows: Iterator[Row | Reject],
    output: str | Path | None,
    *,
    inputs: Sequence[str | Path],
    settings: Callable[[], Mapping[str, Any]],
    output_format: str | None = None,
    overwrite: bool = False,
    revisit: Callable[[Iterator[Row | Reject]], int] | None = None,
    progress: str | None = None,
    reread: Callable[[], Iterator[Row | Reject]] | None = None,
    documents: Mapping[str, Callable[[RunFiles], None]] | None = None,
) -> JobDone:
    """Work through rows, or go on doing so where an earlier run was stopped.

    Args:
        work: What is done to a row.
        rows: What readers yield.
        output: The file to write, see :class:`~headwise.data.jobs.files.RunFiles`; ``-`` writes
            JSONL and rejects to standard output and error, not to be resumed; ``None`` nothing.
        inputs: The files that the rows come from, ``-`` for standard input.
        settings: Gives what else the output follows from, digests of models among it, with which
            alone a job is resumed. Not asked where nothing can be resumed.
        output_format: One of :class:`OutputFormat`; by default the suffix says it.
        overwrite: Start anew and replace what is there, instead of resuming.
        revisit: What becomes of rows of earlier runs, and their number; else they are passed over.
        progress: What a progress bar on standard error calls the work; ``None`` for no bar.
        reread: Gives the rows once more, for the bar to know how many there are.
        documents: What makes an output that is a document, by its format.

    Returns:
        What was done.

    Raises:
        DataError: If the input cannot be read.
        OutputError: If the output belongs to another job, or cannot be written.
    """
    # What is wrong with all of it is noticed at its first row, before a file is written
    rows = chain(list(islice(rows, 1)), rows)
    if output is None or str(output) == STDOUT:
        job = _Job(work=work, rows=rows, progress=progress, resumable=False)
        with Path(os.devnull).open("wb") as nowhere:
            streams = (nowhere,) * 2 if output is None else (sys.stdout.buffer, sys.stderr.buffer)
            job.write(*map(writers.LineStream, streams))
        return job.done()

    files = RunFiles.of(output, output_format)
    names = [str(path) for path in inputs]
    files.refuse_inputs(names)
    files.refuse_document(documents or ())
    stream = StreamDigest(rows) if any(map(is_stream, names)) else None
    job = _Job(
        work=work,
        rows=rows if stream is None else iter(stream),
        progress=progress,
        revisit=revisit,
        stream=stream,
        reread=reread if stream is None else None,
        documents=documents or {},
    )
    wanted = JobRecord.of(
        {
            "headwise": __version__,
            **input_settings(names),
            **settings(),
            "output": files.output.name,
            "output_format": files.format,
        }
    )
    if complete := files.check(wanted, overwrite=overwrite).complete:
        return job.done_earlier(files, complete)
    with LineFile(files.work) as lines, LineFile(files.rejects) as reject_lines:
        # Another process may have finished just before this one could lock the files
        standing = files.check(wanted, overwrite=overwrite)
        if standing.complete:
            return job.done_earlier(files, standing.complete)
        if standing.anew:
            files.discard(lines, reject_lines, found=standing.found)
        return job.run(files, lines, reject_lines, wanted)


@dataclass(kw_only=True)
class _Job(Generic[Row]):
    """Rows on their way to files, and how many of them are there."""

    work: RowWork[Row]
    rows: Iterator[Row | Reject]
    progress: str | None
    resumable: bool = True
    stream: StreamDigest[Row] | None = None
    revisit: Callable[[Iterator[Row | Reject]], int] | None = None
    reread: Callable[[], Iterator[Row | Reject]] | None = None
    documents: Mapping[str, Callable[[RunFiles], None]] = field(default_factory=dict)
    written: int = 0
    rejected: int = 0
    resumed_from: int = 0
    started: float = field(default_factory=time.perf_counter)

    def run(
        self, files: RunFiles, results: LineFile, rejects: LineFile, record: JobRecord
    ) -> JobDone:
        """Do what earlier runs have left to do."""
        with self.naming_write_errors():
            record.write(files.sidecar)
            passed = self.recover(files, results, rejects)
        found = self.pass_over(passed)
        if found < self.resumed_from:
            raise OutputError(
                f"`{files.work}` and `{files.rejects}` hold {self.resumed_from:,} rows, but the "
                f"input has only {found:,}; {START_ANEW}."
            )
        self.write(results, rejects)
        with self.naming_write_errors():
            results.sync()
            rejects.sync()
            self.make_table(files)
            done = self.done()
            stream = None if self.stream is None else self.stream.hexdigest()
            JobRecord.of(record.settings, result=asdict(done), stream=stream).write(files.sidecar)
            files.clean_up()
        return done

    def recover(
        self, files: RunFiles, results: LineFile, rejects: LineFile
    ) -> Iterator[Row | Reject]:
        """Count what earlier runs have written; as many rows of the input."""
        for number, line in enumerate(results.recover(), start=1):
            try:
                self.work.count(row := parse_json(line.decode(), allow_nan=True))
                self.work.content_of(row)
            except _DAMAGED:
                raise OutputError(
                    f"Line {number} of `{files.work}` was changed or damaged since it was "
                    f"written; {START_ANEW}."
                ) from None
            self.written += 1
        self.rejected = sum(1 for _ in rejects.recover())
        self.resumed_from = self.written + self.rejected
        passed: Iterator[Row | Reject] = islice(self.rows, self.resumed_from)
        if self.stream is not None:  # a file has its digest among the settings
            good = (self.work.content_of(json.loads(line)) for line in results.recover())
            passed = compared_rows(passed, good, rejects.recover())
        return passed

    def pass_over(self, rows: Iterator[Row | Reject]) -> int:
        """Do with rows of earlier runs what was asked for, if anything was; their number."""
        return sum(1 for _ in rows) if self.revisit is None else self.revisit(rows)

    def write(self, results: LineWriter, rejects: LineWriter) -> None:
        """Read a window of the remaining rows, work on it, write a line a row; then the next.

        Raises:
            RuntimeError: If the work does not yield one result a row.
        """
        windows = timed_windows(
            self.rows, most=self.work.most_rows, size=lambda row: len(row.content)
        )
        shown = self.progress or ""
        total = count_rows(self.reread()) if shown and self.reread else None
        with progress_bar(shown, total=total, enabled=bool(shown)) as advance:
            advance(self.resumed_from)
            for window in windows:
                good = [row for row in window if not isinstance(row, Reject)]
                found = iter(self.work.output_rows(good))
                for row in window:
                    result = row if isinstance(row, Reject) else next(found, None)
                    if result is None:
                        raise RuntimeError(f"The work yielded no result for {row!r}.")
                    if isinstance(result, InputError):
                        result = Reject(row.line, str(result), row.content)
                    if isinstance(result, Reject):
                        self.append(rejects, writers.reject_row(result))
                        self.rejected += 1
                    else:
                        self.append(results, result)
                        self.written += 1
                        self.work.count(result)
                if next(found, None) is not None:
                    raise RuntimeError("The work yielded more results than it was given rows.")
                advance(len(window))

    def append(self, lines: LineWriter, row: Mapping[str, Any]) -> None:
        """Write a row as a line."""
        with self.naming_write_errors():
            lines.append(writers.json_line(row))

    @contextmanager
    def naming_write_errors(self) -> Iterator[None]:
        """Turn what the operating system says about a write into an error that says what to do.

        A closed pipe is left as it is: whoever reads has seen enough, and nothing went wrong.

        Raises:
            OutputError: For every other ``OSError``.
        """
        try:
            yield
        except (OutputError, BrokenPipeError):
            raise
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            problem = "There is no space left" if full else "The output cannot be written"
            remedy = "Free some space" if full else "Remove the cause"
            rows = self.written + self.rejected
            again = (
                f"Rows that are safe: {rows:,}. {remedy} and run the same command again, "
                "without --overwrite: it goes on from there."
                if self.resumable
                else f"Rows that were written: {rows:,}. {remedy} and start anew."
            )
            raise OutputError(f"{problem} ({error}). {again}") from error

    def make_table(self, files: RunFiles) -> None:
        """Turn the lines into the format that was asked for; they may be that already."""
        if (write := TABLE_WRITERS.get(files.format)) is not None:
            write(files.work, files.output, self.work.columns())
        elif files.format.is_document:
            self.documents[files.format](files)

    def done(self) -> JobDone:
        """What this run and those before it did."""
        return JobDone(
            written=self.written,
            rejected=self.rejected,
            resumed_from=self.resumed_from,
            seconds=time.perf_counter() - self.started,
            figures=self.work.figures(),
        )

    def done_earlier(self, files: RunFiles, record: JobRecord) -> JobDone:
        """What the run that completed the job wrote down.

        Raises:
            OutputError: If that does not suit the work, or a stream now holds other rows.
        """
        result = JobResult.model_validate(record.result)
        figures = result.figures.model_dump(exclude_unset=True)
        if _shape(figures) != _shape(self.work.figures()):
            raise OutputError(
                f"`{files.sidecar}` was changed or damaged since it was written; {START_ANEW}."
            )
        if self.stream is not None or self.revisit is not None:
            self.pass_over(self.rows)
        if self.stream is not None and self.stream.hexdigest() != record.stream:
            raise OutputError(
                f"`{files.output}` was made from other rows than the input now has; {START_ANEW}."
            )
        files.clean_up()
        return JobDone(
            written=result.written,
            rejected=result.rejected,
            resumed_from=result.written + result.rejected,
            seconds=time.perf_counter() - self.started,
            already_complete=True,
            figures=figures,
        )


def _shape(figures: Mapping[str, Any]) -> dict[str, bool]:
    """Names of figures, and which of them are tables."""
    return {name: isinstance(value, Mapping) for name, value in figures.items()}
