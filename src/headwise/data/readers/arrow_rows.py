"""Rows of Arrow record batches, which Parquet files and data sets are made of."""

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from headwise.data.pairs import Pair, Reject
from headwise.data.readers.layout import Layout, finding_columns
from headwise.data.readers.nested_rows import TRANSLATION, find_nested
from headwise.errors import InputError

if TYPE_CHECKING:
    import pyarrow

BATCH_ROWS = 1024


def read_batches(
    batches: "Iterable[pyarrow.RecordBatch | pyarrow.Table]",
    schema: "pyarrow.Schema",
    name: str,
    layout: Layout,
) -> Iterator[Pair | Reject]:
    """Read rows; a row's number, counted from 1, is its line.

    Raises:
        DataError: If a column is missing or not unique.
    """
    with finding_columns(schema.names, name):
        columns = find_nested(schema.names, layout, languages=_languages(schema))
    line = 0
    for batch in batches:
        for row in batch.to_pylist():
            line += 1
            try:
                pairs = columns.pairs(row, line)
            except InputError as error:
                yield Reject(line, str(error), json.dumps(row, ensure_ascii=False, default=str))
            else:
                yield from pairs


def _languages(schema: "pyarrow.Schema") -> list[str] | None:
    import pyarrow

    if TRANSLATION not in schema.names:
        return None
    kind = schema.field(TRANSLATION).type
    return [field.name for field in kind] if pyarrow.types.is_struct(kind) else None
