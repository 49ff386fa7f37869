import csv
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from headwise.data.jobs import OutputFormat
from headwise.data.readers import read_pairs
from headwise.data.records.pairs import Pair
from headwise.data.records.signals import Signal
from headwise.data.writers import TableLayout, write_csv, write_xlsx
from headwise.errors import DataError, OutputError

COLUMNS = TableLayout(signals=(Signal.SOFTMAX,), level="sentence", has_source=True)


def lines(path: Path, *rows: dict[str, Any]) -> Path:
    scored = [{**row, "signals": {"softmax": row["score"]}} for row in rows]
    path.write_text("".join(json.dumps(row) + "\n" for row in scored))
    return path


ROWS = (
    {"id": 7, "source": "=1+1", "hypothesis": 'a "b",\nc\x01\r _x0041_', "score": 0.5},
    {"id": "-x", "source": "@a", "hypothesis": "#N/A", "score": None},
)


def test_csv_is_read_back(tmp_path: Path) -> None:
    write_csv(lines(tmp_path / "a", *ROWS), tmp_path / "a.csv", COLUMNS)
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as stream:
        header, *rows = csv.reader(stream)
    answer = ["threshold", "segment_threshold", "flagged", "to_check"]
    assert header == ["id", "source", "hypothesis", "score", *answer]
    assert rows == [
        ["7", "=1+1", 'a "b",\nc\x01\r _x0041_', "0.5", "", "", "", ""],
        ["-x", "@a", "#N/A", "", "", "", "", ""],
    ]


def test_texts_of_a_workbook_are_no_formulas(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    write_xlsx(lines(tmp_path / "a", *ROWS), tmp_path / "a.xlsx", COLUMNS)
    _, first, second = openpyxl.load_workbook(tmp_path / "a.xlsx").active.iter_rows()
    assert [cell.data_type for cell in (*first[:4], *second[:3])] == list("nssn") + list("sss")
    assert [cell.value for cell in second[:4]] == ["-x", "@a", "#N/A", None]
    pairs = [pair for pair in read_pairs(tmp_path / "a.xlsx") if isinstance(pair, Pair)]
    assert [(pair.source, pair.hypothesis, pair.extra["id"]) for pair in pairs] == [
        ("=1+1", 'a "b",\nc\x01\r _x0041_', "7"),
        ("@a", "#N/A", "-x"),
    ]


def test_flagged_rows_are_shaded(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    rows = [{"hypothesis": "a", "score": 0.5, "flagged": flagged} for flagged in (True, False)]
    write_xlsx(lines(tmp_path / "a", *rows), tmp_path / "a.xlsx", COLUMNS)
    header, *found = openpyxl.load_workbook(tmp_path / "a.xlsx").active.iter_rows()
    place = [cell.value for cell in header].index("hypothesis")
    assert [row[place].fill.fill_type for row in found] == ["solid", None]
    assert all(cell.fill.fill_type is None for row in found for cell in row[place + 1 :])


def test_what_a_sheet_cannot_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openpyxl")
    long = lines(tmp_path / "a", {"source": "a", "hypothesis": "b" * 32_768, "score": 1.0})
    with pytest.raises(OutputError, match=r"cannot hold `hypothesis` of row 2: .* 32,767"):
        write_xlsx(long, tmp_path / "a.xlsx", COLUMNS)
    assert not (tmp_path / "a.xlsx").exists()
    monkeypatch.setattr("headwise.data.writers.spreadsheets._MAX_ROWS", 2)
    with pytest.raises(OutputError, match="more than 2 rows"):
        write_xlsx(lines(tmp_path / "b", *ROWS), tmp_path / "b.xlsx", COLUMNS)


def test_a_workbook_is_refused_before_the_work_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(DataError, match=r"pip install 'headwise\[xlsx\]'"):
        OutputFormat.of(Path("a.xlsx"), None)
    assert OutputFormat.of(Path("a.csv"), None) is OutputFormat.CSV
