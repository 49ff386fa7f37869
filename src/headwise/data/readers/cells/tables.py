"""Tables of cells: the names of their columns, and their rows."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import BinaryIO, TypeVar

from headwise.data.readers.cells.headers import Naming, find_head, header_place, most_seen
from headwise.data.readers.cells.quoted import (
    NumberedRecord,
    Record,
    find_dialect,
    looks_quoted,
    quoted_records,
)
from headwise.data.readers.lines import Line, content_lines, numbered_lines, without_empty
from headwise.data.readers.rows import Row, RowStream
from headwise.data.records.pairs import Reject

logger = logging.getLogger(__name__)

T = TypeVar("T")

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
    every = numbered_lines(stream, name) if keep_blank else content_lines(stream, name)
    early, first = _first_readable(every)
    if first is None:
        return _no_rows(early, name)
    lines: Iterator[Line] = chain([first], every)
    looks = quotes is None and '"' not in first[1]  # then a later line may still say so
    if quotes is None and not looks:
        quotes, lines = looks_quoted(lines, None, live=live)
        if quotes:
            _say_quoted(name, first[0])
    if quotes:
        return table_of_records(
            quoted_records(lines), name, naming, keep_blank=keep_blank, early=early, live=live
        )
    sample = list(islice(lines, most_seen(keep_blank=keep_blank, live=live)))
    records = [(n, Record(t.split("\t"), t) if isinstance(t, str) else t) for n, t in sample]
    head = find_head(records, naming, name)
    rest: Iterator[Line] = chain(sample[head.height :], lines)
    if keep_blank and len(head.columns) > 1:
        rest = without_empty(rest)
    rows = _plain_rows(rest, head.columns, name, looks=looks, live=live)
    return RowStream(name=name, columns=head.columns, named=head.named, rows=chain(early, rows))


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

    def header_of(records: Sequence[Record]) -> Record | None:
        place = header_place([*enumerate(records)], naming)
        return None if place is None else records[place]

    dialect, lines = find_dialect(numbered_lines(stream, name), name, header_of, live=live)
    records = quoted_records(lines, dialect._replace(quotes=quotes is not False))
    return table_of_records(records, name, naming, keep_blank=keep_blank, live=live)


def table_of_records(
    records: Iterator[NumberedRecord],
    name: str,
    naming: Naming,
    *,
    keep_blank: bool = False,
    padded: bool = False,
    live: bool = False,
    early: Sequence[Reject] = (),
) -> RowStream:
    """The table that records make.

    Args:
        records: Its rows, the first one, which may name the columns, among them.
        name: What it is called.
        naming: Names the columns.
        keep_blank: Whether an empty record is a row if there is one column.
        padded: Whether empty cells at the end of a row may be missing, and cells may stand beside
            the columns that a header names.
        live: Whether someone may be waiting for the rows; then few are looked at beforehand.
        early: What came before the records and cannot be read.

    Raises:
        DataError: If the header has a name twice.
    """
    more, first = _first_readable(records)
    before = [*early, *more]
    if first is None or not isinstance(first[1], Record):
        return _no_rows(before, name)
    sample: list[NumberedRecord] = [(first[0], first[1])]
    sample += islice(records, most_seen(keep_blank=keep_blank, live=live) - 1)
    head = find_head(sample, naming, name)
    rest: Iterator[NumberedRecord] = chain(sample[head.height :], records)
    if not (keep_blank and len(head.columns) == 1):
        rest = without_empty(rest)
    rows = _rows(rest, head.columns, padded=padded, widens=padded and head.named)
    return RowStream(name=name, columns=head.columns, named=head.named, rows=chain(before, rows))


def _no_rows(early: Sequence[Reject], name: str) -> RowStream:
    return RowStream(name=name, columns=(), named=False, rows=iter(early))


def _first_readable(
    numbered: Iterable[tuple[int, T | Reject]],
) -> tuple[list[Reject], tuple[int, T] | None]:
    """Rejects before the first line or record that is none, and that one, if there is any."""
    early: list[Reject] = []
    for number, one in without_empty(numbered):
        if not isinstance(one, Reject):
            return early, (number, one)
        early.append(one)
    return early, None


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
        # A carriage return that ends a cell is left of a line end in another system
        cells = line.replace("\r\t", "\t").split("\t")
        if len(cells) == width:
            # Compared already; `strict` would cost more than all the rest of this line
            yield Row(number, dict(zip(columns, cells)), line)  # noqa: B905
        else:
            yield _row(number, cells, line, columns)


def _rows(
    records: Iterable[NumberedRecord],
    columns: Sequence[str],
    *,
    padded: bool = False,
    widens: bool = False,
) -> Iterator[Row | Reject]:
    for number, record in records:
        if isinstance(record, Reject):
            yield record
            continue
        cells, text = record if isinstance(record, Record) else ([""], "")
        names = columns
        if padded:
            cells = cells + [""] * (len(columns) - len(cells))
        if widens:
            beside = range(len(columns) + 1, len(cells) + 1)
            names = [*columns, *(f"column {place}" for place in beside)]
        yield _row(number, cells, text, names)


def _row(number: int, cells: Sequence[str], text: str, columns: Sequence[str]) -> Row | Reject:
    width = len(columns)
    while len(cells) > width and not cells[-1]:  # delimiters at the end of a line part nothing
        cells = cells[:-1]
    if len(cells) in _widths(columns):
        return Row(number, dict(zip(columns, cells, strict=False)), text)
    found = f"{len(cells)} column{'s' if len(cells) > 1 else ''}"
    alone = len(cells) == 1 and tuple(columns) == ("source", "hypothesis")
    remedy = " Text on its own needs --no-source." if alone else ""
    return Reject(number, f"The row has {found}, expected {width}.{remedy}", text)


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
