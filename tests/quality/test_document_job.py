"""Documents through the job: killed and resumed, copied with scores, or turned into tables."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from made_documents import Made, made_document
from word_scorer import WordScorer, kill_at, run

from headwise.data.documents import DocumentOptions
from headwise.data.jobs import job as jobs
from headwise.data.readers import Layout
from headwise.errors import DataError, OutputError


def saved(folder: Path, dialect: str, seed: int = 3) -> tuple[Made, Path]:
    """A made document with at least three segments."""
    dice = random.Random(seed)
    while len((made := made_document(dialect, dice)).pairs) < 3:
        pass
    path = folder / made.name
    path.write_bytes(made.content)
    return made, path


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("dialect", ["xliff12", "sdlxliff", "xliff21", "tmx", "po"])
def test_killed_at_every_step(tmp_path: Path, dialect: str) -> None:
    _, source = saved(tmp_path, dialect)
    output = tmp_path / f"out{source.suffix}"
    moments = [
        ("record", 1),
        ("line", 1),
        ("line", 2),
        ("table", 1),
        ("record", 2),
        ("clean_up", 1),
    ]
    kill_at(source, output, moments)
    summary = run(source, output)
    assert summary.already_complete
    whole = tmp_path / f"whole{source.suffix}"
    assert run(source, whole).figures == summary.figures
    assert output.read_bytes() == whole.read_bytes()
    assert b"headwise" in output.read_bytes()
    assert {path.name for path in tmp_path.glob("out*")} == {output.name, f"{output.name}.run.json"}


def test_rows_and_tables_say_where_segments_stand(tmp_path: Path) -> None:
    made, source = saved(tmp_path, "sdlxliff")
    summary = run(source, tmp_path / "out.jsonl")
    rows = lines(tmp_path / "out.jsonl")
    assert [(row["source"], row["hypothesis"]) for row in rows] == made.pairs
    assert all(
        {"file", "unit", "segment", "state", "target_language"} <= row.keys() for row in rows
    )
    assert summary.figures["skipped"] == made.skipped
    assert run(source, tmp_path / "out.jsonl").figures["skipped"] == made.skipped
    run(source, tmp_path / "out.tsv")
    header = (tmp_path / "out.tsv").read_text("utf-8").split("\n")[0].split("\t")
    assert header[:3] == ["file", "unit", "segment"]


def test_segments_that_cannot_be_scored_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.po"
    path.write_text(
        'msgid "a"\nmsgstr "b"\n\nmsgctxt "x"\nmsgid ""\nmsgstr "c"\n\nmsgid "d"\nmsgstr "e"\n'
    )
    assert run(path, tmp_path / "out.po").rejected == 1
    (reject,) = lines(tmp_path / "out.po.rejects.jsonl")
    assert reject == {"line": 2, "reason": "Unit 4: The text is empty.", "content": "\tc"}
    written = (tmp_path / "out.po").read_text()
    assert [written.count(text) for text in ("# headwise", 'msgctxt "x"')] == [2, 1]


def test_a_copy_needs_a_document_of_its_format(tmp_path: Path) -> None:
    (tmp_path / "in.tsv").write_text("a\tb\n")
    _, source = saved(tmp_path, "xliff12")
    for given, output in (("in.tsv", "out.xlf"), (source.name, "out.tmx"), (source.name, "out.po")):
        with pytest.raises(DataError, match="choose a table as output"):
            run(tmp_path / given, tmp_path / output)
    assert not list(tmp_path.glob("out*"))


def test_settings_of_the_copy_belong_to_the_job(tmp_path: Path) -> None:
    _, source = saved(tmp_path, "xliff12")
    output = tmp_path / "out.xlf"
    run(source, output, mark_spans=True)
    assert b"locQualityIssueType" in output.read_bytes()
    for other in (
        {"set_state": True, "mark_spans": True},
        {"mark_spans": True, "layout": Layout(documents=DocumentOptions(states=("final",)))},
    ):
        with pytest.raises(OutputError, match="belongs to a job with other settings"):
            run(source, output, **other)


def test_a_document_that_changes_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "a.po"
    source.write_text('msgid "a"\nmsgstr "b"\n')
    make_table = jobs._Job.make_table

    def changed(self: Any, files: Any) -> None:
        source.write_text('msgid "a"\nmsgstr "c"\n')
        make_table(self, files)

    monkeypatch.setattr(jobs._Job, "make_table", changed)
    with pytest.raises(OutputError, match="was changed meanwhile"):
        run(source, tmp_path / "out.po")


def test_the_engine_is_named_without_its_folder(tmp_path: Path) -> None:
    from headwise.quality.job import score_file

    _, source = saved(tmp_path, "xliff12")
    model = tmp_path / "secret" / "a model"
    model.mkdir(parents=True)
    scorer: Any = WordScorer()
    score_file(scorer, source, tmp_path / "out.xlf", model=str(model))
    written = (tmp_path / "out.xlf").read_bytes()
    assert b"mt-confidence|headwise:a%20model" in written.replace(b"\0", b"")
    assert b"secret" not in written.replace(b"\0", b"")
