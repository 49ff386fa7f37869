import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwise.data.readers import read_pairs
from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import Level, ScoredHypothesis, ScoredToken
from headwise.data.records.signals import Signal
from headwise.data.records.word_tags import WordTags
from headwise.data.writers import (
    TableLayout,
    escape_cell,
    json_line,
    scored_row,
    unescape_cell,
    write_parquet,
    write_tsv,
)
from headwise.data.writers import parquet as parquet_module

NASTY = 'tab\t line\n\r\n \u2028 \x85 \\t \\\\ "quoted" 🚀'
TEXT = st.text(st.characters(exclude_categories=[]))
SIGNALS = (Signal.SIGMOID, Signal.RANK)


def layout(level: Level = "sentence", *, has_source: bool = True) -> TableLayout:
    return TableLayout(signals=SIGNALS, level=level, has_source=has_source)


def scored(text: str, source: str | None = "source", **extra: Any) -> ScoredHypothesis:
    tokens = (ScoredToken(0.25, rank=3.0, text=text, token_id=5, start=0, end=len(text)),)
    closing = (
        ScoredToken(0.5, rank=1.0, text="</s>", start=len(text), end=len(text), special=True),
    )
    return ScoredHypothesis(source, text, tokens if text else (), closing, SIGNALS, extra)


def lines_file(folder: Path, *rows: ScoredHypothesis, level: Level = "sentence") -> Path:
    path = folder / "rows.jsonl"
    path.write_bytes(b"".join(json_line(scored_row(row, level)) for row in rows))
    return path


def read_tsv(path: Path) -> tuple[list[str], list[list[str]]]:
    content = path.read_bytes().decode()
    assert content.endswith("\n")
    header, *rows = [
        [unescape_cell(cell) for cell in line.split("\t")] for line in content[:-1].split("\n")
    ]
    assert all(len(row) == len(header) for row in rows)
    return header, rows


ANSWER = ("threshold", "segment_threshold", "flagged", "to_check")


@given(TEXT)
def test_any_text_fits_into_a_cell(text: str) -> None:
    cell = escape_cell(text)
    assert not set("\t\n\r") & set(cell)
    assert unescape_cell(cell) == text
    written = cell.encode("utf-8", "backslashreplace").decode()
    assert unescape_cell(written) == text


def test_tsv(tmp_path: Path) -> None:
    rows = [
        scored(NASTY, NASTY, id="a", done=True, tags=["x\t", None]),
        scored("", None, id="b", note=None, n=3),
    ]
    write_tsv(lines_file(tmp_path, *rows), tmp_path / "out.tsv", layout())
    header, cells = read_tsv(tmp_path / "out.tsv")
    assert header == [
        *("id", "done", "tags", "note", "n"),
        *("source", "hypothesis", "score", "rank", *ANSWER),
    ]
    assert cells == [
        ["a", "true", '["x\\t", null]', "", "", NASTY, NASTY, "0.25", "3.0", *[""] * 4],
        ["b", "", "", "", "3", "", "", "", "", *[""] * 4],
    ]


def test_tsv_with_tokens(tmp_path: Path) -> None:
    write_tsv(
        lines_file(tmp_path, scored(NASTY, None), level="token"),
        tmp_path / "out.tsv",
        layout("token", has_source=False),
    )
    header, [row] = read_tsv(tmp_path / "out.tsv")
    assert header == ["hypothesis", "score", "rank", *ANSWER, "tokens"]
    tokens = json.loads(row[-1])
    assert tokens == scored_row(scored(NASTY), "token")["tokens"]
    assert tokens[0]["text"] == NASTY
    assert tokens[1]["special"] is True


@pytest.mark.parametrize("write", [write_tsv, write_parquet])
def test_no_rows(tmp_path: Path, write: Any) -> None:
    output = tmp_path / "out"
    write(lines_file(tmp_path), output, layout("word"))
    if write is write_tsv:
        assert read_tsv(output) == (["source", "hypothesis", "score", "rank", *ANSWER, "words"], [])
    else:
        table = pyarrow.parquet.read_table(output)
        assert table.column_names == ["source", "hypothesis", "score", "rank", *ANSWER, "words"]
        assert table.num_rows == 0


