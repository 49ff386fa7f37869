"""Sheets of Excel workbooks, row by row."""

import importlib.util
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, time
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from headwise.data.readers.cells.quoted import NumberedRecord, Record
from headwise.data.records.json_values import listed
from headwise.data.records.pairs import Reject
from headwise.errors import DataError

logger = logging.getLogger(__name__)

# More rows than any sheet can have: a damaged file may claim them
_MAX_ROWS = 2**20
# How XML writes a character that it cannot hold, as the line ends of other systems
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
# Integers above this are rounded in a sheet already
_EXACT = 10**15


def check_openpyxl(path: str | Path) -> None:
    """Refuse a workbook, to be read or written, where the package for it is not installed.

    Raises:
        DataError: If so.
    """
    if importlib.util.find_spec("openpyxl") is None:
        raise DataError(
            f"`{path}` is an Excel workbook, which needs the package `openpyxl`; install it with: "
            "pip install 'headwise[xlsx]'. Or use .csv."
        )


@contextmanager
def open_sheet(path: Path) -> Iterator[Iterator[NumberedRecord]]:
    """Open the first sheet that is neither hidden nor empty; its cells are text, as Excel shows it.

    A formula counts with the value that it had when the file was saved. A row with an error value
    (``#N/A``) is a reject.

    Raises:
        DataError: If the package is not installed, or the file is damaged.
    """
    check_openpyxl(path)
    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    # A damaged workbook makes the package say anything
    except Exception as error:
        raise _damaged(path, error) from error
    try:
        sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        if not sheets:
            raise DataError(f"`{path}` has no sheet to read.")
        chosen = sheets[0]
        if len(sheets) > 1:
            chosen = next((one for one in sheets if any(_records(one, path))), chosen)
            titles = listed(sheet.title for sheet in sheets)
            logger.info("`%s` has the sheets %s; `%s` is read.", path, titles, chosen.title)
        yield _records(chosen, path)
    finally:
        book.close()


def _records(sheet: Any, path: Path) -> Iterator[NumberedRecord]:
    sheet.reset_dimensions()  # which some programs write wrong
    rows = iter(sheet.iter_rows())
    number = 0
    while True:
        try:
            row = next(rows, None)
        except Exception as error:
            raise _damaged(path, error) from error
        if row is None:
            return
        number += 1
        if number > _MAX_ROWS:
            raise DataError(f"`{path}` has more rows than a sheet can have: {_MAX_ROWS:,}.")
        cells = [_text(cell.value) for cell in row]
        while cells and not cells[-1]:
            del cells[-1]
        text = "\t".join(cells)
        wrong = next((cell for cell in row if cell.data_type == "e"), None)
        if wrong is not None:
            reason = f"Cell {wrong.coordinate} holds the error {wrong.value}; mend its formula."
            yield number, Reject(number, reason, text)
        else:
            yield number, Record(cells, text) if cells else ""


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), value)
        case bool():
            return str(value).upper()
        case float() if value.is_integer() and abs(value) < _EXACT:
            return str(int(value))
        case date() | time():
            return value.isoformat()
        case _:
            return str(value)


def _damaged(path: Path, error: Exception) -> DataError:
    why = "it is damaged, encrypted or no workbook" if isinstance(error, BadZipFile) else str(error)
    return DataError(f"`{path}` cannot be read as an Excel workbook: {why}.")
