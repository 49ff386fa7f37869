"""Files of answers: columns by their names, rejects, and jobs that go on."""

import json
from pathlib import Path
from typing import Any

import pytest
from made_answers import ANSWER, CONTEXT

from headwise.data.readers.layout import GroundedLayout
from headwise.errors import OutputError
from headwise.grounding import GroundedAnswer, GroundingDetector
from headwise.grounding.job import ground_file

MODELS: dict[str, str | None] = {"model": None}
ROWS: list[dict[str, Any]] = [
    {"question": "Who came?", "context": CONTEXT, "answer": ANSWER, "id": 7, "spans": "mine"},
    {"question": "?", "context": "", "answer": "Nobody."},
    {"question": "When?", "context": "In 1999.", "answer": "In 1999.", "id": 8},
]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
    return path


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_every_row_is_a_line_or_a_reject(source: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    done = ground_file(GroundingDetector(), source, output, models=MODELS)
    first, last = lines(output)
    assert first["spans"] == [
        {"text": "900", "start": 19, "end": 22, "probability": None, "found_by": ["quantity"]}
    ]
    assert first["id"] == 7
    assert first["input_spans"] == "mine"
    assert (first["supported"], last["supported"]) == (False, True)
    assert "context is empty" in lines(tmp_path / "out.rejects.jsonl")[0]["reason"]
    assert (done.written, done.rejected, done.figures["unsupported"]) == (2, 1, 1)


def test_a_job_that_was_stopped_goes_on_with_the_same_settings_alone(
    source: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.jsonl"
    stopped: list[GroundedAnswer] = []

    def stop(answer: GroundedAnswer) -> None:
        stopped.append(answer)
        if len(stopped) == 2:
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        ground_file(GroundingDetector(), source, output, models=MODELS, show=stop)
    with pytest.raises(OutputError, match="threshold"):
        ground_file(GroundingDetector(threshold=0.7), source, output, models=MODELS)
    shown: list[GroundedAnswer] = []
    done = ground_file(GroundingDetector(), source, output, models=MODELS, show=shown.append)
    assert [one.answer for one in shown] == [ANSWER, "In 1999."]
    assert (done.written, done.figures["unsupported"]) == (2, 1)
    again = ground_file(GroundingDetector(), source, output, models=MODELS, show=shown.append)
    assert again.already_complete
    assert len(shown) == 4


def test_tables_and_named_columns(tmp_path: Path) -> None:
    source, output = tmp_path / "in.tsv", tmp_path / "out.tsv"
    source.write_text(f"said\tdoc\n{ANSWER}\t{CONTEXT}\n", "utf-8")
    layout = GroundedLayout(source_column="doc", hypothesis_column="said")
    ground_file(GroundingDetector(), source, output, models=MODELS, layout=layout)
    names, row = (line.split("\t") for line in output.read_text("utf-8").splitlines())
    found = dict(zip(names, row, strict=True))
    assert list(found) == ["context", "answer", "supported", "spans", "quantities"]
    assert (found["answer"], found["supported"]) == (ANSWER, "false")
    assert json.loads(found["spans"])[0]["found_by"] == "quantity"


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        (("question", "context", "answer"), ("context", "answer")),
        (("prompt", "document", "summary"), ("document", "summary")),
        (("source", "hypothesis"), ("source", "hypothesis")),
        (("context", "text", "response"), ("context", "response")),
    ],
)
def test_columns_by_their_names(present: tuple[str, ...], expected: tuple[str, str]) -> None:
    found = GroundedLayout().columns(present)
    assert (found.source, found.hypothesis) == expected


def test_columns_that_are_not_there() -> None:
    with pytest.raises(LookupError, match="name it with --answer-column"):
        GroundedLayout().columns(("context", "other"))
