"""Numbers from a file, one a row, such as the scores of another system.

Rows are never matched by cutting the longer side: files with different numbers of rows do not
belong together.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from headwise.data.readers.layout import HYPOTHESIS_NAMES, SOURCE_NAMES, folded
from headwise.data.readers.opening import check_readable
from headwise.data.readers.rows import _NUMBER, _rows
from headwise.data.readers.scored import is_scored_row
from headwise.data.records.json_values import parse_number
from headwise.data.writers.tsv import unescape_cell
from headwise.errors import DataError

_SHOWN_CHARACTERS = 60


class HasTexts(Protocol):
    """A row that numbers can be joined to: a pair, or a scored hypothesis."""

    @property
    def source(self) -> str | None:
        """The source text."""

    @property
    def hypothesis(self) -> str:
        """The text that the number is about."""


def read_numbers(path: str | Path, *, column: str | None = None) -> list[float | None]:
    """Read one number a row.

    Args:
        path: A text file with a number a line; a TSV file with a header; a JSONL or Parquet
            file. All but Parquet also as ``.gz``.
        column: Name of the column or key. By default the only one that holds nothing but
            numbers; of a file that `headwise score` wrote, the score. There, a signal is a
            column as well.

    Returns:
        The numbers in order; ``None`` where a cell is empty, ``null`` or ``nan``.

    Raises:
        DataError: If the file is missing or damaged, there is no such column or none to choose,
            or a value is no number, with its line.
    """
    check_readable(path)
    column = column or _only_numbers(path)
    return [_number(row, column, line, path) for line, row in _rows(path)]


def join_numbers(
    path: str | Path, column: str | None, rows: Sequence[HasTexts]
) -> list[float | None]:
    """Read one number for each row of ours.

    If the file has a source or a hypothesis of its own, under one of the names that the readers
    of pairs know, it must be that of our row.

    Args:
        path: As in :func:`read_numbers`.
        column: As in :func:`read_numbers`.
        rows: Our rows.

    Returns:
        A number or ``None`` for each row.

    Raises:
        DataError: If the file has more or fewer rows, or other texts; as in
            :func:`read_numbers` otherwise.
    """
    numbers = read_numbers(path, column=column)
    if len(numbers) != len(rows):
        raise DataError(
            f"`{path}` has {len(numbers):,} rows, and there are {len(rows):,} to join them to; "
            "both must be of the same texts in the same order."
        )
    for (line, found), ours in zip(_rows(path), rows, strict=True):
        _check_text(found, SOURCE_NAMES, ours.source, line, path)
        _check_text(found, HYPOTHESIS_NAMES, ours.hypothesis, line, path)
    return numbers


def _check_text(
    row: Mapping[str, Any], names: frozenset[str], ours: str | None, line: int, path: str | Path
) -> None:
    found = [name for name in row if folded(name) in names and isinstance(row[name], str)]
    if len(found) != 1 or ours is None:
        return
    text = row[found[0]]
    if ours not in (text, unescape_cell(text)):
        raise DataError(
            f"`{found[0]}` in line {line} of `{path}` is {text[:_SHOWN_CHARACTERS]!r}, and in the "
            f"row to join it to {ours[:_SHOWN_CHARACTERS]!r}; both must be of the same texts in "
            "the same order. If the column holds another text, rename it."
        )


def _number(row: Mapping[str, Any], column: str, line: int, path: str | Path) -> float | None:
    signals = row["signals"] if is_scored_row(row) else {}
    if column not in row and column not in signals:
        listed = ", ".join(f"`{name}`" for name in (*row, *signals))
        raise DataError(f"Line {line} of `{path}` has no `{column}`; it has {listed}.")
    try:
        return parse_number(row[column] if column in row else signals[column])
    except ValueError as error:
        raise DataError(f"In line {line} of `{path}`, `{column}`: {error}.") from None


def _only_numbers(path: str | Path) -> str:
    """The only column in which all values are numbers, and at least one is there."""
    known: dict[str, bool] = {}  # whether a number was found, of columns that hold no other thing
    ruled_out: set[str] = set()
    for line, row in _rows(path):
        if line == 1 and is_scored_row(row):
            return "score"
        if list(row) == [_NUMBER]:
            return _NUMBER
        for name, value in row.items():
            try:
                known[name] = parse_number(value) is not None or known.get(name, False)
            except ValueError:
                ruled_out.add(name)
    found = [name for name, some in known.items() if some and name not in ruled_out]
    if len(found) == 1:
        return found[0]
    which = ", ".join(f"`{name}`" for name in found) if found else "none"
    raise DataError(
        f"`{path}` must have one column of numbers, or the name of the one to read must be given; "
        f"columns of numbers: {which}."
    )
