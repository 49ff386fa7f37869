"""Scored JSON Lines, as `headwise score` writes them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headwise.data.readers.lines import content_lines, numbered_lines
from headwise.data.readers.opening import check_readable, open_bytes
from headwise.data.records.json_values import parse_number
from headwise.data.records.pairs import Reject
from headwise.data.records.scored import ScoredHypothesis
from headwise.data.records.signals import Signal
from headwise.errors import DataError


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
    level = " at token level"
    for number, row in _rows(path, level):
        try:
            yield ScoredHypothesis.from_dict(row)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _not_scored(path, number, error, level) from error


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
    for number, row in _rows(path, ""):
        try:
            has_tokens = "tokens" in row
            own = {name: value for name, value in row.items() if name != "words"}
            scored = ScoredHypothesis.from_dict({"tokens": [], **own})
            means = {s: parse_number(row["signals"][s.value]) for s in scored.signals}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _not_scored(path, number, error, "") from error
        yield ScoredRow(line=number, scored=scored, means=means, has_tokens=has_tokens)


def is_scored(path: str | Path) -> bool:
    """Whether a file begins with a row of ours, rather than with a pair that is not scored yet.

    Raises:
        DataError: If the file is missing or damaged.
    """
    check_readable(path)
    with open_bytes(path) as stream:
        _, first = next(numbered_lines(stream, str(path)), (0, ""))
    return isinstance(first, str) and is_scored_row(_json(first))


def is_scored_row(row: object) -> bool:
    """Whether a JSON value looks like a row of ours."""
    return (
        isinstance(row, dict)
        and {"hypothesis", "signals"} <= set(row)
        and isinstance(row["signals"], dict)
    )


def _rows(path: str | Path, level: str) -> Iterator[tuple[int, dict[str, Any]]]:
    check_readable(path)
    with open_bytes(path) as stream:
        for number, line in content_lines(stream, str(path)):
            if isinstance(line, Reject):
                raise _not_scored(path, number, ValueError(line.reason), level)
            try:
                yield number, json.loads(line)
            except ValueError as error:
                raise _not_scored(path, number, error, level) from error


def _json(line: str) -> object:
    try:
        value: object = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value


def _not_scored(path: str | Path, number: int, error: Exception, level: str) -> DataError:
    option = " --level token" if level else ""
    return DataError(
        f"Line {number} of `{path}` is not a hypothesis scored{level} "
        f"({type(error).__name__}: {error}); write one with `headwise score{option}`."
    )
