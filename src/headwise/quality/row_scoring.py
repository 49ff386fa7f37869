"""Turn rows into lines: one for every row, of the output or of the rejects, in input order."""

import errno
import math
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from headwise.data.pairs import Pair, Reject
from headwise.data.scored import Level, ScoredHypothesis
from headwise.data.signals import Signal
from headwise.data.writers import LineWriter, json_line, reject_row, scored_row
from headwise.errors import InputError, OutputError

# Rejects wait for the scores of the pairs before them; this bounds how many can wait.
_MAX_WAITING_REJECTS = 10_000


class Scorer(Protocol):
    """What scoring rows needs of a quality estimator."""

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


@dataclass(slots=True)
class Tally:
    """What has been written so far.

    Attributes:
        scored: Rows in the output.
        rejected: Rows in the rejects.
        with_score: Rows in the output that have a score; a hypothesis without tokens has none.
        score_sum: Sum of these scores, in row order, so that a resumed job adds up the same.
    """

    scored: int = 0
    rejected: int = 0
    with_score: int = 0
    score_sum: float = 0.0

    @property
    def rows(self) -> int:
        """Rows of the input that are done."""
        return self.scored + self.rejected

    @property
    def mean_score(self) -> float | None:
        """Mean of the scores; ``None`` if there are none."""
        return self.score_sum / self.with_score if self.with_score else None

    def add_scored(self, score: float | None) -> None:
        """Count a row of the output."""
        self.scored += 1
        if score is not None and math.isfinite(score):
            self.with_score += 1
            self.score_sum += score


class RowSink:
    """Writes each row where it belongs, and counts.

    Args:
        results: Where scored rows go.
        rejects: Where the others go.
        level: What a scored row holds.
        tally: What was written before.
        resumable: Whether a later run can go on where this one stops.
    """

    def __init__(
        self,
        results: LineWriter,
        rejects: LineWriter,
        *,
        level: Level,
        tally: Tally,
        resumable: bool = True,
    ) -> None:
        self._results = results
        self._rejects = rejects
        self._level = level
        self._tally = tally
        self._resumable = resumable

    def put(self, row: ScoredHypothesis | Reject) -> None:
        """Write one row.

        Raises:
            OutputError: If that is not possible; the row is not counted then.
        """
        if isinstance(row, Reject):
            self._append(self._rejects, reject_row(row))
            self._tally.rejected += 1
        else:
            content = scored_row(row, self._level)
            self._append(self._results, content)
            self._tally.add_scored(content["score"])

    def _append(self, writer: LineWriter, row: dict[str, Any]) -> None:
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


def score_rows(
    rows: Iterator[Pair | Reject],
    sink: RowSink,
    *,
    scorer: Scorer,
    signals: tuple[Signal, ...],
    alternatives: int,
    progress: bool,
) -> None:
    """Score rows and write each of them, in order and with bounded memory.

    Args:
        rows: What readers yield.
        sink: Takes one row for each of them.
        scorer: Scores the pairs among them. It may read ahead of what it yields.
        signals: The signals to compute.
        alternatives: How many of the model's own choices to keep a token.
        progress: Whether the scorer shows its progress.

    Raises:
        RuntimeError: If the scorer does not yield one result a pair.
    """
    waiting: deque[Pair | Reject] = deque()
    exhausted = False

    def pairs() -> Iterator[Pair]:
        nonlocal exhausted
        rejects = 0
        for row in rows:
            waiting.append(row)
            if isinstance(row, Pair):
                yield row
            elif (rejects := rejects + 1) == _MAX_WAITING_REJECTS:
                return  # the scorer yields what it has read, and the rejects can be written
        exhausted = True

    while not exhausted:
        results = scorer.score_many(
            pairs(), signals=signals, alternatives=alternatives, errors="yield", progress=progress
        )
        for result in results:
            _put_rejects(waiting, sink)
            if not waiting:
                raise RuntimeError("The scorer yielded more results than it was given pairs.")
            sink.put(_as_row(result, waiting.popleft()))
        _put_rejects(waiting, sink)
        if waiting:
            raise RuntimeError(f"The scorer yielded no result for {waiting[0]!r}.")


def _put_rejects(waiting: deque[Pair | Reject], sink: RowSink) -> None:
    while waiting and isinstance(reject := waiting[0], Reject):
        sink.put(reject)
        waiting.popleft()


def _as_row(result: ScoredHypothesis | InputError, row: Pair | Reject) -> ScoredHypothesis | Reject:
    if isinstance(result, ScoredHypothesis):
        return result
    assert isinstance(row, Pair)
    texts = [row.hypothesis] if row.source is None else [row.source, row.hypothesis]
    return Reject(row.line, str(result), "\t".join(texts))
