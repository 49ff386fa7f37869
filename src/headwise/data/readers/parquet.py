"""Rows of Parquet files, one record batch in memory at a time."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from headwise.data.pairs import Pair, Reject
from headwise.data.readers.layout import Columns, Layout
from headwise.data.readers.tsv import find_columns
from headwise.errors import DataError

_BATCH_ROWS = 1024


def read_parquet(path: Path, layout: Layout) -> Iterator[Pair | Reject]:
    """Read rows of a Parquet file; a row's number, counted from 1, is its line.

    Raises:
        DataError: If the file is damaged, or a column is missing or not unique.
    """
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            columns = find_columns(file.schema_arrow.names, str(path), layout)
            line = 0
            for batch in file.iter_batches(batch_size=_BATCH_ROWS):
                for row in batch.to_pylist():
                    line += 1
                    yield _pair(row, line, columns)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"`{path}` cannot be read as Parquet: {error}.") from error


def _pair(row: dict[str, Any], line: int, columns: Columns) -> Pair | Reject:
    try:
        return columns.pair(row, line)
    except TypeError as error:
        return Reject(line, str(error), json.dumps(row, ensure_ascii=False, default=str))
