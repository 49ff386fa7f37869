"""The columns of a scored row, and what becomes of input columns that have their names."""

from collections.abc import Iterable, Mapping, Set
from typing import Any

from headwise.data.records.signals import Signal

RESERVED_NAMES = frozenset(
    {
        *("source", "hypothesis", "score", "signals", "annotations", "word_tags"),
        *("words", "tokens"),
        *(signal.value for signal in Signal),
    }
)
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
    renamed = [name for name in present if _without_prefixes(name) == column]
    if renamed:  # the longest: if the input had an `input_score` too, its `score` got two prefixes
        return max(renamed, key=len)
    listed = ", ".join(f"`{name}`" for name in present) or "none"
    raise LookupError(f"there is no column `{column}`; the input brought {listed}")


def _without_prefixes(name: str) -> str:
    while name.startswith(_PREFIX):
        name = name.removeprefix(_PREFIX)
    return name
