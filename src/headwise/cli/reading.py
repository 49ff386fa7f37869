"""Texts, and pairs of them, that several commands are given."""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from headwise.cli import options

if TYPE_CHECKING:
    from headwise.data.records.inferences import InferencePair
    from headwise.data.records.pairs import Pair


def given_text(value: str, *, name: str) -> str:
    """The text that an argument is or, after an ``@``, the file that holds it; ``-`` reads none.

    An ``@`` before several words that are no file is part of the text.

    Raises:
        BadParameter: If the text is the name of a file, or nothing follows the ``@``.
        DataError: If there is no such file, or it is not UTF-8.
    """
    if not value.startswith("@"):
        # Not Path.is_file, which fails on texts longer than names can be
        if os.path.isfile(value):  # noqa: PTH113
            raise typer.BadParameter(
                f"{name} is the name of a file: give @{value} to read it. If the text itself is "
                "meant, end it with a space."
            )
        return value
    path = value.removeprefix("@")
    if not path:
        raise typer.BadParameter(f"@ in {name} must be followed by the name of a file.")
    if len(path.split()) > 1 and not os.path.exists(path):  # noqa: PTH110
        return value
    from headwise.data.readers.texts import read_whole_text

    return read_whole_text(path)


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
