"""Tables of cells: the names of their columns, and their rows."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import BinaryIO

from headwise.data.readers.cells.quoted import (
    NumberedRecord,
    Record,
    find_dialect,
    looks_quoted,
    quoted_records,
)
from headwise.data.readers.lines import Line, content_lines, numbered_lines, without_empty
from headwise.data.readers.rows import Row, RowStream, check_unique
from headwise.data.records.pairs import Reject
from headwise.errors import DataError

logger = logging.getLogger(__name__)

Naming = Callable[[list[str]], Sequence[str] | None]
"""Names the columns of a table of cells by its first row; ``None`` if these are the names."""

_NEVER = "\n"  # no line holds one


def tsv_table(
    stream: BinaryIO,
    name: str,
    naming: Naming = lambda _: None,
    *,
    quotes: bool | None = None,
    keep_blank: bool = False,
    live: bool = False,
) -> RowStream:
    """Tab-separated rows.

    A quotation mark is a character like any other, unless the cells look quoted
    (:func:`~headwise.data.readers.cells.quoted.looks_quoted`) or ``quotes`` says that they are.
    ``keep_blank`` makes a row of an empty line if there is one column; ``live`` text is not looked
    at for longer than its writer may take.

    Raises:
        DataError: If the header has a name twice.
    """
    lines = numbered_lines(stream, name) if keep_blank else content_lines(stream, name)
    early: list[Reject] = []
    for numbered in without_empty(lines) if keep_blank else lines:
        if isinstance(first := numbered[1], str):
            break
        early.append(first)
    else:
        return RowStream(name=name, columns=(), named=False, rows=iter(early))
    looks = quotes is None
    if looks and '"' in first:
        looks, lines = False, chain([numbered], lines)
        quotes, lines = looks_quoted(lines, None, live=live)
        if quotes:
            _say_quoted(name, numbered[0])
        else:
            next(lines)
    elif quotes:
        lines = chain([numbered], lines)
    if quotes:
        records = quoted_records(lines)
        return table_of_records(records, name, naming, keep_blank=keep_blank, early=early)
    columns, named = _name_columns(first.split("\t"), naming, name)
    if keep_blank and len(columns) > 1:
        lines = without_empty(lines)
    rest = lines if named else chain([numbered], lines)
    rows = _plain_rows(rest, columns, name, looks=looks, live=live)
    return RowStream(name=name, columns=columns, named=named, rows=chain(early, rows))


def csv_table(
    stream: BinaryIO,
    name: str,
    naming: Naming = lambda _: None,
    *,
    quotes: bool | None = None,
    keep_blank: bool = False,
    live: bool = False,
) -> RowStream:
    """Rows of cells that are parted by commas, semicolons or tabs; the rest as :func:`tsv_table`.

    Raises:
        DataError: If the header has a name twice.
    """

    def is_header(cells: list[str]) -> bool:
        try:
            return naming(cells) is None
        except DataError:
            return False

    dialect, lines = find_dialect(numbered_lines(stream, name), name, is_header, live=live)
    records = quoted_records(lines, dialect._replace(quotes=quotes is not False))
    return table_of_records(records, name, naming, keep_blank=keep_blank)


def table_of_records(
    records: Iterator[NumberedRecord],
    name: str,
    naming: Naming,
    *,
    keep_blank: bool = False,
    padded: bool = False,
    early: Sequence[Reject] = (),
) -> RowStream:
    """The table that records make.

    Args:
        records: Its rows, the first one, which may name the columns, among them.
        name: What it is called.
        naming: Names the columns.
        keep_blank: Whether an empty record is a row if there is one column.
        padded: Whether empty cells at the end of a row may be missing.
        early: What came before the records and cannot be read.

    Raises:
        DataError: If the header has a name twice.
    """
    before = list(early)
    for numbered in without_empty(records):
        if isinstance(first := numbered[1], Record):
            break
        assert isinstance(first, Reject)
        before.append(first)
    else:
        return RowStream(name=name, columns=(), named=False, rows=iter(before))
    columns, named = _name_columns(first.cells, naming, name)
    rest = records if keep_blank and len(columns) == 1 else without_empty(records)
    if not named:
        rest = chain([numbered], rest)
    rows = _rows(rest, columns, padded=padded)
    return RowStream(name=name, columns=columns, named=named, rows=chain(before, rows))


def _name_columns(cells: list[str], naming: Naming, name: str) -> tuple[tuple[str, ...], bool]:
    """The columns, and whether the first row names them; a column without a name is numbered."""
    columns = naming(cells)
    if columns is not None:
        return tuple(columns), False
    named = tuple(
        cell if cell.strip() else f"column {place}" for place, cell in enumerate(cells, start=1)
    )
    check_unique(named, name)
    return named, True


def _plain_rows(
    lines: Iterator[Line], columns: Sequence[str], name: str, *, looks: bool, live: bool
) -> Iterator[Row | Reject]:
    """Rows of cells with tabs between, until quotation marks say that cells are quoted."""
    width, mark = len(columns), '"' if looks else _NEVER
    for number, line in lines:
        if isinstance(line, Reject):
            yield line
            continue
        if mark in line:
            seen = chain([(number, line)], lines)
            quoted, rest = looks_quoted(seen, _widths(columns), live=live)
            if quoted:
                _say_quoted(name, number)
                yield from _rows(without_empty(quoted_records(rest)), columns)
            else:
                yield from _plain_rows(rest, columns, name, looks=False, live=live)
            return
        cells = line.split("\t")
        if len(cells) == width:
            # Compared already; `strict` would cost more than all the rest of this line
            yield Row(number, dict(zip(columns, cells)), line)  # noqa: B905
        else:
            yield _row(number, cells, line, columns)


def _rows(
    records: Iterable[NumberedRecord], columns: Sequence[str], *, padded: bool = False
) -> Iterator[Row | Reject]:
    for number, record in records:
        if isinstance(record, Reject):
            yield record
            continue
        cells, text = record if isinstance(record, Record) else ([""], "")
        if padded:
            cells = cells + [""] * (len(columns) - len(cells))
        yield _row(number, cells, text, columns)


def _row(number: int, cells: Sequence[str], text: str, columns: Sequence[str]) -> Row | Reject:
    if len(cells) in _widths(columns):
        return Row(number, dict(zip(columns, cells, strict=False)), text)
    found = f"{len(cells)} column{'s' if len(cells) > 1 else ''}"
    alone = len(cells) == 1 and tuple(columns) == ("source", "hypothesis")
    remedy = " Text on its own needs --no-source." if alone else ""
    return Reject(number, f"The row has {found}, expected {len(columns)}.{remedy}", text)


def _widths(columns: Sequence[str]) -> tuple[int, ...]:
    """How many cells a row may have: those of the header, in which the last may be a remark."""
    width = len(columns)
    return (width, width - 1) if columns[-1].lstrip().startswith("#") else (width,)


def _say_quoted(name: str, number: int) -> None:
    logger.info(
        "`%s`, line %d: cells are in quotation marks, as spreadsheets and pandas write them, and "
        "are read without them (as they stand with --no-quotes).",
        name,
        number,
    )
