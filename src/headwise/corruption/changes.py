"""Changes of a text that know where in the new text the error is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from headwise.data.records.error_spans import Range


@dataclass(frozen=True, slots=True)
class Change:
    """Characters of a text, ``end`` being one past the last, that become others.

    ``marked`` is where in the new ``text`` the error is; empty for a gap, where something is
    missing.
    """

    start: int
    end: int
    text: str
    marked: Range


Changes = tuple[Change, ...]
"""What makes one error; empty if a text does not allow it."""


def stand_apart(changes: Iterable[Change]) -> bool:
    """Whether no two changes touch, so that every one is what it would be alone."""
    ordered = sorted(changes, key=lambda change: (change.start, change.end))
    return all(left.end < right.start for left, right in pairwise(ordered))


def apply_changes(text: str, changes: Sequence[Change]) -> tuple[str, tuple[Range, ...]]:
    """Make changes that stand apart, and say where each error is then, in the order given."""
    pieces: list[str] = []
    places: dict[Change, Range] = {}
    read_to = length = 0
    for change in sorted(changes, key=lambda change: change.start):
        pieces += [text[read_to : change.start], change.text]
        length += change.start - read_to
        places[change] = (length + change.marked[0], length + change.marked[1])
        length += len(change.text)
        read_to = change.end
    return "".join([*pieces, text[read_to:]]), tuple(places[change] for change in changes)
