"""Open a table of any format: TSV, JSON Lines, Parquet or a saved data set."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, cast

from headwise.data.readers.arrow import check_saved_dataset, dataset_table, open_parquet
from headwise.data.readers.layout import Format
from headwise.data.readers.lines import Line, numbered_lines, without_empty
from headwise.data.readers.opening import (
    STDIN,
    check_readable,
    open_bytes,
    peek_format,
    resolve_format,
    shown_name,
)
from headwise.data.readers.rows import Row, RowStream, check_unique
from headwise.data.records.pairs import Reject
from headwise.errors import DataError

Naming = Callable[[list[str]], Sequence[str] | None]
"""Names the columns of TSV by the cells of the first row; ``None`` if these are the names."""

# Python can read JSON a little deeper than it can write it again; no row of text comes near this.
MAX_NESTING = 64


def check_input(path: str | Path, chosen: Format | None = None) -> None:
    """Refuse what cannot be read as a table, before anything is opened.

    Raises:
        DataError: If it is missing or of an unknown format.
    """
    if str(path) == STDIN:
        return
    if Path(path).is_dir():
        check_saved_dataset(Path(path))
    else:
        check_readable(path)
        resolve_format(path, chosen)


@contextmanager
def open_table(
    path: str | Path,
    chosen: Format | None = None,
    *,
    naming: Naming = lambda _: None,
    keep_blank: bool = False,
    flat: bool = False,
) -> Iterator[RowStream]:
    """Open a file, a folder that ``datasets`` saved, or ``-`` for standard input.

    By default the file's suffix says its format, and text may also be ``.gz``. ``naming`` names the
    columns of TSV, and ``keep_blank`` makes a row of an empty line of a TSV file with one; ``flat``
    leaves columns of lists and objects out of Parquet.

    Raises:
        DataError: If it is damaged, or has two columns of one name.
    """
    name = shown_name(path)
    if str(path) != STDIN and Path(path).is_dir():
        yield dataset_table(Path(path))
        return
    if str(path) == STDIN:
        chosen = chosen or peek_format(cast(BufferedReader, open_bytes(path).__enter__()))
    format_ = resolve_format(path, chosen)
    if format_ is Format.PARQUET and str(path) == STDIN:
        raise DataError(f"Parquet cannot be read from {name}; save it to a file first.")
    if format_ is Format.PARQUET:
        with open_parquet(Path(path), flat=flat) as table:
            yield table
        return
    with open_bytes(path) as stream:
        if format_ is Format.JSONL:
            yield jsonl_table(stream, name)
        else:
            yield tsv_table(stream, name, naming, keep_blank=keep_blank)


def tsv_table(
    stream: BinaryIO, name: str, naming: Naming = lambda _: None, *, keep_blank: bool = False
) -> RowStream:
    """Tab-separated rows. A quotation mark is a character like any other.

    Raises:
        DataError: If the header has a name twice.
    """
    lines = numbered_lines(stream, name)
    content = without_empty(lines)
    early: list[Reject] = []
    for first in content:
        if isinstance(text := first[1], str):
            break
        early.append(text)
    else:
        return RowStream(name=name, columns=(), named=False, rows=iter(early))
    cells = text.split("\t")
    columns = naming(cells)
    named = columns is None
    if columns is None:
        columns = cells
        check_unique(columns, name)
    rest = lines if keep_blank and len(columns) == 1 else content
    rows = _tsv_rows(rest if named else chain([first], rest), columns)
    return RowStream(name=name, columns=tuple(columns), named=named, rows=chain(early, rows))


def _tsv_rows(lines: Iterable[Line], columns: Sequence[str]) -> Iterator[Row | Reject]:
    width = len(columns)
    remark = columns[-1].lstrip().startswith("#")
    for number, line in lines:
        if isinstance(line, Reject):
            yield line
            continue
        cells = line.split("\t")
        if len(cells) == width:
            # Compared already; `strict` would cost more than all the rest of this line
            yield Row(number, dict(zip(columns, cells)), line)  # noqa: B905
        elif remark and len(cells) == width - 1:
            yield Row(number, dict(zip(columns, cells, strict=False)), line)
        else:
            found = f"{len(cells)} column{'s' if len(cells) > 1 else ''}"
            yield Reject(number, f"The row has {found}, expected {len(columns)}.", line)


def jsonl_table(stream: BinaryIO, name: str) -> RowStream:
    """JSON objects, one a line."""
    lines = without_empty(numbered_lines(stream, name))
    rows = (line if isinstance(line, Reject) else _json_row(number, line) for number, line in lines)
    return RowStream(name=name, nested=True, rows=rows)


def _json_row(number: int, line: str) -> Row | Reject:
    try:
        row = json.loads(line)
        if not isinstance(row, dict):
            reason = f"The line must be a JSON object, got {type(row).__name__}."
        # Counting brackets is quick, and rules out most rows
        elif line.count("[") + line.count("{") > MAX_NESTING and _is_too_deep(row):
            raise RecursionError
        else:
            return Row(number, row, line)
    except json.JSONDecodeError as error:
        reason = f"Invalid JSON at character {error.pos + 1} of the line: {error.msg}."
    except RecursionError:
        reason = f"The JSON is nested more than {MAX_NESTING} levels deep; flatten it."
    except ValueError as error:  # such as an integer of more digits than Python converts
        reason = f"Invalid JSON: {error}."
    return Reject(number, reason, line)


def _is_too_deep(row: dict[str, Any]) -> bool:
    level: list[Any] = [row]
    for _ in range(MAX_NESTING + 1):
        level = [
            child
            for value in level
            for child in (value.values() if isinstance(value, dict) else value)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True
