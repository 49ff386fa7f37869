"""Open a table of any format: TSV, CSV, JSON, Parquet, a workbook or a saved data set."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from headwise.data.readers.arrow import check_saved_dataset, dataset_table, open_parquet
from headwise.data.readers.cells.headers import Naming
from headwise.data.readers.cells.tables import csv_table, table_of_records, tsv_table
from headwise.data.readers.cells.xlsx import check_openpyxl, open_sheet
from headwise.data.readers.layout import Format
from headwise.data.readers.lines import content_lines
from headwise.data.readers.opening import (
    STDIN,
    begins_array,
    check_readable,
    open_bytes,
    peek_format,
    resolve_format,
    shown_name,
)
from headwise.data.readers.rows import Row, RowStream
from headwise.data.records.json_values import kind_of
from headwise.data.records.pairs import Reject
from headwise.documents import parse_json
from headwise.errors import DataError


def check_input(path: str | Path, chosen: Format | None = None) -> None:
    """Refuse what cannot be read as a table, before anything is opened.

    Raises:
        DataError: If it is missing or of an unknown format.
    """
    if str(path) == STDIN:
        return
    if Path(path).is_dir():
        check_saved_dataset(Path(path))
        return
    check_readable(path)
    if resolve_format(path, chosen) is Format.XLSX:
        check_openpyxl(path)


@contextmanager
def open_table(
    path: str | Path,
    chosen: Format | None = None,
    *,
    naming: Naming = lambda _: None,
    encoding: str | None = None,
    quotes: bool | None = None,
    keep_blank: bool = False,
    flat: bool = False,
) -> Iterator[RowStream]:
    """Open a file, a folder that ``datasets`` saved, or ``-`` for standard input.

    By default the file's suffix says its format, and text may also be ``.gz``. ``naming`` names the
    columns of tables of cells, and ``keep_blank`` makes a row of an empty line of one with one
    column; ``flat`` leaves columns of lists and objects out of Parquet. ``encoding`` and ``quotes``
    are those of a :class:`~headwise.data.readers.layout.Layout`.

    Raises:
        DataError: If it is damaged, or has two columns of one name.
    """
    name, live = shown_name(path), str(path) == STDIN
    if not live and Path(path).is_dir():
        yield dataset_table(Path(path))
        return
    format_ = chosen if live else resolve_format(path, chosen)
    match format_:
        case Format.PARQUET | Format.XLSX if live:
            called = "Parquet" if format_ is Format.PARQUET else "A workbook"
            raise DataError(f"{called} cannot be read from {name}; save it to a file first.")
        case Format.PARQUET:
            with open_parquet(Path(path), flat=flat) as table:
                yield table
        case Format.XLIFF | Format.TMX | Format.PO:
            raise DataError(
                f"`{name}` is a document of translators and no table; turn it into one with "
                "`headwise score`, or export its texts."
            )
        case Format.XLSX:
            with open_sheet(Path(path)) as records:
                yield table_of_records(records, name, naming, keep_blank=keep_blank, padded=True)
        case _:
            with open_bytes(path, encoding) as stream:
                format_ = format_ or peek_format(stream)
                if format_ is Format.JSON and begins_array(stream):
                    yield array_table(stream, name)
                    return
                if format_ in (Format.JSON, Format.JSONL):
                    yield jsonl_table(stream, name)
                    return
                table_of = csv_table if format_ is Format.CSV else tsv_table
                yield table_of(
                    stream, name, naming, quotes=quotes, keep_blank=keep_blank, live=live
                )


def jsonl_table(stream: BinaryIO, name: str) -> RowStream:
    """JSON objects, one a line."""
    lines = content_lines(stream, name)
    rows = (line if isinstance(line, Reject) else _json_row(number, line) for number, line in lines)
    return RowStream(name=name, nested=True, rows=rows)


def array_table(stream: BinaryIO, name: str) -> RowStream:
    """The objects of one JSON array, which is read whole; their lines are their numbers.

    Raises:
        DataError: If it is none, or damaged.
    """
    try:
        objects = parse_json(stream.read().decode("utf-8-sig"), allow_nan=True)
    except (DataError, UnicodeDecodeError, OSError, EOFError) as error:
        raise DataError(f"`{name}` cannot be read as a JSON array: {error}") from None
    rows = (
        Row(number, row)
        if isinstance(row, dict)
        else Reject(number, f"The array must hold JSON objects, got {kind_of(row)}.", repr(row))
        for number, row in enumerate(objects, start=1)
    )
    return RowStream(name=name, nested=True, rows=rows)


def _json_row(number: int, line: str) -> Row | Reject:
    try:
        # Python writes NaN where there is no number, and what is no text passes through
        row = parse_json(line, allow_nan=True)
    except DataError as error:
        return Reject(number, str(error), line)
    if not isinstance(row, dict):
        return Reject(number, f"The line must be a JSON object, got {kind_of(row)}.", line)
    return Row(number, row, line)
