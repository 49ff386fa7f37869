"""Tab-separated rows. A quotation mark is a character like any other."""

from collections.abc import Callable, Iterator
from typing import BinaryIO

from headwise.data.pairs import Pair, Reject
from headwise.data.readers.layout import Columns, Layout
from headwise.data.readers.lines import content_lines
from headwise.errors import DataError


def read_tsv(stream: BinaryIO, name: str, layout: Layout) -> Iterator[Pair | Reject]:
    """Read tab-separated rows.

    With a header, its columns are found by name and the others go into ``extra``. Without one,
    a row is source and hypothesis, or just the hypothesis if ``layout.has_source`` is false.

    Raises:
        DataError: If the header lacks a column, or repeats or leaves out which one is meant.
    """
    to_row: Callable[[list[str], int], Pair] | None = None
    expected = 0
    for number, line in content_lines(stream, name):
        if isinstance(line, Reject):
            yield line
            continue
        cells = line.split("\t")
        if to_row is None:
            first_is_header = layout.is_header(cells)
            to_row, expected = (
                _with_header(cells, name, layout) if first_is_header else _without_header(layout)
            )
            if first_is_header:
                continue
        if len(cells) == expected:
            yield to_row(cells, number)
        else:
            yield Reject(number, f"{_counted(cells)}, expected {expected}.", line)


def _with_header(
    header: list[str], name: str, layout: Layout
) -> tuple[Callable[[list[str], int], Pair], int]:
    columns = find_columns(header, name, layout)
    return lambda cells, line: columns.pair(dict(zip(header, cells, strict=True)), line), len(
        header
    )


def _without_header(layout: Layout) -> tuple[Callable[[list[str], int], Pair], int]:
    if layout.has_source:
        return lambda cells, line: Pair(cells[0], cells[1], line), 2
    return lambda cells, line: Pair(None, cells[0], line), 1


def find_columns(header: list[str], name: str, layout: Layout) -> Columns:
    """Find the texts in the header of a table.

    Raises:
        DataError: If a column is missing, stands there twice, or several could be meant.
    """
    repeated = sorted({column for column in header if header.count(column) > 1})
    if repeated:
        raise DataError(f"`{name}` has more than one column called `{repeated[0]}`; rename one.")
    try:
        return layout.columns(header)
    except LookupError as error:
        raise DataError(f"In the header of `{name}` {error.args[0]}.") from None


def _counted(cells: list[str]) -> str:
    return f"The row has {len(cells)} column{'s' if len(cells) > 1 else ''}"
