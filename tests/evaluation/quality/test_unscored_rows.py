"""Rows with scores of others and none of ours are evaluated as they are."""

import json
import random
from pathlib import Path
from typing import Any, NoReturn

import pytest

from headwise.data.readers import Layout
from headwise.data.records.signals import Signal
from headwise.errors import DataError
from headwise.evaluation.quality.evaluated_rows import Source
from headwise.evaluation.quality.evaluation import evaluate
from headwise.evaluation.quality.question import Question
from headwise.evaluation.statistics.results import Answer
from headwise.evaluation.statistics.setup import Resampling

_RNG = random.Random(0)
ROWS = [
    {"human": i / 20, "score": i / 20 + _RNG.random() / 5, "bleu": _RNG.random()} for i in range(20)
]


def no_model() -> NoReturn:
    raise AssertionError("Nothing is to be scored.")


def ask(path: Path, **asked: Any) -> Answer:
    layout = asked.pop("layout", Layout())
    question = Question(
        source=Source(path=str(path), layout=layout),
        resampling=Resampling(resamples=20),
        **{"gold": "human", **asked},
    )
    return evaluate(question, no_model)


def signals(answer: Answer) -> list[str]:
    return [row.signal for row in answer.evaluation.tables[0].rows]


def table(path: Path, rows: list[dict[str, Any]], delimiter: str) -> Path:
    lines = [delimiter.join(map(str, row.values())) for row in rows]
    path.write_text("\n".join([delimiter.join(rows[0]), *lines]) + "\n")
    return path


def objects(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def pearson(answer: Answer) -> float | None:
    return answer.evaluation.tables[0].rows[0].metrics[0].value


def test_rows_without_texts_are_seen_by_themselves(tmp_path: Path) -> None:
    answers = [
        ask(table(tmp_path / "a.tsv", ROWS, "\t")),
        ask(table(tmp_path / "a.csv", ROWS, ";")),
        ask(objects(tmp_path / "a.jsonl", ROWS)),
        ask(objects(tmp_path / "b.jsonl", ROWS), signals=()),
    ]
    for answer in answers:
        assert signals(answer) == ["score", "random"]
        assert pearson(answer) == pytest.approx(pearson(answers[0]))
        assert answer.evaluation.disagreements == ()
    assert any("no texts" in note for note in answers[0].evaluation.notes)
    two = [{"score": row["score"], "human": row["human"]} for row in ROWS]
    assert pearson(ask(table(tmp_path / "c.tsv", two, "\t"))) == pytest.approx(pearson(answers[0]))


def test_a_score_of_others_is_evaluated_as_it_is(tmp_path: Path) -> None:
    texts = [{"source": f"a {i // 2}", "hypothesis": f"b {i}", **r} for i, r in enumerate(ROWS)]
    for path in (
        objects(tmp_path / "a.jsonl", texts),
        table(tmp_path / "a.tsv", texts, "\t"),
    ):
        answer = ask(path, columns=("bleu",))
        assert signals(answer) == ["score", "bleu", "length", "random"]
        assert any("evaluated as it is" in note for note in answer.evaluation.notes)
        assert "model" not in answer.evaluation.settings
        with pytest.raises(AssertionError, match="Nothing is to be scored"):
            ask(path, signals=(Signal.SOFTMAX,))
    plain = [{key: value for key, value in row.items() if key != "score"} for row in texts]
    path = objects(tmp_path / "b.jsonl", plain)
    assert signals(ask(path, columns=("bleu",), signals=()))[0] == "bleu"
    with pytest.raises(AssertionError, match="Nothing is to be scored"):
        ask(path, columns=("bleu",))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"gold": "score"}, "brings no scores .* with --column, .* found `human`, `score`, `bleu`"),
        ({"gold": None, "signals": ()}, "--signals none is for scores .* with --gold"),
        ({"columns": ("comet",)}, "no column `comet`"),
    ],
)
def test_what_is_missing_is_asked_for(tmp_path: Path, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        ask(table(tmp_path / "a.csv", ROWS, ","), **asked)
