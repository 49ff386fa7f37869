"""Numbers from a file, one a row, such as the scores of another system.

Rows are never matched by cutting the longer side: files with different numbers of rows do not
belong together.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from headwise.data.readers.column_names import HYPOTHESIS, SOURCE, Role, folded
from headwise.data.readers.layout import Format
from headwise.data.readers.opening import check_readable, suffix_format
from headwise.data.readers.rows import Row, all_rows
from headwise.data.readers.scored import is_scored_row
from headwise.data.readers.tables import check_input, open_table
from headwise.data.records.json_values import listed, parse_number
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import ScoredHypothesis
from headwise.data.writers.tsv import unescape_cell
from headwise.errors import DataError

# The name of the only column of a text file that has no header
_NUMBER = "number"
_SHOWN_CHARACTERS = 60


def read_numbers(
    path: str | Path, *, column: str | None = None, encoding: str | None = None
) -> list[float | None]:
    """Read one number a row.

    Args:
        path: A text file with a number a line; a TSV, CSV or XLSX file with a header; a JSONL or
            Parquet file. Text also as ``.gz``.
        column: Name of the column or key; its number, from 1, of a table without a header. By
            default the only one that holds nothing but numbers; of a file that `headwise score`
            wrote, the score. There, a signal is a column as well.
        encoding: That of text, if it is neither UTF-8 nor UTF-16.

    Returns:
        The numbers in order; ``None`` where a cell is empty, ``null`` or ``nan``.

    Raises:
        DataError: If the file is missing or damaged, there is no such column or none to choose,
            or a value is no number, with its line.
    """
    check_readable(path)
    if suffix_format(path) is not None:
        check_input(path)
    if column is None:
        column = _only_numbers(path, encoding)
    return [_number(row, column, path) for row in _rows(path, column, encoding)]


def join_numbers(
    path: str | Path,
    column: str | None,
    rows: Sequence[Pair | ScoredHypothesis],
    *,
    encoding: str | None = None,
) -> list[float | None]:
    """Read one number for each row of ours.

    If the file has a source or a hypothesis of its own, under one of the names that the readers
    of pairs know, it must be that of our row.

    Args:
        path: A table or JSON lines.
        column: The column with the numbers; ``None`` for the only one that has any.
        rows: Our rows, in order.
        encoding: Of text files; ``None`` for UTF-8, or UTF-16 with its mark.

    Raises:
        DataError: If the file has more or fewer rows, or other texts; as in
            :func:`read_numbers` otherwise.
    """
    numbers = read_numbers(path, column=column, encoding=encoding)
    if len(numbers) != len(rows):
        raise DataError(
            f"`{path}` has {len(numbers):,} rows, and there are {len(rows):,} to join them to; "
            "both must be of the same texts in the same order."
        )
    for found, ours in zip(_rows(path, column, encoding), rows, strict=True):
        _check_text(found, SOURCE, ours.source, path)
        _check_text(found, HYPOTHESIS, ours.hypothesis, path)
    return numbers


def _rows(path: str | Path, column: str | None, encoding: str | None) -> Iterator[Row]:
    format_ = suffix_format(path) or Format.TSV  # a name may say nothing: numbers, one a line
    # An empty line among numbers is a row that has none
    with open_table(
        path,
        format_,
        naming=partial(_name_columns, chosen=column),
        encoding=encoding,
        keep_blank=True,
        flat=True,
    ) as table:
        yield from all_rows(table)


def _name_columns(cells: Sequence[str], *, chosen: str | None) -> Sequence[str] | None:
    if chosen is not None and chosen.isdecimal() and chosen not in cells:
        return [str(place) for place in range(1, len(cells) + 1)]
    return [_NUMBER] if len(cells) == 1 and _is_number(cells[0]) else None


def _is_number(text: str) -> bool:
    try:
        parse_number(text)
    except ValueError:
        return False
    return True


def _check_text(row: Row, role: Role, ours: str | None, path: str | Path) -> None:
    texts = {
        name: value
        for name, value in row.values.items()
        if folded(name) in role.names and isinstance(value, str)
    }
    if len(texts) != 1 or ours is None:
        return
    ((name, text),) = texts.items()
    if ours not in (text, unescape_cell(text)):
        raise DataError(
            f"`{name}` in line {row.line} of `{path}` is {text[:_SHOWN_CHARACTERS]!r}, and in the "
            f"row to join it to {ours[:_SHOWN_CHARACTERS]!r}; both must be of the same texts in "
            "the same order. If the column holds another text, rename it."
        )


def _number(row: Row, column: str, path: str | Path) -> float | None:
    values = row.values
    if column not in values and is_scored_row(values):
        values = values | values["signals"]
    if column not in values:
        raise DataError(f"Line {row.line} of `{path}` has no `{column}`; it has {listed(values)}.")
    try:
        return parse_number(values[column])
    except ValueError as error:
        raise DataError(f"In line {row.line} of `{path}`, `{column}`: {error}.") from None


def _only_numbers(path: str | Path, encoding: str | None) -> str:
    """The only column in which all values are numbers, and at least one is there."""
    known: dict[str, bool] = {}  # whether a number was found, of columns that hold no other thing
    ruled_out: set[str] = set()
    for row in _rows(path, None, encoding):
        if row.line == 1 and is_scored_row(row.values):
            return "score"
        if list(row.values) == [_NUMBER]:
            return _NUMBER
        for name, value in row.values.items():
            try:
                known[name] = parse_number(value) is not None or known.get(name, False)
            except ValueError:
                ruled_out.add(name)
    found = [name for name, some in known.items() if some and name not in ruled_out]
    if len(found) == 1:
        return found[0]
    raise DataError(
        f"`{path}` must have one column of numbers, or the name of the one to read must be given; "
        f"columns of numbers: {listed(found)}."
    )
