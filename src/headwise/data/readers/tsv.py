"""Tab-separated rows. A quotation mark is a character like any other."""

from collections.abc import Callable, Iterator
from typing import BinaryIO

from headwise.data.readers.corpora.mqm import gather_segments, is_mqm_header
from headwise.data.readers.corpora.paws_x import is_paws_x_header, paws_x_columns
from headwise.data.readers.layout import Layout, finding_columns
from headwise.data.readers.lines import content_lines
from headwise.data.records.pairs import Pair, Reject
from headwise.errors import InputError


def read_tsv(stream: BinaryIO, name: str, layout: Layout) -> Iterator[Pair | Reject]:
    """Read tab-separated rows.

    With a header, its columns are found by name and the others go into ``extra``. Without one,
    a row is source and hypothesis, or just the hypothesis if ``layout.has_source`` is false.
    Rows under the header of MQM annotations are gathered into segments; the header of PAWS-X is
    known too.

    Raises:
        DataError: If the header lacks a column, or repeats or leaves out which one is meant.
    """
    to_row: Callable[[list[str], int], Pair] | None = None
    expected = 0
    lines = content_lines(stream, name)
    for number, line in lines:
        if isinstance(line, Reject):
            yield line
            continue
        cells = line.split("\t")
        if to_row is None:
            paws_x = layout.header is not False and is_paws_x_header(cells)
            first_is_header = layout.is_header(cells) or paws_x
            if first_is_header and is_mqm_header(cells) and not layout.names_columns:
                yield from gather_segments(lines, cells, name, has_source=layout.has_source)
                return
            to_row, expected = (
                _with_header(cells, name, layout) if first_is_header else _without_header(layout)
            )
            if first_is_header:
                continue
        if len(cells) != expected:
            yield Reject(number, f"{_counted(cells)}, expected {expected}.", line)
            continue
        try:
            yield to_row(cells, number)
        except InputError as error:
            yield Reject(number, str(error), line)


def _with_header(
    header: list[str], name: str, layout: Layout
) -> tuple[Callable[[list[str], int], Pair], int]:
    with finding_columns(header, name):
        if is_paws_x_header(header) and not layout.names_columns:
            columns = paws_x_columns(header, layout)
        else:
            columns = layout.columns(header)
    return lambda cells, line: columns.pair(dict(zip(header, cells, strict=True)), line), len(
        header
    )


def _without_header(layout: Layout) -> tuple[Callable[[list[str], int], Pair], int]:
    if layout.has_source:
        return lambda cells, line: Pair(cells[0], cells[1], line), 2
    return lambda cells, line: Pair(None, cells[0], line), 1


def _counted(cells: list[str]) -> str:
    return f"The row has {len(cells)} column{'s' if len(cells) > 1 else ''}"
