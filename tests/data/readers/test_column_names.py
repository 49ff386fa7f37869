import json
import logging
from pathlib import Path

import pytest

from headwise.data.readers import Layout, read_pairs
from headwise.data.records.pairs import Pair, Reject
from headwise.errors import DataError


@pytest.mark.parametrize(
    ("source", "hypothesis"),
    [
        ("src", "mt"),
        ("Original", "Translation"),
        ("prompt", "response"),
        ("Question", "ANSWER"),
        ("input", "output"),
        ("en", "de"),
        ("zh_Hans", "pt-BR"),
        ("English", "German"),
        ("English", "Deutsch"),
        ("中文", "Español"),
        ("Source text", "target_segment"),
        ("source", "de"),
        ("prompt", "translation"),
        ("query", "response"),
        ("Quelle", "U\u0308bersetzung"),  # as file systems of Apple spell it
        ("Texte source", "TRADUCTION"),
        ("原文", "译文"),
        ("source", "text"),
        ("question", "Antwort"),
        ("Source (EN)", "Target [de-DE]"),
        ("sourceText", "target_de"),
        ("src", "MT output"),
    ],
)
def test_names_are_recognised_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, source: str, hypothesis: str
) -> None:
    table, objects = tmp_path / "a.csv", tmp_path / "a.jsonl"
    table.write_text(f"id,{source},{hypothesis}\n1,yes,ja\n")
    objects.write_text(json.dumps({"id": "1", source: "yes", hypothesis: "ja"}) * 1 + "\n")
    for path, line in ((table, 2), (objects, 1)):
        caplog.clear()
        with caplog.at_level(logging.INFO, "headwise"):
            assert list(read_pairs(path)) == [Pair("yes", "ja", line, {"id": "1"})]
        assert f"`{source}` as the source and `{hypothesis}` as the hypothesis" in caplog.text


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("one,two,three", "`one`, `two`, `three`. Say with --source-column and --hypothesis"),
        ("en,de,fr", "`en`, `de`, `fr`. Say with --source-column"),
        ("source,one,two", "name it with --hypothesis-column"),
        ("one,two,mt", "name it with --source-column, or add --no-source"),
        ("prompt,input,output", "`prompt`, `input`, `output`. Say with --source-column"),
        ("mt,target,src", "could each be the hypothesis; name it with --hypothesis-column"),
    ],
)
def test_columns_that_could_be_anything_are_asked_for(
    tmp_path: Path, header: str, message: str
) -> None:
    (tmp_path / "a.csv").write_text(f"{header}\na,b,c\n")
    with pytest.raises(DataError) as error:
        list(read_pairs(tmp_path / "a.csv"))
    assert message in str(error.value)


@pytest.mark.parametrize("name", ["text", "Sentence"])
def test_texts_alone_may_be_called_so(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.csv").write_text(f",{name}\n0,ja\n")
    (pair,) = read_pairs(tmp_path / "a.csv", Layout(has_source=False))
    assert pair == Pair(None, "ja", 2, {"column 1": "0"})


@pytest.mark.parametrize(
    ("first", "layout", "is_told"),
    [
        ("Alt;Neu", Layout(), True),
        ("Alt;Neu", Layout(header=False), False),
        ("Guten Tag, Herr Wirt!;Good day.", Layout(), False),
        ("Kapitel 1;Chapter 1", Layout(), False),
    ],
)
def test_a_first_row_that_may_be_a_header_is_told(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    first: str,
    layout: Layout,
    is_told: bool,
) -> None:
    (tmp_path / "a.csv").write_text(f"{first}\nja;yes\n")
    with caplog.at_level(logging.INFO, "headwise"):
        assert len(list(read_pairs(tmp_path / "a.csv", layout))) == 2
    assert ("`Alt`, `Neu` are read as texts; if they name the columns" in caplog.text) == is_told


def test_columns_without_names_have_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("7\tyes\tja\n")
    expected = [Pair("yes", "ja", 1, {"1": "7"})]
    assert list(read_pairs(path, Layout(source_column="2", hypothesis_column="3"))) == expected
    path.write_text("source\tyes\tja\n")
    layout = Layout(source_column="2", hypothesis_column="3", header=False)
    assert list(read_pairs(path, layout)) == [Pair("yes", "ja", 1, {"1": "source"})]


def test_a_word_that_is_a_code_is_no_header(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("it\nso\n")
    rows = list(read_pairs(tmp_path / "a.tsv", Layout(has_source=False)))
    assert rows == [Pair(None, "it", 1), Pair(None, "so", 2)]


def test_plain_text_has_no_header(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("Translation\nEin Hund.\n")
    alone = Layout(has_source=False)
    assert [row.line for row in read_pairs(path, alone)] == [1, 2]
    assert [row.line for row in read_pairs(path, Layout(has_source=False, header=True))] == [2]
    assert all(isinstance(row, Reject) for row in read_pairs(path))
    path.write_text("Source\tTarget\nyes\tja\n")  # as spreadsheets name their tables
    assert list(read_pairs(path)) == [Pair("yes", "ja", 2)]


def test_a_column_without_a_name_is_numbered(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(",source,mt,\n0,yes,ja,x\n")
    (pair,) = read_pairs(tmp_path / "a.csv")
    assert pair == Pair("yes", "ja", 2, {"column 1": "0", "column 4": "x"})
