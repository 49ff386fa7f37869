"""Batches of a table are scored as rows of a file are, and know no engine."""

import json
import pickle
from pathlib import Path
from typing import Any

import pyarrow
import pytest

from headwise import QualityEstimator
from headwise.bundled.examples import example_pairs
from headwise.data.readers import Layout
from headwise.data.records.scored import Level, ScoredToken
from headwise.errors import DataError
from headwise.quality import ScoreTables

PAIRS = [(pair.source, pair.hypothesis) for pair in example_pairs()[:10]]


def table(**columns: Any) -> pyarrow.Table:
    given = {"src": [p[0] for p in PAIRS], "mt": [p[1] for p in PAIRS]}
    return pyarrow.table({**given, **columns})


@pytest.fixture(scope="module")
def work() -> ScoreTables:
    return ScoreTables().load()


@pytest.fixture(scope="module")
def estimator() -> QualityEstimator:
    return QualityEstimator.from_pretrained("tiny-en-de")


@pytest.mark.parametrize("level", ["sentence", "word", "token"])
def test_rows_hold_what_score_many_says(estimator: QualityEstimator, level: Level) -> None:
    signals = ("error", "softmax", "omission")
    rows = ScoreTables(level=level, signals=signals)(table()).to_pylist()

    for row, scored in zip(rows, estimator.score_many(PAIRS, signals=signals), strict=True):
        said = scored.as_dict(level)
        assert row["score"] == pytest.approx(said["score"], abs=1e-6)
        assert row["softmax"] == pytest.approx(said["signals"]["softmax"], abs=1e-6)
        assert (row["source"], row["hypothesis"]) == (scored.source, scored.hypothesis)
        assert [w["text"] for w in row["to_check"]] == [w.text for w in scored.to_check]
        if level != "sentence":
            pieces = said[f"{level}s"]
            assert [p["text"] for p in row[f"{level}s"]] == [p["text"] for p in pieces]


def test_tokens_have_alternatives_if_asked_for(estimator: QualityEstimator) -> None:
    (row, *_) = ScoreTables(level="token", alternatives=2)(table()).to_pylist()
    said = estimator.score(*PAIRS[0], alternatives=2).as_dict("token")["tokens"]

    for one, other in zip(row["tokens"], said, strict=True):
        found, wanted = (ScoredToken.of_row(token).alternatives for token in (one, other))
        assert found is not None
        assert wanted is not None
        assert [choice.text for choice in found] == [choice.text for choice in wanted]
        assert found[0].probability == pytest.approx(wanted[0].probability, abs=1e-6)


def test_a_file_in_another_language_has_a_remark(work: ScoreTables, tmp_path: Path) -> None:
    for name, row in (
        ("known", "Two dogs run on the beach.\tZwei Hunde laufen am Strand.\n"),
        ("strange", "Deux chiens courent dans la rue.\tDue cani corrono nella strada.\n"),
    ):
        (tmp_path / f"{name}.tsv").write_text("source\thypothesis\n" + 20 * row, "utf-8")

    assert work.remark(tmp_path / "known.tsv") is None
    assert "20 of 20 sources" in str(work.remark(tmp_path / "strange.tsv"))


def test_a_row_without_a_result_says_why_and_others_are_scored(work: ScoreTables) -> None:
    sources = ["", None, *[p[0] for p in PAIRS[2:]]]

    made = work(table(src=sources)).to_pylist()

    assert [row["error"] for row in made[2:]] == [None] * 8
    assert made[0]["error"] == "The source is empty; there is nothing to score."
    assert made[1]["error"] == "`src` must be a string, got null."
    assert [row["hypothesis"] for row in made] == [p[1] for p in PAIRS]
    assert [row["score"] is None for row in made] == [True, True] + [False] * 8


def test_all_batches_have_one_schema(work: ScoreTables) -> None:
    some = table(score=[0.5] * 10, tags=[["a"]] * 10)
    nothing_good = table(src=[None] * 10, score=[0.5] * 10, tags=[["a"]] * 10).cast(some.schema)

    schema = work.schema(some.schema)

    assert work(some).schema == work(nothing_good).schema == schema
    # What people said does not vanish under what the head says
    assert schema.names[:2] == ["input_score", "tags"]
    assert schema.field("score").type == pyarrow.float64()
    assert schema.names[-1] == "error"


def test_a_batch_goes_back_as_what_it_came_as(work: ScoreTables) -> None:
    whole = work(table())

    (part,) = table().to_batches()
    assert work(part).equals(whole.combine_chunks().to_batches()[0])
    assert work(table().to_pydict()) == whole.to_pydict()


def test_it_travels_without_its_model(work: ScoreTables) -> None:
    packed = pickle.dumps(work)

    assert len(packed) < 4096
    assert pickle.loads(packed)(table()).equals(work(table()))


def test_a_conversation_is_one_row() -> None:
    said = ["A dog runs.", "Ein Hund läuft.", "Two dogs.", "Zwei Hunde."]
    turns = [
        {"role": role, "content": text}
        for role, text in zip(("user", "assistant") * 2, said, strict=True)
    ]
    made = ScoreTables(prompt="raw")(pyarrow.table({"messages": [turns[:2], turns]})).to_pylist()

    assert made[0]["hypothesis"] == "Ein Hund läuft."
    assert made[1]["error"] == "It holds 2 texts to work on; give each of them its row."
    assert made[1]["messages"] == turns


def test_json_text_holds_values() -> None:
    turns = [{"role": "user", "content": "A dog."}, {"role": "assistant", "content": "Ein Hund."}]
    column = pyarrow.field("messages", "string", metadata={"content": "json"})
    written = pyarrow.table([[json.dumps(turns), None]], schema=pyarrow.schema([column]))

    made = ScoreTables(prompt="raw")(written).to_pylist()

    assert made[0]["hypothesis"] == "Ein Hund."
    assert made[0]["messages"] == json.dumps(turns)
    assert made[1]["error"] == "`messages` must be a list of messages, got null."


def test_reasons_of_rows_that_could_not_be_read_stand() -> None:
    reasons = [None, "The line is no UTF-8.", *[None] * 8]
    made = ScoreTables(unreadable="why")(table(why=pyarrow.array(reasons, "string")))

    assert made["error"].to_pylist() == reasons
    assert "why" not in made.column_names


def test_marks_of_raters_are_refused() -> None:
    names = ("system", "doc", "doc_id", "seg_id", "rater", "source", "target", "category")
    raters = pyarrow.table({name: ["x"] for name in (*names, "severity")})

    with pytest.raises(DataError, match="marks of raters"):
        ScoreTables()(raters)


def test_columns_are_named_where_names_say_nothing(work: ScoreTables) -> None:
    layout = Layout(source_column="a", hypothesis_column="b")
    renamed = table().rename_columns(["a", "b"])

    assert ScoreTables(layout=layout)(renamed).equals(work(table()))
    with pytest.raises(DataError, match="there is no source"):
        work(renamed)


def test_content_follows_from_settings_and_weights(work: ScoreTables) -> None:
    told = work.content()

    assert told == ScoreTables().load().content()
    assert told != ScoreTables(signals=("softmax",)).content()
    assert told != ScoreTables(threshold=0.1).content()
