"""Turn rows into lines: one for every row, of the output or of the rejects, in input order."""

import errno
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from headwise.data.records.pairs import Reject
from headwise.data.writers import LineWriter, TableColumns, json_line, reject_row
from headwise.errors import InputError, OutputError


class Numbered(Protocol):
    """A row of the input."""

    @property
    def line(self) -> int:
        """Where it stood, counted from 1."""


Row = TypeVar("Row", bound=Numbered)


Row_contra = TypeVar("Row_contra", bound=Numbered, contravariant=True)


Result = TypeVar("Result")


class RowWork(Protocol[Row_contra, Result]):
    """Turns rows of the input into rows of the output, and keeps figures about these."""

    def results(self, rows: Iterator[Row_contra]) -> Iterator[Result | InputError]:
        """Work lazily: one result a row, in order; an error in the place of a bad row.

        It may read ahead of what it yields.
        """

    def output_row(self, row: Row_contra, result: Result, /) -> dict[str, Any]:
        """What a line of the output says of a row."""

    def content(self, row: Row_contra) -> str:
        """The texts of a row, as a reject shows them."""

    def count(self, output_row: Mapping[str, Any]) -> None:
        """Take a row of the output into the figures, in order; those of earlier runs included.

        Raises:
            KeyError, TypeError or ValueError: If it is not what :meth:`output_row` makes.
        """

    def figures(self) -> dict[str, Any]:
        """What is to be said about all rows of the output; it must go into JSON."""

    def columns(self) -> TableColumns:
        """The columns of the output as a table."""


# Rejects wait for the results of the rows before them; this bounds how many can wait.
_MAX_WAITING_REJECTS = 10_000


@dataclass(slots=True)
class Tally:
    """How much has been written so far.

    Attributes:
        written: Rows in the output.
        rejected: Rows in the rejects.
    """

    written: int = 0
    rejected: int = 0

    @property
    def rows(self) -> int:
        """Rows of the input that are done."""
        return self.written + self.rejected


class RowSink:
    """Writes each row where it belongs, and counts.

    Args:
        results: Where rows of the output go.
        rejects: Where the others go.
        tally: What was written before.
        resumable: Whether a later run can go on where this one stops.
    """

    def __init__(
        self, results: LineWriter, rejects: LineWriter, *, tally: Tally, resumable: bool = True
    ) -> None:
        self._results = results
        self._rejects = rejects
        self._tally = tally
        self._resumable = resumable

    def put(self, row: Mapping[str, Any]) -> None:
        """Write a row of the output.

        Raises:
            OutputError: If that is not possible; the row is not counted then.
        """
        self._append(self._results, row)
        self._tally.written += 1

    def put_reject(self, reject: Reject) -> None:
        """Write a row that cannot be one of the output.

        Raises:
            OutputError: As in :meth:`put`.
        """
        self._append(self._rejects, reject_row(reject))
        self._tally.rejected += 1

    def _append(self, writer: LineWriter, row: Mapping[str, Any]) -> None:
        with naming_write_errors(self._tally, resumable=self._resumable):
            writer.append(json_line(row))


@contextmanager
def naming_write_errors(tally: Tally, *, resumable: bool = True) -> Iterator[None]:
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
        again = (
            f"Rows that are safe: {tally.rows:,}. {remedy} and run the same command again, "
            "without --overwrite: it goes on from there."
            if resumable
            else f"Rows that were written: {tally.rows:,}. {remedy} and start anew."
        )
        raise OutputError(f"{problem} ({error}). {again}") from error


def write_rows(rows: Iterator[Row | Reject], sink: RowSink, work: RowWork[Row, Result]) -> None:
    """Do the work on rows and write each of them, in order and with bounded memory.

    Args:
        rows: What readers yield.
        sink: Takes one row for each of them.
        work: Is done to those among them that are no rejects.

    Raises:
        RuntimeError: If the work does not yield one result a row.
    """
    waiting: deque[Row | Reject] = deque()
    exhausted = False

    def good_rows() -> Iterator[Row]:
        nonlocal exhausted
        rejects = 0
        for row in rows:
            waiting.append(row)
            if not isinstance(row, Reject):
                yield row
            elif (rejects := rejects + 1) == _MAX_WAITING_REJECTS:
                return  # the scorer yields what it has read, and the rejects can be written
        exhausted = True

    while not exhausted:
        for result in work.results(good_rows()):
            _put_rejects(waiting, sink)
            if not waiting:
                raise RuntimeError("The scorer yielded more results than it was given rows.")
            row = waiting.popleft()
            assert not isinstance(row, Reject)
            if isinstance(result, InputError):
                sink.put_reject(Reject(row.line, str(result), work.content(row)))
            else:
                written = work.output_row(row, result)
                sink.put(written)
                work.count(written)
        _put_rejects(waiting, sink)
        if waiting:
            raise RuntimeError(f"The scorer yielded no result for {waiting[0]!r}.")


def _put_rejects(waiting: deque[Row | Reject], sink: RowSink) -> None:
    while waiting and isinstance(reject := waiting[0], Reject):
        sink.put_reject(reject)
        waiting.popleft()
