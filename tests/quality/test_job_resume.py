"""A job that is killed, again and again, against one that is left alone."""

import json
import random
import time
from pathlib import Path

import pytest
from word_scorer import FORK, kill_at, run, run_slowly

from headwise.errors import OutputError

FORMATS = ["jsonl", "tsv", "parquet"]


def make_input(path: Path, rows: int) -> Path:
    """Rows of every kind, good and bad in an irregular order."""
    random_ = random.Random(1)
    kinds = [
        b"%d\tA dog runs.\tEin Hund rennt, Nummer %d.\n",
        b'%d\tA "cat" \\n sleeps.\tDie \xe2\x80\xa8Katze \xf0\x9f\x90\x88 schl\xc3\xa4ft %d.\n',
        b"%d\tNo hypothesis\t\n%.0d",
        b"%d\tStra\xdfe\t%d\n",
        b"%d\ttoo\tmany\tcolumns\t%d\n",
    ]
    weights = [4, 4, 1, 1, 1]
    chosen = random_.choices(kinds, weights, k=rows)
    content = b"".join(kind % (number, number % 2) for number, kind in enumerate(chosen))
    path.write_bytes(b"id\tsource\thypothesis\n" + content.replace(b"\n1", b"\n"))
    return path


def assert_same_as_uninterrupted(source: Path, output: Path) -> None:
    whole = output.with_name(f"whole{output.suffix}")
    expected = run(source, whole)
    summary = run(source, output)
    assert summary.already_complete
    assert (summary.written, summary.rejected) == (expected.written, expected.rejected)
    assert summary.figures["mean_score"] == expected.figures["mean_score"]
    assert expected.written > expected.rejected > 0
    assert output.read_bytes() == whole.read_bytes()
    assert beside(output, "rejects.jsonl").read_bytes() == (
        beside(whole, "rejects.jsonl").read_bytes()
    )
    assert set(output.parent.glob("out.*")) == {
        output,
        beside(output, "rejects.jsonl"),
        beside(output, "run.json"),
    }


def beside(output: Path, kind: str) -> Path:
    return output.with_name(f"{output.name.removesuffix('.jsonl')}.{kind}")


def is_complete(output: Path) -> bool:
    sidecar = beside(output, "run.json")
    return sidecar.exists() and json.loads(sidecar.read_bytes())["complete"] is True


def whole_lines(*paths: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in paths if path.exists())


@pytest.mark.parametrize("suffix", FORMATS)
def test_killed_at_random_moments(tmp_path: Path, suffix: str) -> None:
    source = make_input(tmp_path / "in.tsv", rows=1000)
    output = tmp_path / f"out.{suffix}"
    work = output if suffix == "jsonl" else beside(output, "partial.jsonl")
    random_ = random.Random(suffix)
    done = [0]
    patience = 0.1
    while not is_complete(output):
        process = FORK.Process(target=run_slowly, args=(source, output))
        process.start()
        process.join(random_.uniform(0, patience))
        process.kill()
        process.join()
        patience *= 1.1  # a slow machine gets on, too
        done.append(whole_lines(work, beside(output, "rejects.jsonl")))
    assert len(set(done)) > 4, "The job was not killed often enough for the test to mean much."
    assert_same_as_uninterrupted(source, output)


@pytest.mark.parametrize("suffix", FORMATS)
def test_killed_at_every_step(tmp_path: Path, suffix: str) -> None:
    source = make_input(tmp_path / "in.tsv", rows=30)
    output = tmp_path / f"out.{suffix}"
    moments = [
        ("record", 1),
        *(("line", number) for number in (1, 2, 3, 5, 8)),
        ("table", 1),
        ("record", 2),
        ("clean_up", 1),
    ]
    kill_at(source, output, moments)
    assert_same_as_uninterrupted(source, output)


def test_time_passes_only_for_rows_that_are_left(tmp_path: Path) -> None:
    source = make_input(tmp_path / "in.tsv", rows=30)
    output = tmp_path / "out.jsonl"
    kill_at(source, output, [("line", 20)])
    started = time.perf_counter()
    summary = run(source, output)
    assert summary.resumed_from == 19
    assert summary.seconds <= time.perf_counter() - started


def test_damage_is_not_built_upon(tmp_path: Path) -> None:
    source = make_input(tmp_path / "in.tsv", rows=30)
    output = tmp_path / "out.jsonl"
    kill_at(source, output, [("line", 20)])
    content = output.read_bytes()
    for damaged in (content.replace(b'"score"', b'"sore"', 1), b"\0" * 100 + b"\n" + content):
        output.write_bytes(damaged)
        with pytest.raises(OutputError, match=r"Line 1 of .* was changed or damaged"):
            run(source, output)
    output.write_bytes(content[: content.rindex(b"\n") + 1] * 20)
    with pytest.raises(OutputError, match="the input has only 30"):
        run(source, output)
    output.unlink()
    with pytest.raises(OutputError, match="it is gone"):
        run(source, output)
    assert run(source, output, overwrite=True).resumed_from == 0