@pytest.mark.parametrize("level", ["word", "token"])
def test_parquet(tmp_path: Path, level: Level) -> None:
    rows = [scored(NASTY, id=1), scored("", id=2)]
    output = tmp_path / "out.parquet"
    write_parquet(lines_file(tmp_path, *rows, level=level), output, layout(level))
    table = pyarrow.parquet.read_table(output)
    names = ["id", "source", "hypothesis", "score", "rank", *ANSWER, f"{level}s"]
    assert table.column_names == names
    for row, read in zip(rows, table.to_pylist(), strict=True):
        expected = scored_row(row, level)
        signals = expected.pop("signals")
        details = read.pop(f"{level}s")
        expected_details = expected.pop(f"{level}s")
        unknown = dict.fromkeys(ANSWER)  # nobody drew a line in these records
        assert read == {**expected, **unknown, "rank": signals["rank"]}
        without_none = [{k: v for k, v in part.items() if v is not None} for part in details]
        assert without_none == expected_details
    assert not (tmp_path / "out.parquet.tmp").exists()


@pytest.mark.parametrize(
    ("values", "kind", "read"),
    [
        (["a", None, "\ud800"], "string", ["a", None, "\\ud800"]),
        ([True, None], "bool", [True, None]),
        ([1, 2**60], "int64", [1, 2**60]),
        ([1, 0.5], "double", [1.0, 0.5]),
        ([0.5, 2**60], "string", ["0.5", str(2**60)]),
        ([2**70, 1], "string", [str(2**70), "1"]),
        ([1, "1", True], "string", ["1", '"1"', "true"]),
        ([{"a": ["ß"]}, None], "string", ['{"a": ["ß"]}', None]),
        ([None, None], "string", [None, None]),
    ],
)
def test_types_of_columns_handed_through(
    tmp_path: Path, values: list[Any], kind: str, read: list[Any]
) -> None:
    rows = [scored("x"), *(scored("x", column=value) for value in values)]
    output = tmp_path / "out.parquet"
    write_parquet(lines_file(tmp_path, *rows), output, layout())
    column = pyarrow.parquet.read_table(output)["column"]
    assert str(column.type) == kind
    assert column.to_pylist() == [None, *read]


def test_marks_of_people_survive_in_tables(tmp_path: Path) -> None:
    errors = (ErrorSpan(0, 2, "major", "\ud800", None), ErrorSpan(1, 2))
    tags = WordTags(((0, 1), (1, 2)), (False, True))
    rows = [
        replace(scored("ja", id=1), errors=errors, tags=tags),
        replace(scored("ja", annotations="text of a cell"), errors=()),
        scored("ja", word_tags=5),
    ]
    lines = lines_file(tmp_path, *rows, level="token")
    write_tsv(lines, tmp_path / "out.tsv", layout("token"))
    header, cells = read_tsv(tmp_path / "out.tsv")
    table = [dict(zip(header, row, strict=True)) for row in cells]
    assert json.loads(table[0]["annotations"])[1] == {"start": 1, "end": 2}
    assert json.loads(table[0]["word_tags"]) == tags.as_dict()
    assert table[1]["annotations"] == "[]"
    assert table[1]["input_annotations"] == "text of a cell"
    assert table[2]["annotations"] == ""
    assert table[2]["input_word_tags"] == "5"

    write_parquet(lines, tmp_path / "out.parquet", layout("token"))
    back = list(read_pairs(tmp_path / "out.parquet"))
    assert all(isinstance(pair, Pair) for pair in back)
    assert [pair.errors for pair in back if isinstance(pair, Pair)] == [
        (ErrorSpan(0, 2, "major", "\\ud800"), ErrorSpan(1, 2)),
        (),
        None,
    ]
    assert [pair.tags for pair in back if isinstance(pair, Pair)] == [tags, None, None]


def test_parquet_is_written_in_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_module, "_MAX_ROWS", 4)
    rows = [scored(f"row {i}", id=i) for i in range(10)]
    write_parquet(lines_file(tmp_path, *rows), tmp_path / "out.parquet", layout())
    file = pyarrow.parquet.ParquetFile(tmp_path / "out.parquet")
    assert file.num_row_groups == 3
    assert file.read()["id"].to_pylist() == list(range(10))


def test_failure_leaves_the_old_file(tmp_path: Path) -> None:
    output = tmp_path / "out.tsv"
    output.write_text("old")
    broken = tmp_path / "rows.jsonl"
    broken.write_text('{"signals": {"rank": 1}}\n{"signals": ')
    with pytest.raises(json.JSONDecodeError):
        write_tsv(broken, output, layout())
    assert output.read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {"out.tsv", "rows.jsonl"}
