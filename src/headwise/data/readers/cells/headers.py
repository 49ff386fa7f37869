"""The row of a table of cells that names its columns, and what it leaves out."""

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

from headwise.data.readers.cells.quoted import NumberedRecord, Record
from headwise.data.readers.rows import check_unique
from headwise.errors import DataError

logger = logging.getLogger(__name__)

Naming = Callable[[list[str]], Sequence[str] | None]
"""Names the columns of a table of cells by its first row; ``None`` if these are the names."""

# How many rows are looked at to find a header below a title, and names of rows
MOST_SEEN = 20


def most_seen(*, keep_blank: bool, live: bool) -> int:
    """One of text that is live, and of numbers, whose rows may be empty."""
    return 1 if keep_blank or live else MOST_SEEN


class Head(NamedTuple):
    """The columns, whether a row names them, and how many rows it takes up with those above it."""

    columns: tuple[str, ...]
    named: bool
    height: int


def find_head(records: Sequence[NumberedRecord], naming: Naming, name: str) -> Head:
    """Columns by the first rows of a table; a column without a name is numbered.

    The header may stand below rows of fewer cells, such as a title. If all rows begin with their
    number, for which the header has no cell, that is a column, too: R writes tables so.
    """
    place = header_place(records, naming) or 0
    number, first = records[place]
    assert isinstance(first, Record)
    columns = _named_by(naming, first.cells)
    if columns is not None:
        return Head(tuple(columns), False, 0)
    named = tuple(
        cell if cell.strip() else f"column {n}" for n, cell in enumerate(first.cells, start=1)
    )
    check_unique(named, name)
    if place:
        logger.info("`%s`: the header is in line %d; what is above is left out.", name, number)
    if _have_row_numbers([r for _, r in records[place + 1 :] if isinstance(r, Record)], len(named)):
        logger.info("`%s`: rows begin with their number, for which there is no name.", name)
        named = ("column 1", *named)
    return Head(named, True, place + 1)


def header_place(records: Sequence[NumberedRecord], naming: Naming) -> int | None:
    """Which of the first rows is the header: it has more cells than any row above it."""
    widest = 0
    for place, (_, record) in enumerate(records[:MOST_SEEN]):
        if not isinstance(record, Record):
            continue
        filled = sum(bool(cell.strip()) for cell in record.cells)
        if filled > widest and _is_header(record.cells, naming):
            return place
        widest = max(widest, filled)
    return None


def _is_header(cells: list[str], naming: Naming) -> bool:
    try:
        return naming(cells) is None
    except DataError:
        return False


def _named_by(naming: Naming, cells: list[str]) -> Sequence[str] | None:
    """What `naming` says of cells, or where it asks for more, of all but empty ones at the end."""
    try:
        return naming(cells)
    except DataError:
        if cells[-1]:
            raise
        return _named_by(naming, cells[:-1])


def _have_row_numbers(rows: Sequence[Record], width: int) -> bool:
    """Whether all rows begin with their number and have one cell more than the header.

    Commas that stand unquoted in the texts of all rows could look so, too.
    """
    first = [row.cells[0] for row in rows if len(row.cells) == width + 1 and row.cells[-1]]
    if len(first) < max(2, len(rows)) or not all(cell.isdecimal() for cell in first):
        return False
    numbers = [int(cell) for cell in first]
    parted = all(row.text.startswith('"') or row.text.count("\t") >= width for row in rows)
    return parted and numbers == sorted(set(numbers))
