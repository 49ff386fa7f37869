r"""Tables as tab-separated text.

There is a header. The columns of the input come first, then what was found out: of scores, source,
hypothesis, score, one column for each signal beyond the main one, and the words or tokens as JSON.
A row is always one line: in names and cells a tab is written ``\t``, a line end ``\n`` or ``\r``,
a backslash ``\\`` and a lone surrogate ``\udXXX``; :func:`unescape_cell` turns this back. What is
undefined is empty, what is neither text nor undefined is JSON. Quotation marks mean nothing.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from headwise.data.writers.table import TableColumns, column_names
from headwise.files import atomic_path

_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_CHARACTERS = {"\\": "\\", "t": "\t", "n": "\n", "r": "\r"}
_ESCAPED = re.compile(r"\\(?:u([0-9a-f]{4})|([\\tnr]))")


def write_tsv(lines: Path, output: Path, columns: TableColumns) -> None:
    """Turn JSON lines into a TSV file; as `write_csv` otherwise.

    Args:
        lines: A file of JSON lines.
        output: The table to write.
        columns: What becomes of a line.
    """
    names = column_names(lines, columns)
    with (
        lines.open("rb") as rows,
        atomic_path(output) as temporary,
        temporary.open("wb") as table,
    ):
        table.write(_line(map(escape_cell, names)))
        for row in map(columns.flatten, rows):
            table.write(_line(_cell(row.get(name)) for name in names))


def escape_cell(text: str) -> str:
    """Write a text so that it fits into one cell.

    Args:
        text: Any text, with tabs and line ends.
    """
    return text.translate(_ESCAPES)


def unescape_cell(cell: str) -> str:
    """The text that :func:`escape_cell` wrote.

    Args:
        cell: A cell without tabs and line ends.
    """
    return _ESCAPED.sub(
        lambda match: chr(int(match[1], 16)) if match[1] else _CHARACTERS[match[2]], cell
    )


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return escape_cell(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _line(cells: Iterable[str]) -> bytes:
    return ("\t".join(cells) + "\n").encode("utf-8", "backslashreplace")
