"""Scored JSON Lines, as `headwise score` writes them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from headwise.data.readers.layout import Format
from headwise.data.readers.opening import check_readable, suffix_format
from headwise.data.readers.rows import Row
from headwise.data.readers.tables import open_table
from headwise.data.records.json_values import parse_number
from headwise.data.records.pairs import Reject
from headwise.data.records.scored import ScoredHypothesis
from headwise.data.records.signals import Signal
from headwise.errors import DataError

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredRow:
    """One row of a scored file, of whatever level.

    Attributes:
        line: Where it stands in its file, counted from 1.
        scored: Texts, marks, other columns and, from a row of token level, the tokens; a row of
            another level leaves ``tokens`` empty, and then only ``means`` say the scores.
        means: The mean of each signal over the hypothesis tokens; ``None`` where there is none.
        has_tokens: Whether the row is of token level.
    """

    line: int
    scored: ScoredHypothesis
    means: Mapping[Signal, float | None]
    has_tokens: bool


def read_scored(path: str | Path) -> Iterator[ScoredHypothesis]:
    """Read back scored hypotheses with their tokens.

    Args:
        path: A JSONL file written at token level, ``.gz`` or not.

    Yields:
        One record a line.

    Raises:
        DataError: If the file is missing, or a line is not a scored hypothesis with tokens.
    """
    return _read(path, lambda row: ScoredHypothesis.from_dict(row.values), level="token")


def read_scored_rows(path: str | Path) -> Iterator[ScoredRow]:
    """Read back scored hypotheses of any level.

    Args:
        path: A JSONL file written by `headwise score`, ``.gz`` or not.

    Yields:
        One record a line. The words of a row of word level are left out: the words of a row of
        token level follow from its tokens.

    Raises:
        DataError: If the file is missing, or a line is not a scored hypothesis.
    """
    return _read(path, _scored_row, level=None)


def is_scored(path: str | Path) -> bool:
    """Whether a file begins with a row of ours, rather than with a pair that is not scored yet.

    Args:
        path: JSON lines, or any table that pairs are read from.

    Raises:
        DataError: If the file is missing or damaged.
    """
    check_readable(path)
    if suffix_format(path) not in (None, Format.JSONL):
        return False
    with open_table(path, Format.JSONL) as table:
        first = next(table.rows, None)
    return isinstance(first, Row) and is_scored_row(first.values)


def is_scored_row(row: Mapping[str, object]) -> bool:
    """Whether a JSON object looks like a row of ours."""
    return "hypothesis" in row and isinstance(row.get("signals"), dict)


def _read(path: str | Path, make: Callable[[Row], T], *, level: str | None) -> Iterator[T]:
    check_readable(path)
    known = suffix_format(path)
    if known is not None and known.document is not None:
        raise DataError(
            f"`{path}` is a document, which has one rounded number for a segment; that is too "
            f"little to go on with. Write JSON lines with `headwise score {Path(path).name} -o "
            "FILE.jsonl` and give these; `headwise triage FILE.jsonl -o DOCUMENT` puts decisions "
            "into a copy of the document."
        )
    if known not in (None, Format.JSONL, Format.JSON):
        raise DataError(
            f"`{path}` is a {known} file; scores are read back from JSON lines, which `headwise "
            "score` writes to a file that ends in .jsonl."
        )
    with open_table(path, Format.JSONL) as table:
        for row in table.rows:
            try:
                if isinstance(row, Reject):
                    raise ValueError(row.reason)
                made = make(row)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                at, option = (f" at {level} level", f" --level {level}") if level else ("", "")
                raise DataError(
                    f"Line {row.line} of `{path}` is not a hypothesis scored{at} "
                    f"({type(error).__name__}: {error}); write one with `headwise score{option}`."
                ) from error
            yield made


def _scored_row(row: Row) -> ScoredRow:
    own = {name: value for name, value in row.values.items() if name != "words"}
    scored = ScoredHypothesis.from_dict({"tokens": [], **own})
    means = {s: parse_number(row.values["signals"][s.value]) for s in scored.signals}
    return ScoredRow(line=row.line, scored=scored, means=means, has_tokens="tokens" in own)
