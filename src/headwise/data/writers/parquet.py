"""Tables as Parquet.

The columns are those of the TSV writer. Words, tokens and annotations are lists of structs, word
tags structs of lists. Any other column of the input is text, boolean, integer or floating-point
if all of its values are, else JSON text.
"""

import json
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headwise.atomic import atomic_path
from headwise.data.writers.table import TableLayout, chunks

if TYPE_CHECKING:
    import pyarrow

_MAX_ROWS = 16_384
_MAX_BYTES = 8 * 2**20
_EXACT_IN_DOUBLE = 2**53


def write_parquet(lines: Path, output: Path, layout: TableLayout) -> None:
    """Turn JSON lines into a Parquet file, with a bounded number of them in memory.

    Args:
        lines: File with the lines of scored rows. It is read twice: names and types of the
            columns are known only after the last row.
        output: Written under a temporary name and renamed.
        layout: What the rows hold.
    """
    import pyarrow
    import pyarrow.parquet

    schema = _schema(lines, layout)
    with (
        lines.open("rb") as source,
        atomic_path(output) as temporary,
        temporary.open("wb") as stream,
        pyarrow.parquet.ParquetWriter(stream, schema) as table,
    ):
        for chunk in chunks(source, max_rows=_MAX_ROWS, max_bytes=_MAX_BYTES):
            rows = [layout.flatten(line) for line in chunk]
            columns = {
                field.name: [_fit(row.get(field.name), field) for row in rows] for field in schema
            }
            table.write_table(pyarrow.table(columns, schema=schema))


def _schema(lines: Path, layout: TableLayout) -> "pyarrow.Schema":
    import pyarrow

    kinds: defaultdict[str, set[str]] = defaultdict(set)
    with lines.open("rb") as source:
        for line in source:
            for name, value in layout.flatten(line).items():
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
        for name in layout.extra_columns([dict.fromkeys(kinds)])
    ]
    return pyarrow.schema([*extra, *(_fixed_field(name, layout) for name in layout.columns)])


def _fixed_field(name: str, layout: TableLayout) -> "pyarrow.Field":
    import pyarrow

    if name in ("source", "hypothesis"):
        return pyarrow.field(name, pyarrow.string())
    if name not in ("words", "tokens"):
        return pyarrow.field(name, pyarrow.float64())
    parts = {"text": pyarrow.string()}
    parts |= {"id": pyarrow.int64()} if name == "tokens" else {}
    parts |= {"start": pyarrow.int64(), "end": pyarrow.int64()}
    parts |= {"special": pyarrow.bool_()} if name == "tokens" else {}
    parts |= {signal.value: pyarrow.float64() for signal in layout.signals}
    return pyarrow.field(name, pyarrow.list_(pyarrow.struct(list(parts.items()))))


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
