"""`headwise evaluate` and `headwise compare` from end to end."""

import json
import os
import random
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from in_process import invoke
from running import headwise
from sklearn.metrics import roc_auc_score

from headwise.errors import DataError

QUICK = ("--resamples", "120", "--aggregations", "mean")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pairs, scored rows, and another system's scores."""
    folder = tmp_path_factory.mktemp("evaluate")
    rng = random.Random(0)
    texts, scored = [], []
    for index in range(40):
        words = [f"Wort{rng.randrange(50)}" for _ in range(6)]
        wrong = [place for place in range(6) if rng.random() < 0.25]
        starts = [sum(len(word) + 1 for word in words[:place]) for place in range(6)]
        places = [(start, start + len(word)) for start, word in zip(starts, words, strict=True)]
        values = [rng.uniform(0, 0.6) if i in wrong else rng.uniform(0.4, 1) for i in range(6)]
        text = {"source": f"Source {index // 2}.", "hypothesis": " ".join(words)}
        marks = [{"start": places[i][0], "end": places[i][1]} for i in wrong]
        texts.append({**text, "annotations": marks, "da": -len(wrong)})
        tokens = [
            {"text": word, "id": 1, "start": a, "end": b, "sigmoid": value}
            for word, (a, b), value in zip(words, places, values, strict=True)
        ]
        mean = sum(values) / 6
        signals = {"score": mean, "signals": {"sigmoid": mean}}
        scored.append({**texts[-1], **signals, "tokens": tokens})
    write(folder / "scored.jsonl", scored)
    (folder / "other.txt").write_text("".join(f"{rng.random()}\n" for _ in scored), "utf-8")
    pairs = [
        {"source": "A dog runs on the beach.", "hypothesis": "Ein Hund läuft am Strand.", "da": 1},
        {"source": "A dog runs on the beach.", "hypothesis": "Der Hund rennt am Strand.", "da": 2},
        {"source": "A dog runs on the beach.", "hypothesis": "", "da": 3},
        {"source": "A man reads a book.", "hypothesis": "Ein Mann liest ein Buch.", "da": 4},
        {"source": "A man reads a book.", "hypothesis": "Ein Mann liest in einem Buch.", "da": 2},
    ]
    write(folder / "pairs.jsonl", pairs)
    return folder


