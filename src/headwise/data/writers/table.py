"""The columns of a table that is made of JSON lines."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Any, Protocol

from headwise.data.records.scored import Level
from headwise.data.records.signals import Signal


class CellKind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    TRUTH = "truth"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Pieces:
    """A column of lists: the words or the tokens of a text.

    Attributes:
        are_tokens: Whether they have ids, and some of them are special.
        values: Names of the numbers that each of them has.
    """

    are_tokens: bool
    values: tuple[str, ...]


class TableColumns(Protocol):
    """What becomes of a line in a table."""

    @property
    def kinds(self) -> Mapping[str, CellKind | Pieces]:
        """The columns that every such table ends with, and what they hold."""

    def flatten(self, line: bytes) -> dict[str, Any]:
        """A line as a row whose names are those of columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableLayout:
    """What the columns of a table of scores follow from.

    Attributes:
        signals: The signals that were asked for; the first one is the score.
        level: Whether there is a column with the words or the tokens.
        has_source: Whether there is a column with the source.
    """

    signals: Sequence[Signal]
    level: Level
    has_source: bool

    @property
    def kinds(self) -> dict[str, CellKind | Pieces]:
        """Texts, score, other signals, what is known of whole texts, detail."""
        texts = ("source", "hypothesis") if self.has_source else ("hypothesis",)
        others = (signal.value for signal in self.signals[1:])
        calibrated = ("text_quality", "threshold") if Signal.QUALITY in self.signals else ()
        opening = ("opening_omission",) if Signal.OMISSION in self.signals else ()
        kinds: dict[str, CellKind | Pieces] = {
            **dict.fromkeys(texts, CellKind.TEXT),
            **dict.fromkeys(("score", *others, *calibrated, *opening), CellKind.NUMBER),
        }
        if self.level != "sentence":
            values = tuple(signal.value for signal in self.signals)
            kinds[f"{self.level}s"] = Pieces(self.level == "token", values)
        return kinds

    def flatten(self, line: bytes) -> dict[str, Any]:
        """A line as a row, in which each signal beyond the first is a column of its own."""
        row: dict[str, Any] = json.loads(line)
        signals = row.pop("signals")
        return row | {signal.value: signals[signal.value] for signal in self.signals[1:]}


def extra_columns(rows: Iterable[Mapping[str, Any]], fixed: Collection[str]) -> tuple[str, ...]:
    """The columns handed through from the input, in the order in which rows bring them.

    Args:
        rows: Flattened rows.
        fixed: Columns that are not from the input.
    """
    names = dict.fromkeys(chain.from_iterable(rows))
    return tuple(name for name in names if name not in fixed)


def chunks(lines: Iterable[bytes], *, max_rows: int, max_bytes: int) -> Iterator[list[bytes]]:
    """Group lines so that a group has a bounded number of rows and bytes."""
    chunk: list[bytes] = []
    size = 0
    for line in lines:
        if chunk and (len(chunk) == max_rows or size + len(line) > max_bytes):
            yield chunk
            chunk, size = [], 0
        chunk.append(line)
        size += len(line)
    if chunk:
        yield chunk
