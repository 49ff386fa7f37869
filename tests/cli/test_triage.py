"""The command that says what may go out unread."""

import csv
import json
from pathlib import Path

import pytest
from in_process import invoke
from made_triage import made_rows, write_rows

from headwise.errors import DataError, OutputError


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return (
        write_rows(tmp_path / "new.jsonl", made_rows(300, seed=1)),
        write_rows(tmp_path / "labelled.jsonl", made_rows(400, seed=2)),
    )


def test_rows_come_back_with_decisions_and_a_report(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    new, labelled = files
    done = invoke(
        *("triage", new, "--labelled", labelled, "--missed", "0.1", "-o", tmp_path / "out.jsonl"),
        *("--report", tmp_path / "report", "--save", tmp_path / "promise.json"),
    )
    assert "With 95% confidence, at most 10% of the segments" in " ".join(done.stdout.split())
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    given = [json.loads(line) for line in new.read_text().splitlines()]
    assert [{k: v for k, v in row.items() if k != "decision"} for row in rows] == given
    published = sum(row["decision"] == "publish" for row in rows)
    assert 0 < published < 300
    assert f"300 segments: {published} to publish" in done.stderr
    page = (tmp_path / "report" / "index.html").read_text("utf-8")
    assert "What a promise costs" in page
    assert (tmp_path / "report" / "saving.png").is_file()

    again = invoke(
        "triage", new, "--promise", tmp_path / "promise.json", "-o", tmp_path / "out.csv"
    )
    with (tmp_path / "out.csv").open(newline="") as table:
        cells = list(csv.DictReader(table))
    assert [row["decision"] for row in cells] == [row["decision"] for row in rows]
    assert float(cells[0]["entropy"]) == given[0]["signals"]["entropy"]
    assert f"{published} to publish" in again.stderr


def test_several_files_are_told_apart(files: tuple[Path, Path], tmp_path: Path) -> None:
    new, labelled = files
    other = write_rows(tmp_path / "other.jsonl", made_rows(50, seed=3))
    done = invoke(
        "triage", new, other, "--labelled", labelled, "-o", tmp_path / "out.jsonl", code=3
    )
    assert "By file" in done.stdout
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["file"] for row in rows] == [str(new)] * 300 + [str(other)] * 50
    assert {row["decision"] for row in rows} == {"check"}


def test_scores_of_another_model_are_refused(files: tuple[Path, Path], tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("source\thypothesis\nA dog runs.\tEin Hund läuft.\n", encoding="utf-8")
    for name, options in {
        "plain": [],
        "tokens": ["--level", "token", "--alternatives", "2"],
        "other": ["--prompt", "question"],
    }.items():
        invoke("score", pairs, "-o", tmp_path / f"{name}.jsonl", *options)
    tokens, other = tmp_path / "tokens.jsonl", tmp_path / "other.jsonl"
    promise = tmp_path / "promise.json"
    # So few labelled segments promise nothing, but the promise says what scored them
    labelled = json.loads((tmp_path / "plain.jsonl").read_text("utf-8")) | {"annotations": []}
    write_rows(tmp_path / "plain.jsonl", [labelled])
    invoke("triage", tokens, "--labelled", tmp_path / "plain.jsonl", "--save", promise, code=3)
    invoke("triage", tokens, "--promise", promise, code=3)
    with pytest.raises(DataError, match="was not scored with the model, head, prompt"):
        invoke("triage", other, "--promise", promise)
    new, _ = files  # nothing says what scored it
    invoke("triage", new, "--promise", promise, code=3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "--labelled, or a promise"),
        (["--labelled", "L", "--promise", "L"], "--labelled, or a promise"),
        (["--promise", "L", "--missed", "0.1"], "one that was saved"),
        (["--labelled", "L", "--missed", "1"], "must lie between 0 and 1, got 1"),
    ],
)
def test_wrong_usage_says_what_to_do(
    files: tuple[Path, Path], options: list[str], said: str
) -> None:
    new, labelled = files
    done = invoke("triage", new, *(str(labelled) if o == "L" else o for o in options), code=2)
    assert said in " ".join(done.stderr.replace("│", " ").split())


def test_inputs_are_not_written_over_and_other_files_are_named(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    new, labelled = files
    with pytest.raises(OutputError, match="write over its input"):
        invoke("triage", new, "--labelled", labelled, "-o", new)
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text('{"source": "a", "hypothesis": "b"}\n')
    with pytest.raises(DataError, match="is not a hypothesis scored"):
        invoke("triage", pairs, "--labelled", labelled)
    with pytest.raises(DataError, match="have no `sigmoid`; they have text_quality"):
        invoke("triage", new, "--labelled", labelled, "--signal", "sigmoid")
    document = tmp_path / "job.xlf"
    document.write_text(XLIFF.format(units=""))
    with pytest.raises(DataError, match="is a document, which has one rounded number"):
        invoke("triage", document, "--labelled", labelled)
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(DataError, match="holds no segments"):
        invoke("triage", tmp_path / "empty.jsonl", "--labelled", labelled)


XLIFF = """<?xml version="1.0"?>
<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2"><file original="a"
 source-language="en" target-language="de" datatype="plaintext"><body>
{units}</body></file></xliff>
"""
UNIT = """<trans-unit id="{name}"><source>{source}</source>
<target state="translated">{target}</target></trans-unit>
"""


def test_decisions_go_into_the_document_that_was_scored(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    pairs = {
        "right": ("A dog runs on the beach.", "Ein Hund läuft am Strand."),
        "wrong": ("A dog runs on the beach.", "Ein Hund kauft am Bahnhof."),
    }
    units = "".join(
        UNIT.format(name=name, source=source, target=target)
        for name, (source, target) in pairs.items()
    )
    document, scored = tmp_path / "job.xlf", tmp_path / "job.jsonl"
    document.write_text(XLIFF.format(units=units), encoding="utf-8")
    invoke("score", document, "-o", scored)
    rows = [json.loads(line) for line in scored.read_text("utf-8").splitlines()]
    between = sum(row["text_quality"] for row in rows) / 2
    promise = {
        "signal": "text_quality",
        "missed": 0.05,
        "wasted": 0.2,
        "confidence": 0.95,
        "publish_above": between,
        "redo_below": None,
        "labelled": 300,
        "faulty": 100,
        "surest": 30,
        "surest_faulty": 0,
    }
    (tmp_path / "promise.json").write_text(json.dumps(promise))
    common = ("triage", scored, "--promise", tmp_path / "promise.json", "-o")
    invoke(*common, tmp_path / "out.xlf")
    found = (tmp_path / "out.xlf").read_text("utf-8")
    right, wrong = found.split("<trans-unit ")[1:]
    assert 'state="translated"' in right
    assert 'state="needs-review-translation"' in wrong
    for name, (source, target) in pairs.items():
        assert f'id="{name}"' in found
        assert f"<source>{source}</source>" in found
        assert f">{target}</target>" in found

    with pytest.raises(DataError, match="cannot be a copy"):
        invoke(*common, tmp_path / "out.po")
    document.write_text(XLIFF.format(units=""), encoding="utf-8")
    with pytest.raises(DataError, match="is not the document any more"):
        invoke(*common, tmp_path / "again.xlf")
    new, labelled = files
    with pytest.raises(DataError, match=r"Nothing beside .* says which document"):
        invoke("triage", new, "--labelled", labelled, "--missed", "0.1", "-o", tmp_path / "a.xlf")
