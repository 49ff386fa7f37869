"""Tables as Parquet.

The columns are those of the TSV writer. Words, tokens and annotations are lists of structs, word
tags structs of lists. Any other column of the input is text, boolean, integer or floating-point
if all of its values are, else JSON text.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headwise.data.writers.table import CellKind, TableColumns, extra_columns
from headwise.files import atomic_path

if TYPE_CHECKING:
    import pyarrow

_MAX_ROWS = 16_384
_MAX_BYTES = 8 * 2**20
# Larger integers among floats would change their value, so such a column is JSON
_EXACT_IN_DOUBLE = 2**53

_OFFSETS = {"start": "int64", "end": "int64"}
_MARK = _OFFSETS | dict.fromkeys(("severity", "category", "rater"), "string")


def write_parquet(lines: Path, output: Path, columns: TableColumns) -> None:
    """Turn JSON lines into a Parquet file, with a bounded number of them in memory.

    Args:
        lines: File with the lines. It is read twice: names and types of the columns are known
            only after the last row.
        output: Written under a temporary name and renamed.
        columns: What the rows hold.
    """
    import pyarrow
    import pyarrow.parquet

    schema = _schema(lines, columns)
    with (
        lines.open("rb") as source,
        atomic_path(output) as temporary,
        temporary.open("wb") as stream,
        pyarrow.parquet.ParquetWriter(stream, schema) as table,
    ):
        for chunk in _chunks(source):
            rows = [columns.flatten(line) for line in chunk]
            cells = {
                field.name: [_fit(row.get(field.name), field) for row in rows] for field in schema
            }
            table.write_table(pyarrow.table(cells, schema=schema))


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

    found: defaultdict[str, set[str]] = defaultdict(set)
    with lines.open("rb") as source:
        for line in source:
            for name, value in columns.flatten(line).items():
                found[name].add(_kind(value))
    extra = [
        _extra_field(name, _common_kind(found[name]))
        for name in extra_columns([dict.fromkeys(found)], columns.kinds)
    ]
    return pyarrow.schema([*extra, *(_field(name, kind) for name, kind in columns.kinds.items())])


def _field(name: str, kind: CellKind) -> "pyarrow.Field":
    import pyarrow

    if isinstance(kind, str):
        return pyarrow.field(name, kind)
    return pyarrow.field(name, pyarrow.list_(pyarrow.struct(list(kind.items()))))


def _extra_field(name: str, kind: str) -> "pyarrow.Field":
    """A column of the input; none but those of marks is called as these are."""
    import pyarrow

    if name == "annotations":
        return _field(name, _MARK)
    if name == "word_tags":
        flags = pyarrow.list_(pyarrow.int64())
        parts = [("words", pyarrow.list_(flags)), ("bad", flags), ("bad_gaps", flags)]
        return pyarrow.field(name, pyarrow.struct(parts))
    if kind == "json":
        return pyarrow.field(name, "string", metadata={"content": "json"})
    return pyarrow.field(name, kind)


def _kind(value: Any) -> str:
    match value:
        case None:
            return "none"
        case str():
            return "string"
        case bool():
            return "bool"
        case int() if abs(value) < _EXACT_IN_DOUBLE:
            return "int64"
        case int() if -(2**63) <= value < 2**63:
            return "long"
        case float():
            return "double"
        case _:
            return "json"


def _common_kind(kinds: set[str]) -> str:
    kinds = kinds - {"none"}
    if not kinds:
        return "string"
    if kinds <= {"int64", "long"}:
        return "int64"
    if kinds <= {"int64", "double"}:
        return "double"
    return kinds.pop() if len(kinds) == 1 else "json"


def _fit(value: Any, field: "pyarrow.Field") -> Any:
    if value is not None and field.metadata is not None:
        return _carried(json.dumps(value, ensure_ascii=False))
    if field.name == "annotations" and value is not None:
        return [{key: _carried(word) for key, word in mark.items()} for mark in value]
    return _carried(value)


def _carried(value: Any) -> Any:
    """A value without lone surrogates, which Arrow refuses."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
