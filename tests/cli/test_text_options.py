"""How text is written is said in the same words to every command that reads files of it."""

import json
from pathlib import Path
from typing import Any, NoReturn

import pytest
from in_process import invoke

from headwise.data.records.inferences import InferencePair
from headwise.data.records.pairs import Pair


class _ReadError(Exception):
    """Raised in place of a training, with what it was given."""


def _tell(*given: Any, **options: Any) -> NoReturn:
    raise _ReadError(given, options)


def written(path: Path, text: str) -> Path:
    path.write_bytes(text.encode("cp1252"))
    return path


def test_embed_and_rerank_take_code_pages(tmp_path: Path, encoder_folder: Path) -> None:
    lines = written(tmp_path / "a.txt", "Grüße\nA dog.\n")
    table = written(tmp_path / "a.csv", "1;Grüße\n2;A dog.\n")
    model = ("-m", encoder_folder, "--device", "cpu", "--encoding", "cp1252")
    out = tmp_path / "v.jsonl"
    column = ("--no-header", "--column", "2")
    for source, options in ((lines, ()), (table, column)):
        invoke("embed", source, "-o", out, "--overwrite", *model, *options)
        rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
        assert [(row["line"], row["text"]) for row in rows] == [(1, "Grüße"), (2, "A dog.")]
        ranked = invoke("rerank", "A dog", source, "--json", *model, *options).stdout
        texts = {json.loads(line)["text"] for line in ranked.splitlines()}
        assert texts == {"Grüße", "A dog."}


def test_trainings_of_encoders_take_code_pages_and_columns(
    tmp_path: Path, heads_folder: Path, encoder_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = written(tmp_path / "a.csv", "1;Grüße;Ein Gruß;neutral\n")
    monkeypatch.setattr("headwise.training.nli.train.train_nli_head", _tell)
    monkeypatch.setattr("headwise.training.abstention.train.train_abstention_head", _tell)
    columns = ("--premise-column", "a", "--hypothesis-column", "b", "--label-column", "c")
    named = written(tmp_path / "b.csv", "n;a;b;c\n1;Grüße;Ein Gruß;neutral\n")
    bare = written(tmp_path / "c.csv", "Grüße;Ein Gruß;neutral\n")
    common = ("-o", tmp_path / "out", "--encoding", "cp1252", "--backbone", encoder_folder)
    for options in (("--data", named, "--dev", named, *columns), ("--data", bare, "--dev", bare)):
        for command in (("nli",), ("abstention", "--heads", heads_folder)):
            with pytest.raises(_ReadError) as told:
                invoke("train", *command, *common, *options)
            (_, train, dev, *_), _ = told.value.args
            texts = [(pair.premise, pair.hypothesis, str(pair.label)) for pair in (*train, *dev)]
            assert texts == [("Grüße", "Ein Gruß", "neutral")] * 2
            assert isinstance(train[0], InferencePair)
    assert data.exists()


def test_trainings_of_language_models_take_code_pages_and_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headwise.training.sigmoid.train.train_sigmoid_head", _tell)
    monkeypatch.setattr("headwise.quality.after_training.train_error_head", _tell)
    table = written(tmp_path / "a.csv", "Ja;Grüße;Hello\nNein;Tschüss;Bye\n")
    common = ("--backbone", "tiny-en-de", "-o", tmp_path / "out", "--encoding", "cp1252")
    options = ("--data", table, "--dev", table, "--source-column", "3", "--hypothesis-column", "2")
    for kind in ("sigmoid", "errors"):
        with pytest.raises(_ReadError) as told:
            invoke("train", kind, *common, *options)
        (_, train, *_), _ = told.value.args
        assert train[0] == Pair("Hello", "Grüße", 1, {"1": "Ja"})
        assert len(train) == 2


def test_gold_in_a_code_page_without_a_header(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("id;score\n" + "".join(f"{n};0,{n}\n" for n in range(1, 9)))
    gold = written(tmp_path / "gold.tsv", "".join(f"Prüfer\t0,{n}5\n" for n in range(1, 9)))
    out = tmp_path / "found.json"
    invoke(
        *("evaluate", rows, "--gold-file", f"{gold}:2", "--encoding", "cp1252"),
        *("--json", out, "--resamples", "10"),
    )
    (table, *_) = json.loads(out.read_text("utf-8"))["tables"].values()
    (row,) = [row for row in table["rows"] if row["signal"] == "score"]
    assert row["metrics"]["pearson"]["value"] == pytest.approx(1.0)
