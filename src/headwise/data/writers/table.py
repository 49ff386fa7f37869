"""The columns of a table that is made of JSON lines."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from headwise.data.records.scored import Level
from headwise.data.records.signals import Signal

CellKind = str | Mapping[str, "CellKind"]
"""What a column holds: the Arrow name of a type; or for lists of structs, what each field holds."""


ALTERNATIVE: Mapping[str, CellKind] = {"text": "string", "probability": "double"}


class TableColumns(Protocol):
    """What becomes of a line in a table."""

    @property
    def kinds(self) -> Mapping[str, CellKind]:
        """The columns that every such table ends with, and what they hold."""

    def flatten(self, line: bytes) -> dict[str, Any]:
        """A line as a row whose names are those of columns.

        Args:
            line: A line of JSON.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class TableLayout:
    """What the columns of a table of scores follow from.

    Attributes:
        signals: The signals that were asked for; the first one is the score.
        level: Whether there is a column with the words or the tokens.
        has_source: Whether there is a column with the source.
        alternatives: Whether tokens have some.
    """

    signals: Sequence[Signal]
    level: Level
    has_source: bool
    alternatives: bool = False

    @property
    def kinds(self) -> dict[str, CellKind]:
        """Texts, score, other signals, what is known of whole texts, what to check, detail."""
        signals = [signal.value for signal in self.signals]
        calibrated = ("text_quality",) if Signal.QUALITY in self.signals else ()
        opening = ("opening_omission",) if Signal.OMISSION in self.signals else ()
        kinds: dict[str, CellKind] = {"source": "string"} if self.has_source else {}
        kinds["hypothesis"] = "string"
        numbers = ("score", *signals[1:], *calibrated, "threshold", "segment_threshold", *opening)
        kinds |= dict.fromkeys(numbers, "double")
        values: dict[str, CellKind] = dict.fromkeys(signals, "double")
        spans: dict[str, CellKind] = {"text": "string", "start": "int64", "end": "int64"}
        kinds |= {"flagged": "bool", "to_check": spans | values}
        if self.level != "sentence":
            more: dict[str, CellKind] = {}
            if self.level == "token":
                more = {"id": "int64", "special": "bool"}
                more |= {"alternatives": ALTERNATIVE} if self.alternatives else {}
            kinds[f"{self.level}s"] = spans | more | values
        return kinds

    def flatten(self, line: bytes) -> dict[str, Any]:
        """A line as a row, in which each signal beyond the first is a column of its own.

        Args:
            line: A line of JSON.
        """
        row: dict[str, Any] = json.loads(line)
        signals = row.pop("signals")
        return row | {signal.value: signals[signal.value] for signal in self.signals[1:]}


def column_names(lines: Path, columns: TableColumns) -> tuple[str, ...]:
    """The columns of the table that JSON lines make, which are all read."""
    with lines.open("rb") as rows:
        return (*extra_columns(map(columns.flatten, rows), columns.kinds), *columns.kinds)


def extra_columns(rows: Iterable[Mapping[str, Any]], fixed: Collection[str]) -> tuple[str, ...]:
    """Columns from the input, not ``fixed`` ones, in the order in which flat rows bring them."""
    names = dict.fromkeys(chain.from_iterable(rows))
    return tuple(name for name in names if name not in fixed)
