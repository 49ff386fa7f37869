"""Tables as Parquet.

The columns are those of the TSV writer. Words, tokens and annotations are lists of structs, word
tags structs of lists. Any other column of the input is text, boolean, integer or floating-point
if all of its values are, else JSON text.
"""

import json
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_never

from headwise.data.writers.table import CellKind, Pieces, TableColumns, chunks, extra_columns
from headwise.files import atomic_path

if TYPE_CHECKING:
    import pyarrow

_MAX_ROWS = 16_384
_MAX_BYTES = 8 * 2**20
_EXACT_IN_DOUBLE = 2**53


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
        for chunk in chunks(source, max_rows=_MAX_ROWS, max_bytes=_MAX_BYTES):
            rows = [columns.flatten(line) for line in chunk]
            cells = {
                field.name: [_fit(row.get(field.name), field) for row in rows] for field in schema
            }
            table.write_table(pyarrow.table(cells, schema=schema))


def _schema(lines: Path, columns: TableColumns) -> "pyarrow.Schema":
    import pyarrow

    kinds: defaultdict[str, set[str]] = defaultdict(set)
    with lines.open("rb") as source:
        for line in source:
            for name, value in columns.flatten(line).items():
                kinds[name].add(_kind(value))
    types = {
        "text": pyarrow.string(),
        "bool": pyarrow.bool_(),
        "int": pyarrow.int64(),
        "float": pyarrow.float64(),
    }
    marks = _mark_types()
    extra = [
        pyarrow.field(name, found)
        if (found := marks.get(name) or types.get(_common_kind(kinds[name])))
        else pyarrow.field(name, pyarrow.string(), metadata={"content": "json"})
        for name in extra_columns([dict.fromkeys(kinds)], columns.kinds)
    ]
    return pyarrow.schema(
        [*extra, *(_fixed_field(name, kind) for name, kind in columns.kinds.items())]
    )


def _fixed_field(name: str, kind: CellKind | Pieces) -> "pyarrow.Field":
    import pyarrow

    match kind:
        case CellKind.TEXT:
            return pyarrow.field(name, pyarrow.string())
        case CellKind.TRUTH:
            return pyarrow.field(name, pyarrow.bool_())
        case CellKind.NUMBER:
            return pyarrow.field(name, pyarrow.float64())
        case Pieces():
            return pyarrow.field(name, pyarrow.list_(_piece_type(kind)))
        case _:
            assert_never(kind)


def _piece_type(pieces: Pieces) -> "pyarrow.DataType":
    import pyarrow

    parts = {"text": pyarrow.string()}
    parts |= {"id": pyarrow.int64()} if pieces.are_tokens else {}
    parts |= {"start": pyarrow.int64(), "end": pyarrow.int64()}
    parts |= {"special": pyarrow.bool_()} if pieces.are_tokens else {}
    parts |= dict.fromkeys(pieces.values, pyarrow.float64())
    return pyarrow.struct(list(parts.items()))


def _mark_types() -> "dict[str, pyarrow.DataType]":
    """Types of the columns that hold what people marked; no other column has these names."""
    import pyarrow

    places = {"start": pyarrow.int64(), "end": pyarrow.int64()}
    words = dict.fromkeys(("severity", "category", "rater"), pyarrow.string())
    flags = pyarrow.list_(pyarrow.int64())
    return {
        "annotations": pyarrow.list_(pyarrow.struct(list((places | words).items()))),
        "word_tags": pyarrow.struct(
            [("words", pyarrow.list_(flags)), ("bad", flags), ("bad_gaps", flags)]
        ),
    }


def _kind(value: Any) -> str:
    match value:
        case None:
            return "none"
        case str():
            return "text"
        case bool():
            return "bool"
        case int() if abs(value) < _EXACT_IN_DOUBLE:
            return "int"
        case int() if -(2**63) <= value < 2**63:
            return "long"
        case float():
            return "float"
        case _:
            return "json"


def _common_kind(kinds: set[str]) -> str:
    kinds = kinds - {"none"}
    if not kinds:
        return "text"
    if kinds <= {"int", "long"}:
        return "int"
    if kinds <= {"int", "float"}:
        return "float"
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
