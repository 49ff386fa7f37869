"""References of people among the texts of a source: their names, and columns that hold them."""

import re
from collections.abc import Iterator, Sequence

from headwise.data.records.json_values import listed
from headwise.data.records.pairs import Pair, Reject
from headwise.evaluation.quality.judged_texts import cells

# As WMT has them: ref, refA, ref-B, ref.C.en-de, reference_1; not a system called Reflect
_REFERENCE = re.compile(r"ref(erence)?s?[-_. ]?[a-z0-9]?(?![a-z])", re.IGNORECASE)

OUTPUT = "output"
"""Who wrote a text that stands beside columns of references, where its row does not say so."""


def is_reference(name: str | None) -> bool:
    """Whether a name of a system or column begins as that of a person's translation does."""
    return name is not None and _REFERENCE.match(name) is not None


def apart(
    rows: Sequence[Pair | Reject], columns: Sequence[str], *, system: str = "system"
) -> list[Pair | Reject]:
    """Give references that stand in columns beside an output rows of their own.

    Each pair is followed by one for each of its references that is not empty, whose ``system`` is
    the name of the column. Without names of ``columns``, those that are called like references
    are taken; if there are none, the rows stay as they are.

    Raises:
        DataError: If no row has a column that is named.
    """
    pairs = [row for row in rows if isinstance(row, Pair)]
    for column in columns:
        cells(pairs, column)  # one that was asked for must be there
    named = columns or [
        name for name in (pairs[0].extra if pairs else ()) if name != system and is_reference(name)
    ]
    return [one for row in rows for one in _with_references(row, named, system)]


def _with_references(
    row: Pair | Reject, columns: Sequence[str], system: str
) -> Iterator[Pair | Reject]:
    if isinstance(row, Reject) or not columns:
        yield row
        return
    others = {name: value for name, value in row.extra.items() if name not in columns}
    writer = others.get(system) or OUTPUT
    yield Pair(
        row.source, row.hypothesis, row.line, {**others, system: writer},
        history=row.history, errors=row.errors, tags=row.tags,
    )  # fmt: skip
    for column in columns:
        text = row.extra.get(column)
        if isinstance(text, str) and text.strip():
            extra = {**others, system: column}
            yield Pair(row.source, text, row.line, extra, history=row.history)
        elif text is not None and not isinstance(text, str):
            reason = f"`{column}` must be a text, got {text!r}; references are {listed(columns)}."
            yield Reject(row.line, reason, row.content)
