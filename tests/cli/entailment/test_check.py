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


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    result = headwise("check", "@none.txt", CLAIM, cwd=tmp_path, code=1)
    assert "There is no file `none.txt`" in result.stderr