def write(path: Path, rows: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def test_word_tags_of_scored_rows_are_gold(folder: Path) -> None:
    rows = [json.loads(line) for line in (folder / "scored.jsonl").read_text("utf-8").splitlines()]
    for row in rows:
        words = [[token["start"], token["end"]] for token in row["tokens"]]
        wrong = {mark["start"] for mark in row.pop("annotations")}
        row["word_tags"] = {"words": words, "bad": [int(start in wrong) for start, _ in words]}
    write(folder / "tagged.jsonl", rows)
    result = headwise("evaluate", "tagged.jsonl", "--json", "tagged.json", *QUICK, cwd=folder)
    assert result.returncode == 0, result.stderr
    found = json.loads((folder / "tagged.json").read_text("utf-8"))
    assert found["protocol"] == "error-detection"


def test_scores_against_a_column_with_a_report(folder: Path) -> None:
    result = headwise(
        *("evaluate", "scored.jsonl", "--gold", "da", "--scores", "other=other.txt", *QUICK),
        *("--report", "report", "--json", "out/results.json", "--title", "Our title"),
        cwd=folder,
    )
    assert result.stdout.startswith("Our title\n")
    assert "Pearson" in result.stdout
    assert all(len(line) <= 100 for line in result.stdout.splitlines())
    found = json.loads((folder / "out" / "results.json").read_text("utf-8"))
    rows = {row["signal"]: row["metrics"] for row in found["tables"]["correlation"]["rows"]}
    assert set(rows) == {"sigmoid", "other", "length", "random"}
    assert rows["sigmoid"]["pearson"]["low"] > rows["other"]["pearson"]["high"]
    page = (folder / "report" / "index.html").read_text("utf-8")
    assert "Our title" in page
    assert not list(folder.rglob("*.tmp"))


def test_pairs_are_scored_and_bad_rows_are_named(folder: Path) -> None:
    result = headwise(
        *("evaluate", "pairs.jsonl", "--gold", "da", *QUICK, "-s", "softmax,sigmoid"),
        *("--monte-carlo", "2"),
        cwd=folder,
        code=3,
    )
    assert "monte-carlo" in result.stdout
    assert result.stdout.index("softmax") < result.stdout.index("sigmoid")
    assert "Line 3 left out: The hypothesis is empty" in result.stderr
    assert "1 row left out." in result.stderr


def test_the_ambiguity_of_pairs(folder: Path) -> None:
    rows = [json.loads(line) for line in (folder / "pairs.jsonl").read_text("utf-8").splitlines()]
    write(folder / "references.jsonl", [row for row in rows if row["hypothesis"]])
    result = headwise(
        *("evaluate", "references.jsonl", "--protocol", "ambiguity", "--synthetic", "crude"),
        *(*QUICK, "-s", "sigmoid"),
        cwd=folder,
    )
    assert "4 references of 2 sources" in result.stdout.replace("\n", " ")
    assert "crude errors" in result.stdout


def test_decisions_at_a_threshold(folder: Path) -> None:
    rows = [json.loads(line) for line in (folder / "scored.jsonl").read_text("utf-8").splitlines()]
    hit = missed = false = 0
    for row in rows:
        wrong = {mark["start"] for mark in row["annotations"]}
        for token in row["tokens"]:
            flagged, is_wrong = round(token["sigmoid"], 4) < 0.45, token["start"] in wrong
            hit += flagged and is_wrong
            missed += is_wrong and not flagged
            false += flagged and not is_wrong
    out = folder / "limit.json"
    options = ("--units", "token", "--threshold", "0.45", "--json", out, "--resamples", "10")
    shown = invoke("evaluate", folder / "scored.jsonl", *options).stdout
    (table, *_) = json.loads(out.read_text("utf-8"))["tables"].values()
    (found,) = [row for row in table["rows"] if row["signal"] == "sigmoid"]
    f1 = 2 * hit / (2 * hit + missed + false)
    assert found["metrics"]["f1_wrong"]["value"] == pytest.approx(f1)
    assert "below 0.45" in " ".join(shown.split())


def test_two_files_are_compared(folder: Path) -> None:
    rows = [json.loads(line) for line in (folder / "scored.jsonl").read_text("utf-8").splitlines()]
    for row in rows:
        for token in row["tokens"]:
            token["sigmoid"] = (token["sigmoid"] * 7919) % 1
    write(folder / "worse.jsonl", rows)
    result = headwise(
        "compare", "scored.jsonl", "worse.jsonl", *QUICK, "--json", "c.json", cwd=folder
    )
    assert result.stdout.startswith("scored against worse\n")
    (table,) = json.loads((folder / "c.json").read_text("utf-8"))["tables"].values()
    (roc_auc,) = [c for c in table["comparisons"] if c["metric"] == "roc_auc"]
    assert (roc_auc["best"], roc_auc["distinguishable"]) == ("scored", True)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--units", "wrd"), 2, "token, word, gap, got 'wrd'"),
        (("--gold", "nope"), 1, "the input brought `da`"),
    ],
)
def test_wrong_use_says_what_is_right(
    folder: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    result = headwise("evaluate", "scored.jsonl", *arguments, cwd=folder, code=code)
    assert message in " ".join(result.stderr.split())
    assert "Unexpected" not in result.stderr


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows of two systems and two people, with ESA scores, marks and scores of others."""
    rows = []
    for index in range(12):
        for place, system in enumerate(("refA", "refB", "good", "bad")):
            wrong = system == "bad" or (system == "good" and index < 3)
            rows.append(
                {
                    "source": f"Source {index}.",
                    "hypothesis": f"Text {index} {system}",
                    "system": system,
                    "domain": "news" if index % 2 else "social",
                    "esa": 90 - 20 * wrong - 30 * (system == "bad") - 10 * (index == 11),
                    "annotations": [{"start": 0, "end": 4}] if wrong else [],
                    "other": 1 - place / 10 + (index * 7 % 5) / 100,
                }
            )
    path = tmp_path_factory.mktemp("judged") / "judged.jsonl"
    write(path, rows)
    return path


def answer(path: Path, *options: str) -> dict[str, dict[str, float]]:
    """The rows of the column `other`, by tables."""
    out = path.with_name("out.json")
    quick = ("--signals", "none", "--column", "other", "--resamples", "20", "--json", out)
    invoke("evaluate", path, *options, *quick)
    found = {}
    for name, table in json.loads(out.read_text("utf-8"))["tables"].items():
        for row in table["rows"]:
            if row["signal"] == "other":
                found[name] = {key: one.get("value") for key, one in row["metrics"].items()}
    return found


def test_error_free_texts_are_a_question(judged: Path) -> None:
    found = answer(judged, "--gold", "error-free", "--by", "domain")
    rows = [json.loads(line) for line in judged.read_text("utf-8").splitlines()]
    good = [row["esa"] >= 85 and not row["annotations"] for row in rows]
    assert sum(good) == 3 * 12 - 3 - 3  # three marks of the good system, three texts of ESA 80
    expected = roc_auc_score(good, [row["other"] for row in rows])
    assert found["binary"]["roc_auc"] == pytest.approx(expected)
    assert set(found["slices"]) == {"news", "social"}


def test_two_references_against_worse_outputs(judged: Path) -> None:
    found = answer(judged, "--protocol", "references", "--gold", "esa", "--below", "60")
    # The references are 0.1 apart; the bad system is 0.3 and 0.2 below them
    assert found["references"]["spread_per_worse_output"] == pytest.approx(0.1 / 0.25)
    assert found["references"]["below_all"] == 1.0


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (("--gold", "esa", "--system", "line"), DataError, "no column `line`"),
        (("--gold", "esa", "--system", "same"), DataError, "names x alone, and systems are"),
        (("--gold", "esa", "--by", "same"), DataError, "`same` makes no slices: all texts have x"),
        (("--gold", "esa", "--below", "3"), None, "`below` is for the protocol `references`"),
        (("--protocol", "references", "--gold", "esa"), None, "such as --gold z_mean --below -0.5"),
        (
            ("--protocol", "references", "--gold", "esa", "--below", "-5"),
            DataError,
            "No output has a gold (esa) below -5, the lowest is 30",
        ),
        (("--gold", "error-free"), DataError, "All of the 30 texts are error-free"),
    ],
)
def test_what_judgements_lack_is_said(
    judged: Path, options: tuple[str, ...], error: type[Exception] | None, message: str
) -> None:
    rows = [{**json.loads(line), "same": "x"} for line in judged.read_text("utf-8").splitlines()]
    path = judged.with_name("changed.jsonl")
    clean = [row for row in rows if row["esa"] >= 85 and not row["annotations"]]
    write(path, clean if "error-free" in options else rows)
    arguments = ("evaluate", path, *options, "--signals", "none", "--column", "other")
    if error is None:
        said = invoke(*arguments, code=2).stderr.replace("│", " ")
        assert message in " ".join(said.split())
        return
    with pytest.raises(error, match=re.escape(message)):
        invoke(*arguments)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_an_interrupt_leaves_no_half_file(folder: Path) -> None:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "headwise", "evaluate", "scored.jsonl", "--gold", "da"),
            *("--resamples", "2000000", "--json", "never.json", "--report", "never"),
        ],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "NO_COLOR": "1"},
    )
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=15)  # until it has begun
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in said
    assert not list(folder.glob("never*"))
