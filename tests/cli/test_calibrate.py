"""`headwise calibrate`, and what `headwise score` does with what it wrote."""

import contextlib
import json
import random
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from headwise.cli.main import app
from headwise.data.jobs import timed_windows
from headwise.errors import HeadwiseError

ENVIRONMENT = {"NO_COLOR": "1", "COLUMNS": "120"}

SUBJECTS = {"A dog": "Ein Hund", "A man": "Ein Mann", "A woman": "Eine Frau", "A boy": "Ein Junge"}
VERBS = {"runs": "läuft", "sleeps": "schläft", "sits": "sitzt", "plays": "spielt"}
PLACES = {
    "on the beach": "am Strand",
    "in the park": "im Park",
    "in the garden": "im Garten",
    "on the street": "auf der Straße",
}


def headwise(*arguments: str | Path, cwd: Path, code: int = 0) -> str:
    """Run the command in this process; returns what it says, on both streams."""
    with contextlib.chdir(cwd):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], env=ENVIRONMENT)
    if isinstance(result.exception, HeadwiseError):  # what `main` prints as one sentence
        assert code == 1
        return str(result.exception)
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with right pairs."""
    folder = tmp_path_factory.mktemp("calibrate")
    rows = [
        f"{s} {v} {p}.\t{SUBJECTS[s]} {VERBS[v]} {PLACES[p]}.\n"
        for s in SUBJECTS
        for v in VERBS
        for p in PLACES
    ]
    random.Random(0).shuffle(rows)
    (folder / "pairs.tsv").write_text("".join(rows), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> str:
    """The command's output; the head is in ``head``."""
    return headwise(
        *("calibrate", "pairs.tsv", "--synthetic", "plausible,several,sampled", "-o", "head"),
        *("--language", "de"),
        *("--signal", "error,softmax", "--context"),
        *("--method", "platt", "--risk", "0.2", "--risk", "0.001", "--threshold", "risk-0.2"),
        cwd=folder,
    )


def test_it_writes_the_head_with_its_calibration(folder: Path, run: str) -> None:
    row = json.loads((folder / "head" / "calibration.json").read_text("utf-8"))
    assert row["token"]["method"] == "platt"
    assert row["default"] == "risk-0.2"
    assert set(row["thresholds"]) == {
        *("f1", "mcc", "precision-0.8", "recall-0.9", "risk-0.2", "risk-0.001")
    }
    assert row["thresholds"]["risk-0.2"]["risk"] < 0.2
    assert row["thresholds"]["risk-0.001"]["value"] is None
    assert row["provenance"]["data"] == ["pairs.tsv"]
    families = {"plausible", "sampled", "punctuation", "chunk", "negation", "ending"}
    assert families <= row["provenance"]["errors"].keys()
    assert "weighed together" in row["provenance"]["notes"][0]
    assert str(folder) not in json.dumps(row)
    assert (folder / "head" / "model.safetensors").is_file()
    for shown in ("risk-0.2 (default)", "ECE", "999 or more", "promise about the mean"):
        assert shown in run


@pytest.mark.usefixtures("run")
def test_score_uses_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Windows close by time: in runs of other speed, texts would share other batches
    same_windows = partial(timed_windows, clock=lambda: 0.0)
    monkeypatch.setattr("headwise.data.jobs.job.timed_windows", same_windows)
    headwise(
        *("score", "pairs.tsv", "-m", "head", "-s", "quality,sigmoid", "-l", "token"),
        *("-o", "scored.jsonl", "--html", "report.html"),
        cwd=folder,
    )
    rows = [json.loads(line) for line in (folder / "scored.jsonl").read_text("utf-8").splitlines()]
    calibration = json.loads((folder / "head" / "calibration.json").read_text("utf-8"))
    limit = calibration["thresholds"]["risk-0.2"]["value"]
    assert {row["threshold"] for row in rows} == {limit}
    assert all(0 < row["text_quality"] < 1 for row in rows)
    assert f'"threshold":{limit}' in (folder / "report.html").read_text("utf-8").replace(" ", "")
    # The head's own scores are what they were
    headwise("score", "pairs.tsv", "-s", "sigmoid", "-o", "plain.jsonl", cwd=folder)
    plain = (folder / "plain.jsonl").read_text("utf-8").splitlines()
    for row, line in zip(rows, plain, strict=True):
        assert row["signals"]["sigmoid"] == pytest.approx(json.loads(line)["score"], abs=1e-6)
    # Without a wish the signal is `quality`, and another calibration is another job
    headwise("score", "pairs.tsv", "-m", "head", "-o", "default.jsonl", cwd=folder)
    default = (folder / "default.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["score"] for line in default] == [row["score"] for row in rows]
    file = folder / "head" / "calibration.json"
    kept = file.read_bytes()
    file.write_text(json.dumps({**calibration, "default": "mcc"}), "utf-8")
    said = headwise("score", "pairs.tsv", "-m", "head", "-o", "default.jsonl", cwd=folder, code=1)
    file.write_bytes(kept)
    assert "--overwrite" in said


def test_marks_of_people_are_used_as_they_are(folder: Path) -> None:
    rows = []
    for number, line in enumerate((folder / "pairs.tsv").read_text("utf-8").splitlines()):
        source, hypothesis = line.split("\t")
        marks = []
        if number % 2:
            end = hypothesis.rindex(" ")
            hypothesis = f"{hypothesis[:end]} Gurke."
            marks = [{"start": end + 1, "end": end + 6, "severity": "major", "category": "noun"}]
        rows.append(json.dumps({"src": source, "mt": hypothesis, "annotations": marks}))
    (folder / "marked.jsonl").write_text("\n".join(rows), encoding="utf-8")
    headwise("calibrate", "marked.jsonl", "-o", "human", "--threshold", "f1", cwd=folder)
    row = json.loads((folder / "human" / "calibration.json").read_text("utf-8"))
    assert row["provenance"]["errors"] == {"noun": 32}


@pytest.mark.usefixtures("run")
def test_in_place(folder: Path) -> None:
    headwise(
        *("calibrate", "pairs.tsv", "--synthetic", "crude", "-m", "head", "--in-place"),
        *("--method", "temperature", "--threshold", "f1"),
        cwd=folder,
    )
    row = json.loads((folder / "head" / "calibration.json").read_text("utf-8"))
    assert row["token"]["method"] == "temperature"


@pytest.mark.parametrize(
    ("options", "message", "code"),
    [
        ((), "--output FOLDER or", 2),
        (("-o", "x", "--in-place"), "--output FOLDER or", 2),
        (("-o", "x", "--synthetic", "subtle"), "'subtle'", 2),
        (("-o", "x", "--threshold", "best"), "named f1", 2),
        (("-o", "x", "--risk", "1.5"), "(0, 1)", 2),
        (("-o", "x"), "--synthetic crude,plausible", 1),
    ],
)
def test_wrong_usage(folder: Path, options: tuple[str, ...], message: str, code: int) -> None:
    said = headwise("calibrate", "pairs.tsv", *options, cwd=folder, code=code)
    assert message in " ".join(said.replace("│", " ").split())
    assert not (folder / "x").exists()
