"""Rows of Parquet files, one record batch in memory at a time."""

from collections.abc import Iterator
from pathlib import Path

from headwise.data.pairs import Pair, Reject
from headwise.data.readers.arrow_rows import BATCH_ROWS, read_batches
from headwise.data.readers.layout import Layout
from headwise.errors import DataError


def read_parquet(path: Path, layout: Layout) -> Iterator[Pair | Reject]:
    """Read rows of a Parquet file; a row's number, counted from 1, is its line.

    Raises:
        DataError: If the file is damaged, or a column is missing or not unique.
    """
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            batches = file.iter_batches(batch_size=BATCH_ROWS)
            yield from read_batches(batches, file.schema_arrow, str(path), layout)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"`{path}` cannot be read as Parquet: {error}.") from error
