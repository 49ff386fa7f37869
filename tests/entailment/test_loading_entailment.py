"""Loading an encoder and heads from folders."""

from collections.abc import Callable
from pathlib import Path

import pytest

from headwise.backbones import EncoderBackbone
from headwise.entailment import EntailmentModel
from headwise.errors import UnknownModelError
from headwise.heads import save_seed_heads, save_task_heads

MakeModel = Callable[..., EntailmentModel]
PAIR = ("A dog runs on the beach.", "A dog runs.")


@pytest.fixture
def encoder(backbone: EncoderBackbone, tmp_path: Path) -> Path:
    folder = tmp_path / "encoder"
    backbone.model.save_pretrained(folder)
    backbone.tokenizer.save_pretrained(folder)
    return folder


def saved(model: EntailmentModel, folder: Path) -> Path:
    assert model.heads is not None
    return save_task_heads(model.heads, folder)


@pytest.mark.parametrize("features", ["pair", "joint", "pair+joint"])
def test_heads_that_know_their_encoder(
    make_model: MakeModel, encoder: Path, tmp_path: Path, features: str
) -> None:
    model = make_model(features, backbone=str(encoder), threshold=0.4)
    folder = saved(model, tmp_path / "heads")
    loaded = EntailmentModel.from_pretrained(folder)
    assert loaded.threshold == 0.4
    expected = model.predict(*PAIR)
    found = loaded.predict(*PAIR)
    assert list(found.probabilities.values()) == pytest.approx(
        list(expected.probabilities.values()), abs=1e-5
    )
    assert found.uncertainty == pytest.approx(expected.uncertainty, abs=1e-5)
    assert EntailmentModel.from_pretrained(folder, threshold=0.9).threshold == 0.9


def test_encoder_and_the_seeds_file(make_model: MakeModel, encoder: Path, tmp_path: Path) -> None:
    model = make_model("joint")
    assert model.heads is not None
    file = save_seed_heads(model.heads, tmp_path / "task_heads.pt")
    loaded = EntailmentModel.from_pretrained(encoder, file)
    assert loaded.predict(*PAIR).uncertainty == pytest.approx(
        model.predict(*PAIR).uncertainty, abs=1e-5
    )


def test_encoder_alone(encoder: Path, backbone: EncoderBackbone) -> None:
    loaded = EntailmentModel.from_pretrained(encoder)
    assert loaded.heads is None
    assert loaded.embed("A dog.").shape == (backbone.embedding_size,)


def test_longest_text_of_the_heads(make_model: MakeModel, encoder: Path, tmp_path: Path) -> None:
    folder = saved(make_model(backbone=str(encoder), max_length=9), tmp_path / "heads")
    loaded = EntailmentModel.from_pretrained(folder)
    assert loaded.backbone.max_length == 9
    with pytest.raises(ValueError, match="reads 9 at most"):
        loaded.predict("dog " * 9, "A dog.")


def test_an_unknown_name() -> None:
    with pytest.raises(UnknownModelError, match="no-such-model"):
        EntailmentModel.from_pretrained("no-such-model")
