"""Scored segments as columns: how sure each signal is of them, and which of them have an error."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from headwise.data.readers.scored import ScoredRow
from headwise.data.records.error_spans import SEVERITIES, ErrorSpan
from headwise.data.records.token_marks import has_error
from headwise.errors import DataError
from headwise.metrics.inputs import Bools, Floats

OF_THE_TEXT = "text_quality"
"""The signal that is a calibrated probability of the text itself, and no mean over tokens."""


@dataclass(frozen=True, slots=True)
class Segments:
    """N scored segments.

    Attributes:
        rows: As they were read.
        signals: What each signal that all rows have thinks of them, by name: ``(N,)``, the higher
            the better, NaN where a text has no tokens. The first one is their score.
    """

    rows: tuple[ScoredRow, ...]
    signals: dict[str, Floats]

    @classmethod
    def of(cls, rows: Iterable[ScoredRow], *, name: str = "the scores") -> "Segments":
        """Columns of rows.

        Args:
            rows: Scored rows, one a segment.
            name: What messages call them.

        Raises:
            DataError: If there are no rows, or they share no signal; it calls them ``name``.
        """
        read = tuple(rows)
        if not read:
            raise DataError(f"`{name}` holds no segments.")
        shared = [s for s in read[0].scored.signals if all(s in row.means for row in read)]
        if not shared:
            raise DataError(f"The rows of `{name}` share no signal; score them with one command.")
        columns = {
            signal.value: signal.oriented(_column(row.means[signal] for row in read))
            for signal in shared
        }
        # A text of nothing but markup has none, and is checked
        if any(row.scored.quality is not None for row in read):
            columns = {OF_THE_TEXT: _column(row.scored.quality for row in read)} | columns
        return cls(read, columns)

    @property
    def sources(self) -> int:
        """How many different sources there are; texts without one count by themselves."""
        return len({row.scored.source or row.scored.hypothesis for row in self.rows})

    def column(self, signal: str, *, name: str = "the scores") -> Floats:
        """What a signal thinks of the segments, ``(N,)``.

        Args:
            signal: Its name in the rows.
            name: What messages call the segments.

        Raises:
            DataError: If not all rows have it.
        """
        if signal not in self.signals:
            raise DataError(
                f"The rows of `{name}` have no `{signal}`; they have {', '.join(self.signals)}. "
                "Name one of these with --signal, or score anew with --signals."
            )
        return self.signals[signal]

    def faulty(self, least: str | None, *, name: str = "the labels") -> Bools:
        """Which segments have an error, ``(N,)``.

        Args:
            least: The severity from which on errors count, one of
                :data:`~headwise.data.records.error_spans.SEVERITIES`; ``None`` for
                any. An error of unknown severity counts, and so does what a text misses nowhere
                in particular.
            name: What the rows are called in errors.

        Raises:
            DataError: If people did not look at a segment.
        """
        unlabelled = [row.line for row in self.rows if row.scored.errors is None]
        if unlabelled:
            raise DataError(
                f"Line {unlabelled[0]} of `{name}` does not say whether anything is wrong with its "
                f"text ({len(unlabelled):,} rows like it). Labelled segments have `annotations`, "
                "an empty list where nothing is wrong; score a file that has them."
            )
        return np.array([_has_error(row, least) for row in self.rows], dtype=np.bool_)


def _column(values: Iterable[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _has_error(row: ScoredRow, least: str | None) -> bool:
    errors = row.scored.errors
    if least is None or not errors:
        return has_error(row.scored)
    return any(error.is_error and _counts(error, least) for error in errors)


def _counts(error: ErrorSpan, least: str) -> bool:
    known = error.known_severity
    return known is None or SEVERITIES.index(known) >= SEVERITIES.index(least)
