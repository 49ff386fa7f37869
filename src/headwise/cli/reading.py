"""Pairs that several `train` commands read."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from headwise.cli import options

if TYPE_CHECKING:
    from headwise.data.records.inferences import InferencePair
    from headwise.data.records.pairs import Pair


def read_training_pairs(paths: Sequence[str], *, has_source: bool = True) -> "list[Pair]":
    """Read all pairs; rows that are none are named on standard error and left out."""
    from headwise.data.readers import Layout, read_pairs
    from headwise.data.records.pairs import Reject

    layout = Layout(has_source=has_source)
    pairs = []
    # A missing file is noticed when its reader is made, before another one is read
    for path, rows in [(path, read_pairs(path, layout)) for path in paths]:
        for row in rows:
            if isinstance(row, Reject):
                if options.is_first_process():
                    print(f"{path}, line {row.line} left out: {row.reason}", file=sys.stderr)
            else:
                pairs.append(row)
    return pairs


def read_labelled(paths: list[str]) -> "list[InferencePair]":
    """Read all labelled pairs; rows that are none are named on standard error and left out."""
    from headwise.data.readers.inferences import read_inferences
    from headwise.data.records.pairs import Reject

    pairs = []
    # A missing file is noticed when its reader is made, before another one is read
    for path, rows in [(path, read_inferences(path)) for path in paths]:
        for row in rows:
            if isinstance(row, Reject):
                print(f"{path}, line {row.line} left out: {row.reason}", file=sys.stderr)
            else:
                pairs.append(row)
    return pairs
