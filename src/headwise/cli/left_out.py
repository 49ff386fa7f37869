"""Say on standard error which rows were left out, and why."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headwise.data.pairs import Reject

_SHOWN = 5


def name_left_out(rejects: "Sequence[Reject]") -> None:
    """Name the first rows that were left out, and how many there are."""
    for reject in rejects[:_SHOWN]:
        print(f"Line {reject.line} left out: {reject.reason}", file=sys.stderr)
    more = len(rejects) - _SHOWN
    shown = f", {more:,} of them not shown" if more > 0 else ""
    rows = "row" if len(rejects) == 1 else "rows"
    print(f"{len(rejects):,} {rows} left out{shown}.", file=sys.stderr)
