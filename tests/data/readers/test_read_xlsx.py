import importlib.util
from pathlib import Path
from typing import Any

import pytest

from headwise.data.readers import Layout, read_numbers, read_pairs
from headwise.data.records.pairs import Pair, Reject
from headwise.errors import DataError

openpyxl = pytest.importorskip("openpyxl")


def workbook(path: Path, *rows: list[Any]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def test_cells_are_texts(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.xlsx",
        ["Source", "Target", "score"],
        ["yes", "ja", 5],
        [2024, 3.5, None],
        [],
        ["a\nb", 'c "d"', 0.25],
        ["#N/A", "e", 1],
        ["f", "g_x000D_", True],
    )
    rows = list(read_pairs(path))
    assert rows[:2] == [
        Pair("yes", "ja", 2, {"score": "5"}),
        Pair("2024", "3.5", 3, {"score": ""}),
    ]
    assert rows[3] == Pair("a\nb", 'c "d"', 5, {"score": "0.25"})
    assert rows[5] == Pair("f", "g\r", 7, {"score": "TRUE"})
    assert [row.line for row in rows if isinstance(row, Reject)] == [4, 6]
    assert "Cell A6 holds the error #N/A" in rows[4].reason  # type: ignore[union-attr]


def test_first_visible_sheet_and_its_header(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["hidden"])
    book.active.sheet_state = "hidden"
    book.create_sheet("texts").append(["yes", "ja"])
    book.save(tmp_path / "a.xlsx")
    assert list(read_pairs(tmp_path / "a.xlsx")) == [Pair("yes", "ja", 1)]
    path = workbook(tmp_path / "b.xlsx", ["a", "b", "c"], [1, 2, 3])
    with pytest.raises(DataError, match=r"`a`, `b`, `c`\. Say with --source-column"):
        list(read_pairs(path))
    layout = Layout(source_column="a", hypothesis_column="c")
    assert list(read_pairs(path, layout)) == [Pair("1", "3", 2, {"b": "2"})]
    assert read_numbers(path, column="b") == [2.0]


def test_a_title_a_remark_and_an_empty_sheet(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.create_sheet("texts")
    rows = [
        ["Review", None, "May"],
        [],
        ["no", "Source", "Target", "by"],
        [1, "yes", "ja", "x", "y"],
    ]
    for row in rows:
        sheet.append(row)
    sheet.merge_cells("A1:B1")
    book.save(tmp_path / "a.xlsx")
    (pair,) = read_pairs(tmp_path / "a.xlsx")
    assert pair == Pair("yes", "ja", 4, {"no": "1", "by": "x", "column 5": "y"})


def test_what_is_no_workbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.xlsx"
    for content in (b"", b"PK\x03\x04 cut off", b"text"):
        path.write_bytes(content)
        with pytest.raises(DataError, match="cannot be read as an Excel workbook"):
            list(read_pairs(path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(DataError, match=r"pip install 'headwise\[xlsx\]'"):
        read_pairs(path)
