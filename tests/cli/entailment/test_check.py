"""``headwise check`` as a user meets it."""

import json
from itertools import permutations
from pathlib import Path

import pytest
from in_process import invoke
from running import headwise
from tiny_models import PAIRS

from headwise.entailment import EntailmentModel

SOURCE = "A dog runs on the beach. The cat sat on the mat.\nTwo men drink green tea."
CLAIM = "A dog runs."


def test_a_file_and_standard_input(
    tmp_path: Path, heads_folder: Path, entailment_model: EntailmentModel
) -> None:
    (tmp_path / "report.txt").write_text(SOURCE, "utf-8")
    expected = entailment_model.validate(SOURCE, CLAIM, top_k=2)
    options = ("-m", heads_folder, "--top-k", "2", "--device", "cpu")
    result = headwise("check", "@report.txt", CLAIM, *options, cwd=tmp_path)
    words = expected.verdict.value.replace("_", " ")
    assert result.stdout.startswith(f"{words}  confidence {expected.confidence:.2f}\n")
    for one in expected.evidence:
        for part in one.passages:
            assert f"[{SOURCE[part.start : part.end]}]" in " ".join(result.stdout.split())
    result = invoke("check", "-", CLAIM, "--json", *options, text=SOURCE)
    row = json.loads(result.stdout)
    assert row["verdict"] == expected.verdict
    places = [[SOURCE[p["start"] : p["end"]] for p in one["passages"]] for one in row["evidence"]]
    assert [" ".join(texts) for texts in places] == [one.text for one in expected.evidence]


def test_the_floor_of_similarity_is_an_option(
    heads_folder: Path, entailment_model: EntailmentModel
) -> None:
    """Also for a source of one passage."""
    texts = [text for pair in PAIRS for text in pair]
    source, claim = next(
        pair
        for pair in permutations(texts, 2)
        if entailment_model.predict(*pair).label == "contradiction"
    )
    model = ("-m", heads_folder, "--device", "cpu", "--threshold", "1.1", "--json")
    cosine = entailment_model.validate(source, claim).evidence[0].similarity
    for floor, verdict in (
        (cosine - 0.01, "contradicted"),
        (cosine + 0.01, "not_enough_information"),
    ):
        result = invoke("check", source, claim, *model, "--min-similarity", f"{floor:.3f}")
        assert json.loads(result.stdout)["verdict"] == verdict
    wrong = invoke("check", source, claim, "--min-similarity", "2", code=2)
    assert "--min-similarity" in wrong.stderr


def test_a_name_of_a_file_is_not_taken_for_the_text(
    tmp_path: Path, heads_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "report.txt").write_text(SOURCE, "utf-8")
    (tmp_path / "claim.txt").write_text(CLAIM, "utf-8")
    for command in (
        ("check", "report.txt", CLAIM),
        ("check", SOURCE, "claim.txt"),
        ("nli", "report.txt", CLAIM),
        ("nli", SOURCE, "claim.txt"),
        ("route", "claim.txt", "--route", "a=b"),
        ("rerank", "claim.txt", "report.txt"),
        ("generate", "claim.txt"),
    ):
        name = "claim.txt" if "claim.txt" in command else "report.txt"
        assert f"give @{name} to read it" in " ".join(
            invoke(*command, code=2).stderr.replace("│", " ").split()
        )
    options = ("-m", heads_folder, "--device", "cpu", "--json")
    by_name = invoke("check", "@report.txt", "@claim.txt", *options).stdout
    assert by_name == invoke("check", SOURCE, CLAIM, *options).stdout
    # A text that only begins with the sign, and one that is longer than any name
    for text in ("@anna says that a dog runs", "A dog. " * 900):
        row = json.loads(invoke("check", text, CLAIM, *options).stdout)
        assert row["evidence"]
    assert "followed by the name" in invoke("check", "@", CLAIM, code=2).stderr


def test_a_file_of_claims_continues_and_is_shown(
    tmp_path: Path, heads_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "report.txt").write_text(SOURCE, "utf-8")
    (tmp_path / "claims.csv").write_text(f"id,claim\n7,{CLAIM}\n8,\n9,It is late.\n", "utf-8")
    command = ("check", "@report.txt", "--claims", "claims.csv", "-m", heads_folder)
    files = ("-o", "out.tsv", "--html", "page.html", "--device", "cpu")
    result = invoke(*command, *files, code=3)
    assert "2 claims checked, 1 rejected, " in result.stderr
    assert "not enough information" in result.stderr
    header, first, _ = (tmp_path / "out.tsv").read_text("utf-8").splitlines()
    assert header == "id\tclaim\tverdict\tconfidence\tdeciding\tevidence"
    assert first.startswith(f"7\t{CLAIM}\t")
    html = (tmp_path / "page.html").read_text("utf-8")
    assert "It is late." in html
    assert "line 2" in html
    (tmp_path / "page.html").unlink()
    result = invoke(*command, *files, code=3)
    said = "Nothing left to do: 2 claims checked, 1 rejected, 3 of these in earlier runs"
    assert said in result.stderr
    assert (tmp_path / "page.html").read_text("utf-8").count('class="claim"') == 2


def test_rows_on_standard_output_have_their_own_sources(
    heads_folder: Path, entailment_model: EntailmentModel
) -> None:
    text = json.dumps({"text": "unused", "document": SOURCE, "claim": CLAIM})
    options = ("-m", heads_folder, "--device", "cpu", "--input-format", "jsonl")
    row = json.loads(invoke("check", "--claims", "-", *options, text=text).stdout)
    assert (row["source"], row["text"]) == (SOURCE, "unused")
    assert row["verdict"] == entailment_model.validate(SOURCE, CLAIM).verdict


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a source",), "Give a SOURCE and a CLAIM, or a file of claims with --claims."),
        (("a source", "a claim", "-o", "out.tsv"), "Options of files and columns go with --claims"),
        (("a source", "a claim", "--claims", "a.tsv"), "--claims takes the place of CLAIM"),
        (("--claims", "a.tsv", "--json"), "--claims takes the place of CLAIM and --json"),
        (("-", "--claims", "-"), "cannot both be standard input"),
        (("a source", "--claims", "a.tsv", "--source-column", "b"), "leave SOURCE out"),
    ],
)
def test_wrong_usage_is_said(arguments: tuple[str, ...], message: str) -> None:
    result = invoke("check", *arguments, code=2)
    assert message in " ".join(result.stderr.replace("│", " ").split())


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    result = headwise("check", "@none.txt", CLAIM, cwd=tmp_path, code=1)
    assert "There is no file `none.txt`" in result.stderr
