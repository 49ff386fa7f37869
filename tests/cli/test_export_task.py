"""Submissions read back as the tasks' own scripts read them."""

import csv
import json
from pathlib import Path

import pytest
from in_process import invoke
from made_token_rows import marked_rows, token_row, write_lines

from headwise.errors import DataError

RELEASED = {
    "doc_id": "d",
    "source_lang": "en",
    "target_lang": "cs_CZ",
    "set_id": "official",
    "system_id": "s",
    "domain_name": "news",
    "method": "ESA",
    "reference_segment": "",
}


def test_tables_of_2025_repeat_the_test_set(tmp_path: Path) -> None:
    rows = [
        token_row(['"a"', "b", "c"], [0.1, 0.9, 0.4], **RELEASED, segment_id="1"),
        token_row(["fine"], [0.9], **RELEASED, segment_id="2", source='Say "x"'),
    ]
    scored = write_lines(tmp_path / "scored.jsonl", rows)
    common = ("export-task", scored, "-o")
    done = invoke(*common, tmp_path / "predictions.tsv", "--task", "wmt25-spans")
    assert "All errors are minor" in done.stderr
    invoke(*common, tmp_path / "p2.tsv", "--task", "wmt25-spans", "--major-below", "0.2")
    with (tmp_path / "p2.tsv").open(newline="", encoding="utf-8") as stream:
        first, second = csv.DictReader(stream, delimiter="\t")
    assert first == {
        **RELEASED,
        "segment_id": "1",
        "source_segment": "A source.",
        "hypothesis_segment": '"a" b c',
        "start_indices": "0 6",
        "end_indices": "3 7",
        "error_types": "major minor",
    }
    assert (second["start_indices"], second["error_types"]) == ("-1", "no-error")
    assert second["source_segment"] == 'Say "x"'

    invoke(*common, tmp_path / "segments.tsv", "--task", "wmt25-scores")
    with (tmp_path / "segments.tsv").open(newline="", encoding="utf-8") as stream:
        scores = list(csv.DictReader(stream, delimiter="\t"))
    assert [row["overall"] for row in scores] == ["25.0000", "25.0000"]
    assert "hypothesis_segment" not in scores[0]


def test_a_test_set_of_2026_is_scored_and_comes_back_by_segment(tmp_path: Path) -> None:
    identifier = "official_###_eng_Latn_###_deu_Latn_###_news_###_doc-7_###_0"
    item = {
        "item_id": identifier,
        "src": "A dog runs on the beach.",
        "ref": {"text": "Ein Hund läuft am Strand.", "type": "postedit"},
        "hyps": {"A": "Ein Hund läuft am Strand.", "B": "Ein Hund läuft am Bahnhof."},
    }
    items = [item, {**item, "item_id": identifier[:-1] + "1"}]
    given = write_lines(tmp_path / "test26.jsonl", items)
    scored = tmp_path / "scored.jsonl"
    invoke("score", given, "-o", scored, "--level", "token")
    rows = [json.loads(line) for line in scored.read_text("utf-8").splitlines()]
    assert [row["system"] for row in rows] == ["A", "B"] * 2
    assert (rows[0]["source_language"], rows[0]["domain"]) == ("eng_Latn", "news")
    out = tmp_path / "out.jsonl"
    invoke("export-task", scored, "--task", "wmt26", "-o", out, "--major-below", "0.2")
    first, second = (json.loads(line) for line in out.read_text("utf-8").splitlines())
    assert (first["item_id"], second["item_id"]) == (identifier, identifier[:-1] + "1")
    (error,) = first["task1_pred"]["B"]["errors"]
    assert item["hyps"]["B"][error["start"] : error["end"]] == "Bahnhof"
    assert first["task1_pred"]["A"]["errors"] == []
    assert 0.0 < first["task2_pred"]["B"] < first["task2_pred"]["A"] < 100.0
    assert first["task3_pred"] == {"A": 1, "B": 0}


def test_what_severities_are_worth_is_said(tmp_path: Path) -> None:
    rows = [
        {**row, **RELEASED, "segment_id": str(number)}
        for number, row in enumerate(marked_rows(40, seed=2))
    ]
    scored = write_lines(tmp_path / "a.jsonl", rows)
    common = ("export-task", scored, "-o", tmp_path / "out.tsv", "--task", "wmt25-spans")
    done = invoke(*common, "--labelled", scored)
    assert "F1 on 20 labelled segments that did not choose them: 0." in done.stderr
    with (tmp_path / "out.tsv").open(newline="", encoding="utf-8") as stream:
        kinds = {row["error_types"] for row in csv.DictReader(stream, delimiter="\t")}
    assert any("major" in one for one in kinds)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    rows = [token_row(["a"], [0.9], **RELEASED)]
    scored = write_lines(tmp_path / "a.jsonl", rows)
    common = ("export-task", scored, "-o", tmp_path / "out")
    with pytest.raises(DataError, match="Line 1 has no `segment_id`, a column of the task's"):
        invoke(*common, "--task", "wmt25-scores")
    del rows[0]["tokens"]
    write_lines(scored, rows)
    with pytest.raises(DataError, match="no tokens, which error spans are made of"):
        invoke(*common, "--task", "wmt25-spans")
    with pytest.raises(DataError, match="has no tokens; severities are learned"):
        invoke(*common, "--task", "wmt25-spans", "--labelled", scored)
    done = invoke(*common, "--task", "wmt25-scores", "--major-below", "0.2", code=2)
    assert "has no error spans" in " ".join(done.stderr.replace("│", " ").split())
