"""Tables as Parquet; the columns are those of the TSV writer."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from headwise.data.writers.arrow_columns import FoundColumns, arrow_table, fields_of
from headwise.data.writers.table import TableColumns
from headwise.files import atomic_path

if TYPE_CHECKING:
    import pyarrow

_MAX_ROWS = 16_384
_MAX_BYTES = 8 * 2**20


def write_parquet(lines: Path, output: Path, columns: TableColumns) -> None:
    """Turn JSON lines into a Parquet file, with a bounded number of them in memory.

    Args:
        lines: File with the lines. It is read twice: names and types of the columns are known
            only after the last row.
        output: Written under a temporary name and renamed.
        columns: What the rows hold.
    """
    import pyarrow.parquet

    schema = _schema(lines, columns)
    with (
        lines.open("rb") as source,
        atomic_path(output) as temporary,
        temporary.open("wb") as stream,
        pyarrow.parquet.ParquetWriter(stream, schema) as table,
    ):
        for chunk in _chunks(source):
            table.write_table(arrow_table(list(map(columns.flatten, chunk)), schema))


def _chunks(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    chunk: list[bytes] = []
    size = 0
    for line in lines:
        if chunk and (len(chunk) == _MAX_ROWS or size + len(line) > _MAX_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(line)
        size += len(line)
    if chunk:
        yield chunk


def _schema(lines: Path, columns: TableColumns) -> "pyarrow.Schema":
    import pyarrow

    found = FoundColumns()
    with lines.open("rb") as source:
        for line in source:
            found.add(columns.flatten(line))
    return pyarrow.schema([*found.fields(columns.kinds), *fields_of(columns.kinds)])
