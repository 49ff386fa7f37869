"""Numbers from a file, one a row, such as the scores of another system.

Rows are never matched by cutting the longer side: files with different numbers of rows do not
belong together.
"""

import json
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from headwise.data.readers.layout import Format, finding_columns
from headwise.data.readers.lines import text_lines
from headwise.data.readers.opening import open_bytes, resolve_format
from headwise.data.records.json_values import parse_number
from headwise.errors import DataError

Row = tuple[int, Mapping[str, Any]]


# The name of the only column of a text file that has no header
_NUMBER = "number"


def _rows(path: str | Path) -> Iterator[Row]:
    """Rows by column, with the line of each; rows of a Parquet file are counted from 1."""
    format_ = resolve_format(path) if _has_known_suffix(path) else Format.TSV
    if format_ is Format.PARQUET:
        yield from _parquet_rows(path)
        return
    with open_bytes(path) as stream:
        lines = text_lines(stream, str(path))
        if format_ is Format.JSONL:
            yield from _json_rows(lines, path)
        else:
            yield from _table_rows(lines, path)


def _has_known_suffix(path: str | Path) -> bool:
    try:
        resolve_format(path)
    except DataError:
        return False
    return True


def _json_rows(lines: Iterator[tuple[int, str]], path: str | Path) -> Iterator[Row]:
    for line, text in _without_empty_end(lines, path):
        try:
            row = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DataError(f"Line {line} of `{path}` is no JSON: {error}.") from None
        if not isinstance(row, dict):
            raise DataError(f"Line {line} of `{path}` must be a JSON object, got {text[:20]!r}.")
        yield line, row


def _table_rows(lines: Iterator[tuple[int, str]], path: str | Path) -> Iterator[Row]:
    first = next(lines, None)
    if first is None:
        return
    header = first[1].split("\t")
    if len(header) == 1 and _is_number(first[1]):
        header, lines = [_NUMBER], chain([first], lines)
    with finding_columns(header, str(path)):
        pass
    # Where there is one column, an empty line is a row that has no number
    for line, text in lines if len(header) == 1 else _without_empty_end(lines, path):
        cells = text.split("\t")
        if len(cells) != len(header):
            raise DataError(
                f"Line {line} of `{path}` has {len(cells)} columns, expected {len(header)}."
            )
        yield line, dict(zip(header, cells, strict=True))


def _without_empty_end(
    lines: Iterator[tuple[int, str]], path: str | Path
) -> Iterator[tuple[int, str]]:
    empty = 0
    for line, text in lines:
        if not text:
            empty = empty or line
            continue
        if empty:
            raise DataError(f"Line {empty} of `{path}` is empty; remove it, or fill it in.")
        yield line, text


def _is_number(text: str) -> bool:
    try:
        parse_number(text)
    except ValueError:
        return False
    return True


def _parquet_rows(path: str | Path) -> Iterator[Row]:
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            plain = [f.name for f in file.schema_arrow if not pyarrow.types.is_nested(f.type)]
            line = 0
            for batch in file.iter_batches(columns=plain):
                for row in batch.to_pylist():
                    line += 1
                    yield line, row
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"`{path}` cannot be read as Parquet: {error}.") from error
