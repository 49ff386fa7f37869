"""What one line of output holds."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from headwise.data.pairs import Reject
from headwise.data.scored import Level, ScoredHypothesis
from headwise.data.signals import Signal

RESERVED_NAMES = frozenset(
    {"source", "hypothesis", "score", "signals", "words", "tokens", *(s.value for s in Signal)}
)


def scored_row(scored: ScoredHypothesis, level: Level) -> dict[str, Any]:
    """A scored hypothesis as a row, behind the other columns of the row that it came from.

    A column of the input that has the name of one that is written here keeps its values under
    ``input_<name>``: the ``score`` of people does not vanish under that of the head.
    """
    row = replace(scored, extra=None).as_dict(level)
    return {**_beside_reserved(scored.extra or {}), **row}


def reject_row(reject: Reject) -> dict[str, Any]:
    """A reject as a row."""
    return {"line": reject.line, "reason": reject.reason, "content": reject.content}


def json_line(row: Mapping[str, Any]) -> bytes:
    """A row as one line of strict JSON in UTF-8, line end included.

    JSON has no NaN and no infinity: they are written as ``null``. Lone surrogates, which UTF-8
    cannot carry, are written as JSON escapes. Dates, decimals and other values that only Parquet
    has are written as text.
    """
    try:
        text = _dump(row)
    except ValueError:
        text = _dump(_without_nan(row))
    # Surrogates can only stand inside of JSON strings, where this very escape means them.
    return text.encode("utf-8", "backslashreplace") + b"\n"


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_as_text)


def _beside_reserved(extra: Mapping[str, Any]) -> Mapping[str, Any]:
    if RESERVED_NAMES.isdisjoint(extra):
        return extra
    renamed: dict[str, Any] = {}
    for name, value in extra.items():
        new = f"input_{name}" if name in RESERVED_NAMES else name
        while new in renamed or (new != name and new in extra):
            new = f"input_{new}"
        renamed[new] = value
    return renamed


def _without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    return value


def _as_text(value: object) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
