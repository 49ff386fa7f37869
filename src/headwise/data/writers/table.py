"""The columns of a table that is made of JSON lines."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from headwise.data.scored import Level
from headwise.data.signals import Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class TableLayout:
    """What the columns of a table follow from.

    Attributes:
        signals: The signals that were asked for; the first one is the score.
        level: Whether there is a column with the words or the tokens.
        has_source: Whether there is a column with the source.
    """

    signals: Sequence[Signal]
    level: Level
    has_source: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that every table of this layout ends with."""
        source = ("source",) if self.has_source else ()
        detail = () if self.level == "sentence" else (f"{self.level}s",)
        others = (signal.value for signal in self.signals[1:])
        calibrated = ("text_quality", "threshold") if Signal.QUALITY in self.signals else ()
        return (*source, "hypothesis", "score", *others, *calibrated, *detail)

    def flatten(self, line: bytes) -> dict[str, Any]:
        """A line as a row, in which each signal beyond the first is a column of its own."""
        row: dict[str, Any] = json.loads(line)
        signals = row.pop("signals")
        return row | {signal.value: signals[signal.value] for signal in self.signals[1:]}

    def extra_columns(self, rows: Iterable[dict[str, Any]]) -> tuple[str, ...]:
        """The columns handed through from the input, in the order in which rows bring them."""
        names = dict.fromkeys(chain.from_iterable(rows))
        return tuple(name for name in names if name not in self.columns)


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
