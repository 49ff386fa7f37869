"""Tables as spreadsheets open them: CSV and Excel workbooks.

Columns and cells are those of the TSV writer, but nothing is escaped: a cell of CSV that needs it
stands in quotation marks, in which such marks are doubled. A cell that holds text is text in a
workbook, also where it begins as a formula does.
"""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from headwise.data.writers.table import TableColumns, column_names
from headwise.errors import OutputError
from headwise.files import atomic_path

# What a sheet can hold; Excel cuts the rest off, or calls the file damaged
_MAX_ROWS, _MAX_CHARACTERS = 2**20, 32_767
_EXACT_DIGITS = 10**15
_SHADE = "FFE0B2"
# XML cannot hold them; `_x0001_` is how workbooks write one, and so their own `_x` is written, too
_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


def write_csv(lines: Path, output: Path, columns: TableColumns) -> None:
    """Turn JSON lines into CSV in UTF-8 with commas, in memory for one line.

    Args:
        lines: File with the lines. It is read twice: which columns there are is known only after
            the last row.
        output: Written under a temporary name and renamed.
        columns: What the rows hold.
    """
    names = column_names(lines, columns)
    with (
        atomic_path(output) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="") as stream,
    ):
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(names)
        table.writerows(
            [_as_text(row.get(name)) for name in names] for row in _rows(lines, columns)
        )


def write_xlsx(lines: Path, output: Path, columns: TableColumns) -> None:
    """Turn JSON lines into a workbook of one sheet, in memory for one row; else as `write_csv`.

    The hypothesis of a row that is flagged is shaded.

    Args:
        lines: A file of JSON lines.
        output: The workbook to write.
        columns: What becomes of a line.

    Raises:
        OutputError: If there are more rows than a sheet can have, or longer cells; the lines stay.
    """
    import openpyxl
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import PatternFill

    shade = PatternFill("solid", fgColor=_SHADE)
    names = column_names(lines, columns)
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("scores")

    def cell(value: Any, place: str) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, (int, float)) and abs(value) < _EXACT_DIGITS:
            return value
        text = _UNWRITABLE.sub(lambda match: f"_x{ord(match[0]):04X}_", _as_text(value))
        if len(text) > _MAX_CHARACTERS:
            raise OutputError(
                f"`{output}` cannot hold {place}: a cell has at most {_MAX_CHARACTERS:,} "
                f"characters, and this text {len(text):,}. The rows are safe in `{lines}`; choose "
                "another output format, or --level sentence."
            )
        made = WriteOnlyCell(sheet, text)
        made.data_type = "s"  # a text that begins with `=` is no formula
        return made

    try:
        sheet.append([cell(name, "the header") for name in names])
        for number, row in enumerate(_rows(lines, columns), start=2):
            if number > _MAX_ROWS:
                raise OutputError(
                    f"`{output}` cannot hold more than {_MAX_ROWS:,} rows. They are safe in "
                    f"`{lines}`; choose another output format."
                )
            cells = {name: cell(row.get(name), f"`{name}` of row {number}") for name in names}
            if row.get("flagged") is True and isinstance(row.get("hypothesis"), str):
                cells["hypothesis"].fill = shade
            sheet.append(list(cells.values()))
    finally:
        sheet.close()
    with atomic_path(output) as temporary:
        book.save(temporary)


def _rows(lines: Path, columns: TableColumns) -> Iterator[dict[str, Any]]:
    with lines.open("rb") as rows:
        yield from map(columns.flatten, rows)


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
