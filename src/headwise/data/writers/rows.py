"""What one line of output holds, and what becomes of input columns that have its names."""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import asdict, replace
from typing import Any

from headwise.data.records.json_values import listed
from headwise.data.records.pairs import Pair, Reject
from headwise.data.records.scored import Level, ScoredHypothesis
from headwise.data.records.signals import Signal
from headwise.data.records.word_tags import marks_row

RESERVED_NAMES = frozenset(
    {
        *("source", "hypothesis", "score", "signals", "annotations", "word_tags"),
        *("words", "tokens", "ranking_score"),
        *(signal.value for signal in Signal),
    }
)
"""Names of columns that are written here; those of the input get another name."""
_PREFIX = "input_"


def beside_reserved(
    extra: Mapping[str, Any], reserved: Set[str] = RESERVED_NAMES
) -> Mapping[str, Any]:
    """Rename columns of the input, so that none has the name of a column of ours.

    Args:
        extra: Columns of the input.
        reserved: Names of ours; such a column is called ``input_<name>``, or if that is the name
            of another one, ``input_input_<name>``, and so on.
    """
    if reserved.isdisjoint(extra):
        return extra
    renamed: dict[str, Any] = {}
    for name, value in extra.items():
        new = f"{_PREFIX}{name}" if name in reserved else name
        while new in renamed or (new != name and new in extra):
            new = f"{_PREFIX}{new}"
        renamed[new] = value
    return renamed


def input_column(names: Iterable[str], column: str) -> str:
    """Where a column of the input is found among the other columns of a scored row.

    Args:
        names: Columns of the scored row, those of ours left out.
        column: What it was called in the input.

    Returns:
        The same name, or the one that :func:`beside_reserved` gave it.

    Raises:
        LookupError: If it is not there; the message lists what is.
    """
    present = list(dict.fromkeys(names))
    if column in present:
        return column
    renamed = [name for name in present if re.sub(f"^(?:{_PREFIX})+", "", name) == column]
    if renamed:  # the longest: if the input had an `input_score` too, its `score` got two prefixes
        return max(renamed, key=len)
    raise LookupError(f"there is no column `{column}`; the input brought {listed(present)}")


_OF_PAIRS = frozenset({"source", "hypothesis", "annotations", "word_tags"})


def scored_row(scored: ScoredHypothesis, level: Level) -> dict[str, Any]:
    """A scored hypothesis as a row, behind the other columns of the row that it came from.

    A column of the input that has the name of one that is written here keeps its values under
    ``input_<name>``: the ``score`` of people does not vanish under that of the head.

    Args:
        scored: A scored text.
        level: How much of it the row has.
    """
    row = replace(scored, extra=None).as_dict(level)
    return {**beside_reserved(scored.extra or {}, RESERVED_NAMES | row.keys()), **row}


def pair_row(pair: Pair) -> dict[str, Any]:
    """A pair as a row that the readers of JSONL read back, its history left out.

    Columns of the input that have the name of a text or of marks are renamed as in
    :func:`scored_row`.

    Args:
        pair: The pair; its other columns come along.
    """
    row: dict[str, Any] = {} if pair.source is None else {"source": pair.source}
    row |= {"hypothesis": pair.hypothesis, **marks_row(pair.errors, pair.tags)}
    return {**row, **beside_reserved(pair.extra, _OF_PAIRS)}


def reject_row(reject: Reject) -> dict[str, Any]:
    """A reject as a row.

    Args:
        reject: What could not be read or scored.
    """
    return asdict(reject)


def json_line(row: Mapping[str, Any] | Sequence[Any]) -> bytes:
    """A row as one line of strict JSON in UTF-8, line end included.

    JSON has no NaN and no infinity: they are written as ``null``. Lone surrogates, which UTF-8
    cannot carry, are written as JSON escapes. Dates, decimals and other values that only Parquet
    has are written as text.

    Args:
        row: Names and values, or values alone.
    """
    try:
        # Tried first: only rows with NaN or infinity pay for a second walk
        text = _dump(row)
    except ValueError:
        text = _dump(_without_nan(row))
    # Surrogates can only stand inside of JSON strings, where this very escape means them.
    return text.encode("utf-8", "backslashreplace") + b"\n"


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, default=_as_text)


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
