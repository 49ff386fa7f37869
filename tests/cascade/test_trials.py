"""Judged answers in files: read back, guaranteed, evaluated; files that are something else."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_stages import MadeStage

from headwise.cascade import (
    Cascade,
    CascadeAnswer,
    CascadeGuarantee,
    Trials,
    make_guarantee,
    read_trials,
)
from headwise.cascade.job import answer_file
from headwise.errors import DataError
from headwise.evaluation.cascade import evaluate_cascade


def made_cascade(count: int, *, accept: float = 0.6) -> tuple[Cascade, list[str], np.ndarray]:
    """Two models; an answer is right with the probability of its quality."""
    rng = np.random.default_rng(0)
    quality = np.column_stack([rng.random(count), 0.7 + 0.3 * rng.random(count)])
    right = rng.random((count, 2)) < quality
    questions = [f"question {place}" for place in range(count)]
    stages = [
        MadeStage(name, dict(zip(questions, column.tolist(), strict=True)), cost)
        for name, column, cost in zip(("small", "big"), quality.T, (1.0, 5.0), strict=True)
    ]
    return Cascade(stages, accept=accept), questions, right


def test_files_come_back_with_their_labels(tmp_path: Path) -> None:
    cascade, questions, right = made_cascade(400)
    (tmp_path / "questions.txt").write_text("\n".join(questions) + "\n", encoding="utf-8")
    output = tmp_path / "answers.jsonl"
    done = answer_file(cascade, tmp_path / "questions.txt", output, ask_all=True)
    assert sum(done.figures["answered"].values()) + done.figures["abstained"] == done.written == 400
    rows = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    assert done.figures["cost"] == pytest.approx(sum(row["cost"] for row in rows))
    for row, labels in zip(rows, right.tolist(), strict=True):
        for one, label in zip(row["attempts"], labels, strict=True):
            one["correct"] = "yes" if label else False
    output.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    trials = read_trials([output])
    expected = Trials.of(
        [cascade.answer(question, ask_all=True) for question in questions], right.tolist()
    )
    for name in ("quality", "right", "cost", "given"):
        np.testing.assert_array_equal(getattr(trials, name), getattr(expected, name))
    assert trials.labelled

    made = make_guarantee(trials, risk=0.2)
    assert made.accept_from is not None
    given = trials.at(made.accept_from)
    assert made.answered == (given < 2).sum()
    assert made.wrong == trials.wrong_of(given).sum()
    assert "at most 20% of the answers are wrong" in made.said
    made.save(tmp_path / "guarantee.json")
    assert CascadeGuarantee.load(tmp_path / "guarantee.json") == made
    by_signal = made.model_copy(update={"signal": "logprob"})
    assert Cascade(cascade.stages, accept=by_signal).signal == "logprob"
    bounded = Cascade(cascade.stages, accept=made)
    answers = [bounded.answer(question) for question in questions]
    assert [one.stage for one in answers] == [("small", "big", None)[place] for place in given]
    assert trials.costs_of(given).sum() == sum(one.cost for one in answers)


def test_what_a_cascade_is_worth() -> None:
    cascade, questions, right = made_cascade(300)
    trials = Trials.of([cascade.answer(q, ask_all=True) for q in questions], right.tolist())
    found = evaluate_cascade(trials)
    tables = found.as_dict()["tables"]
    who = {row["signal"]: row["metrics"] for row in tables["who-answers"]["rows"]}
    assert who["small"]["questions"]["value"] == (trials.given == 0).sum()
    wrong = ~right[np.arange(300), np.minimum(trials.given, 1)]
    assert who["big"]["wrong"]["value"] == pytest.approx(wrong[trials.given == 1].mean())
    against = {row["signal"]: row["metrics"] for row in tables["against-one"]["rows"]}
    cost = np.where(trials.given == 0, 1.0, 6.0).mean()
    assert against["cascade"]["saved"]["value"] == pytest.approx(1 - cost / 5)
    assert against["cascade"]["wrong"]["value"] == pytest.approx(wrong[trials.given < 2].mean())
    assert against["small alone"]["wrong"]["value"] == pytest.approx((~right[:, 0]).mean())
    assert against["big alone"]["saved"]["value"] == 0.0
    curve = found.figures[0].panels[0]
    assert curve.y[-1] == pytest.approx((~right[:, 0]).mean())  # the mildest asks nobody else
    some = evaluate_cascade(
        Trials.of(
            [cascade.answer(q) for q in questions],
            [[True] * len(cascade.answer(q).attempts) for q in questions],
        )
    )
    assert "--ask-all" in some.notes[0]
    assert not some.figures


def test_too_few_judged_questions_say_how_many_it_takes() -> None:
    cascade, questions, right = made_cascade(40)
    answers = [cascade.answer(q, ask_all=True) for q in questions]
    made = make_guarantee(Trials.of(answers, right.tolist()), risk=0.05)
    assert made.accept_from is None
    assert made.needed is None or made.needed > 40
    assert "40 judged questions do not suffice" in made.said
    wrong = make_guarantee(Trials.of(answers, [[False, False]] * 40), risk=0.05)
    assert "no number of them would" in wrong.said
    unjudged = Trials.of(answers, [[True, None]] * 40)
    with pytest.raises(DataError, match="40 of 40 questions have an attempt"):
        make_guarantee(unjudged)
    with pytest.raises(DataError, match="--ask-all"):
        make_guarantee(
            Trials.of(
                [cascade.answer(q) for q in questions],
                [[True] * len(cascade.answer(q).attempts) for q in questions],
            )
        )


def row(**changes: Any) -> dict[str, Any]:
    attempt = {"stage": "a", "answer": "Paris", "quality": 0.5, "accepted": True, "cost": 1.0}
    return {"source": "Capital?", "attempts": [attempt | changes]}


def test_right_answers_may_stand_in_a_column(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    rows = [
        row() | {"right": "paris "},
        row(answer="It is  Paris") | {"right": ["Lyon", "it is paris"]},
        row(answer="Rome") | {"right": "Paris"},
        row(answer=None, quality=None, accepted=False) | {"right": "Paris"},
    ]
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    trials = read_trials([path], reference="right")
    assert trials.right[:, 0].tolist() == [1, 1, 0, 0]
    with pytest.raises(DataError, match=r"answers.jsonl:1 has no right answer in `other`"):
        read_trials([path], reference="other")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no answers"),
        ('{"hypothesis": "x"}\n', "Line 1 .* is not one of `headwise cascade`"),
        (json.dumps(row(cost=-1)) + "\n", "Line 1 .*: attempts.0.cost: "),
        (json.dumps(row(correct="maybe")) + "\n", "Line 1 .*correct"),
        ("{broken\n", "Line 1 .* cannot be read"),
        (json.dumps(row()) + "\n" + json.dumps(row(stage="b")) + "\n", "Row 2 .* stages b"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_trials([path])


def test_a_job_goes_on_and_bad_rows_are_set_aside(tmp_path: Path) -> None:
    cascade, questions, _ = made_cascade(30)
    table = tmp_path / "q.tsv"
    lines = [f"{place}\t{question}" for place, question in enumerate(questions)]
    lines[3] = "3\tnobody knows"
    table.write_text("id\tsource\n" + "\n".join(lines) + "\n", encoding="utf-8")
    output = tmp_path / "a.jsonl"
    whole = answer_file(cascade, table, output)
    assert (whole.written, whole.rejected) == (29, 1)
    rows = output.read_text("utf-8").splitlines(keepends=True)
    assert json.loads(rows[0])["id"] == "0"
    stopped = tmp_path / "b.jsonl"

    def interrupt(answer: CascadeAnswer) -> None:
        if answer.source == questions[20]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        answer_file(cascade, table, stopped, show=interrupt)
    half = len(stopped.read_bytes().splitlines())
    assert 0 < half < 29
    went_on = answer_file(cascade, table, stopped)
    assert went_on.resumed_from >= half
    assert went_on.figures == whole.figures
    again = answer_file(cascade, table, output)
    assert again.already_complete
    assert again.figures == whole.figures
    parquet = answer_file(cascade, table, tmp_path / "a.parquet")
    assert parquet.written == 29
    import pyarrow.parquet as pq

    read = pq.read_table(tmp_path / "a.parquet").to_pylist()
    assert [one["answer"] for one in read] == [json.loads(line)["answer"] for line in rows]
    assert read[0]["attempts"][0]["stage"] == "small"
