"""A file of checked claims: what its rows hold, and that a stopped job goes on."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from headwise.data.jobs import JobDone
from headwise.entailment import EntailmentModel
from headwise.entailment.claims.job import check_file
from headwise.entailment.claims.sources import CheckOptions
from headwise.entailment.rows import validation_row
from headwise.errors import OutputError, TextError

SOURCE = "The cat sat on the mat. A dog runs on the beach. Two men drink green tea."
CLAIMS = ["A dog runs.", "It is a lovely evening.", "The children play football."]
OPTIONS = CheckOptions(min_similarity=-1.0)


@pytest.fixture
def claims(tmp_path: Path) -> Path:
    """Three claims, and between them two rows that are none."""
    path = tmp_path / "in.tsv"
    first, second, third = CLAIMS
    path.write_text(f"id\tclaim\n1\t{first}\n2\t\n3\t{second}\n4\n5\t{third}\n", "utf-8")
    return path


def run(model: EntailmentModel, claims: Path, output: Path | None, **options: Any) -> JobDone:
    given = {"source": SOURCE, "options": OPTIONS, **options}
    return check_file(model, claims, output, model="fitted", **given)


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


def test_every_row_is_in_the_output_or_the_rejects(
    fitted: EntailmentModel, claims: Path, tmp_path: Path
) -> None:
    done = run(fitted, claims, tmp_path / "out.jsonl")
    rows = read_lines(tmp_path / "out.jsonl")
    assert [row["id"] for row in rows] == ["1", "3", "5"]
    for row, claim in zip(rows, CLAIMS, strict=True):
        alone = validation_row(fitted.validate(SOURCE, claim, min_similarity=-1.0))
        assert list(row) == ["id", "claim", *alone]
        assert (row["claim"], row["verdict"]) == (claim, alone["verdict"])
        assert row["confidence"] == pytest.approx(alone["confidence"], abs=1e-5)
        places = [one["passages"] for one in row["evidence"]]
        assert places == [one["passages"] for one in alone["evidence"]]
    rejects = read_lines(tmp_path / "out.rejects.jsonl")
    assert [reject["line"] for reject in rejects] == [3, 5]
    assert "The claim is empty" in rejects[0]["reason"]
    assert (done.written, done.rejected) == (3, 2)
    found = [row["verdict"] for row in rows]
    assert done.figures["verdicts"] == {
        name: found.count(name) for name in done.figures["verdicts"]
    }
    assert found[0] == "supported"


def test_each_row_may_have_its_own_source(fitted: EntailmentModel, tmp_path: Path) -> None:
    rows = [
        {"source": SOURCE, "claim": CLAIMS[0], "verdict": "mine"},
        {"source": "", "claim": CLAIMS[0]},
        {"source": "Two men drink green tea.", "claim": CLAIMS[0]},
    ]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    run(fitted, tmp_path / "in.jsonl", tmp_path / "out.jsonl", source=None)
    first, last = read_lines(tmp_path / "out.jsonl")
    assert (first["input_verdict"], first["source"]) == ("mine", SOURCE)
    for row in (first, last):
        alone = fitted.validate(row["source"], row["claim"], min_similarity=-1.0)
        assert row["verdict"] == alone.verdict
    (reject,) = read_lines(tmp_path / "out.rejects.jsonl")
    assert (reject["line"], reject["content"]) == (2, f"\t{CLAIMS[0]}")
    assert "The source is empty" in reject["reason"]


@pytest.mark.parametrize("own", [False, True])
def test_a_table_says_the_same_as_the_lines(
    fitted: EntailmentModel, tmp_path: Path, own: bool
) -> None:
    path = tmp_path / "in.tsv"
    path.write_text("\n".join(f"{SOURCE}\t{claim}" if own else claim for claim in CLAIMS), "utf-8")
    source = None if own else SOURCE
    run(fitted, path, tmp_path / "lines.jsonl", source=source)
    run(fitted, path, tmp_path / "table.parquet", source=source)
    lines = read_lines(tmp_path / "lines.jsonl")
    table = pyarrow.parquet.read_table(tmp_path / "table.parquet").to_pylist()
    for found, line in zip(table, lines, strict=True):
        assert found.get("source", SOURCE) == SOURCE
        assert ("source" in found) is own
        first = line["evidence"][0]
        assert found["deciding"] == (first["text"] if first["decides"] else None)
        for cell, one in zip(found["evidence"], line["evidence"], strict=True):
            assert cell["passages"] == " ".join(f"{p['start']}-{p['end']}" for p in one["passages"])
            assert cell["entailment"] == one["probabilities"]["entailment"]


@pytest.mark.parametrize("suffix", ["jsonl", "tsv"])
def test_stopped_again_and_again(
    fitted: EntailmentModel, tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of earlier runs stay; who looks sees all of them, in order."""
    source = tmp_path / "in.txt"
    source.write_text("\n".join(" " if i % 4 == 1 else CLAIMS[i % 3] for i in range(30)), "utf-8")
    output, whole = tmp_path / f"out.{suffix}", tmp_path / f"whole.{suffix}"
    expected = run(fitted, source, whole)
    with monkeypatch.context() as patch:
        patch.setattr("headwise.entailment.claims.job._ROWS", 4)
        for _ in range(3):
            patch.setattr(EntailmentModel, "predict_window", stopping(EntailmentModel, after=6))
            with pytest.raises(KeyboardInterrupt):
                run(fitted, source, output)
            patch.undo()
            patch.setattr("headwise.entailment.claims.job._ROWS", 4)
    looked: list[Mapping[str, Any]] = []
    done = run(fitted, source, output, show=looked.append)
    assert 0 < done.resumed_from < done.written + done.rejected
    assert done.figures == expected.figures
    again: list[Mapping[str, Any]] = []
    assert run(fitted, source, output, show=again.append).already_complete
    assert [row["line"] for row in looked] == [row["line"] for row in again]
    assert len(looked) == expected.written
    for change in ({"source": SOURCE[:-1]}, {"options": CheckOptions()}, {"heads": "others"}):
        with pytest.raises(OutputError, match="belongs to a job with other settings"):
            run(fitted, source, output, **change)


def stopping(model: type[EntailmentModel], *, after: int) -> Callable[..., Any]:
    predict, left = model.predict_window, [after]

    def some(self: EntailmentModel, pairs: Any) -> Any:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return predict(self, pairs)

    return some


def test_what_is_wrong_with_all_rows_is_said_before_a_file_is_written(
    fitted: EntailmentModel, claims: Path, tmp_path: Path
) -> None:
    with pytest.raises(TextError, match="The source is empty"):
        run(fitted, claims, tmp_path / "out.jsonl", source=" ")
    with pytest.raises(ValueError, match="needs heads"):
        run(EntailmentModel(fitted.backbone), claims, tmp_path / "out.jsonl")
    assert not list(tmp_path.glob("out*"))
