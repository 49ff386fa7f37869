"""Columns of Arrow: the types of what headwise writes, and those that values of an input need.

Words, tokens and annotations are lists of structs, word tags structs of lists. Any other column of
the input is text, boolean, integer or floating-point if all of its values are, else JSON text.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headwise.data.writers.table import ALTERNATIVE, CellKind

if TYPE_CHECKING:
    import pyarrow

# Larger integers among floats would change their value, so such a column is JSON
_EXACT_IN_DOUBLE = 2**53

_OFFSETS = {"start": "int64", "end": "int64"}
_MARK: Mapping[str, CellKind] = _OFFSETS | dict.fromkeys(
    ("severity", "category", "rater"), "string"
)


class FoundColumns:
    """Columns that rows bring, in the order in which they come, and what they hold."""

    def __init__(self) -> None:
        self._kinds: defaultdict[str, set[str]] = defaultdict(set)

    def add(self, row: Mapping[str, Any]) -> None:
        """Take note of a row."""
        for name, value in row.items():
            self._kinds[name].add(_kind(value))

    def merge(self, other: "FoundColumns") -> None:
        """Take note of rows that another one has seen."""
        for name, kinds in other._kinds.items():
            self._kinds[name] |= kinds

    def fields(self, fixed: Collection[str] = ()) -> "list[pyarrow.Field]":
        """A field for each of them that is none of the ``fixed`` ones."""
        return [
            _extra_field(name, _common_kind(kinds))
            for name, kinds in self._kinds.items()
            if name not in fixed
        ]


def fields_of(kinds: Mapping[str, CellKind]) -> "list[pyarrow.Field]":
    """The fields of columns that headwise writes."""
    return [_field(name, kind) for name, kind in kinds.items()]


def arrow_table(rows: Sequence[Mapping[str, Any]], schema: "pyarrow.Schema") -> "pyarrow.Table":
    """Rows as a table of this schema, whose fields are made here; what a row lacks is null."""
    import pyarrow

    cells = {field.name: [_fit(row.get(field.name), field) for row in rows] for field in schema}
    return pyarrow.table(cells, schema=schema)


def _field(name: str, kind: CellKind) -> "pyarrow.Field":
    import pyarrow

    if isinstance(kind, str):
        return pyarrow.field(name, kind)
    struct = [_field(part, of_part) for part, of_part in kind.items()]
    return pyarrow.field(name, pyarrow.list_(pyarrow.struct(struct)))


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


def _common_kind(kinds: Iterable[str]) -> str:
    kinds = set(kinds) - {"none"}
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
    if field.name == "tokens" and value is not None:
        return [_typed(token) for token in value]
    return _carried(value)


def _typed(token: Mapping[str, Any]) -> Mapping[str, Any]:
    """A token whose alternatives, pairs in JSON, are structs."""
    if (pairs := token.get("alternatives")) is None:
        return token
    return {**token, "alternatives": [dict(zip(ALTERNATIVE, pair, strict=True)) for pair in pairs]}


def _carried(value: Any) -> Any:
    """A value without lone surrogates, which Arrow refuses."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
