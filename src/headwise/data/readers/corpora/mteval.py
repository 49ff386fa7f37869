"""Test sets of the WMT26 shared task on translation evaluation: a source, and all its translations.

A line has ``item_id``, ``src`` and ``hyps``, an object of translations by system. The id says the
rest, with ``_###_`` between: official or challenge, languages, domain, document, number.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from headwise.data.records.json_values import kind_of
from headwise.data.records.pairs import Pair
from headwise.errors import InputError

ITEM = "item_id"
_SOURCE, _SYSTEMS = "src", "hyps"
_BETWEEN = "_###_"
_PARTS = ("set", "source_language", "target_language", "domain", "document")


def is_mteval(names: Iterable[str]) -> bool:
    """Whether these are the columns of such a set, and perhaps others."""
    return {ITEM, _SOURCE, _SYSTEMS} <= set(names)


def mteval_pairs(values: Mapping[str, Any], *, line: int, has_source: bool) -> list[Pair]:
    """One pair a system, with its name and what the id says as columns.

    Raises:
        InputError: If the row holds something else.
    """
    source, systems = values[_SOURCE], values[_SYSTEMS]
    if not isinstance(source, str):
        raise InputError(f"`{_SOURCE}` must be a string, got {kind_of(source)}.")
    if not isinstance(systems, dict) or not systems:
        raise InputError(f"`{_SYSTEMS}` must hold translations by system, got {kind_of(systems)}.")
    rest = {name: value for name, value in values.items() if name not in (_SOURCE, _SYSTEMS)}
    said = dict(zip(_PARTS, str(values[ITEM]).split(_BETWEEN), strict=False))
    pairs = []
    for system, hypothesis in systems.items():
        if not isinstance(hypothesis, str):
            raise InputError(
                f"The translation of {system!r} must be a string, got {kind_of(hypothesis)}."
            )
        extra = {**rest, **said, "system": system}
        pairs.append(Pair(source if has_source else None, hypothesis, line, extra))
    return pairs
