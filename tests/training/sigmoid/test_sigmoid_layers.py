"""Sigmoid Heads whose threshold comes from a layer that is named, or from the best of a few."""

from pathlib import Path

import pytest
import torch
import yaml
from test_sigmoid_training import assert_same_weights, backbone, run, weights

from headwise import QualityEstimator
from headwise.backbones import CausalBackbone
from headwise.choices import HEAD_TYPES, LAYERED_HEAD_TYPES
from headwise.errors import MismatchError, TrainingError
from headwise.features import CachedFeatures, FeatureBatch
from headwise.heads import SharedUnembeddingHead, load_head, save_head
from headwise.training.loop.layers import depths_to_try
from headwise.training.sigmoid.objective_settings import NegativeSampling, Objective
from headwise.training.sigmoid.settings import SigmoidTraining

__all__ = ["backbone"]

SHARED = {"head_type": "shared_unembedding_head", "context_size": 8}


def head_in(folder: Path, backbone: CausalBackbone) -> SharedUnembeddingHead:
    head = load_head(folder, unembedding=lambda: backbone.unembedding)
    assert isinstance(head, SharedUnembeddingHead)
    return head


def every_batch(folder: Path) -> list[FeatureBatch]:
    features = CachedFeatures(folder)
    return [features.batch([index]) for index in range(len(features.counts))]


@pytest.mark.parametrize(
    ("given", "read"), [(2, (2,)), ("2", (2,)), (["-1", "2"], (2,)), (["auto"], "auto")]
)
def test_layers_are_read_as_commands_and_heads_write_them(given: object, read: object) -> None:
    settings = SigmoidTraining.from_dict({**SHARED, "layers": given})
    assert settings.layers == read
    assert SigmoidTraining.from_dict(settings.to_dict()) == settings


@pytest.mark.parametrize("given", ["4,12", [-1, 4, 12], "all"])
def test_what_is_not_one_layer_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match="`layers` must be"):
        SigmoidTraining.from_dict({**SHARED, "layers": given})


@pytest.mark.parametrize("head_type", [k for k in HEAD_TYPES if k not in LAYERED_HEAD_TYPES])
def test_other_types_read_the_last_layer_alone(head_type: str) -> None:
    with pytest.raises(ValueError, match=f"A {head_type} reads the last layer alone: leave"):
        SigmoidTraining.from_dict({"head_type": head_type, "layers": 2})


def test_a_threshold_learns_from_the_layer_that_is_named(
    backbone: CausalBackbone, tmp_path: Path
) -> None:
    for features in ("cache", "live"):
        report = run(
            backbone,
            tmp_path / features,
            layers=(-2,),
            features=features,
            feature_dtype="float32",
            learning_rate=1e-2,
            **SHARED,
        )
        assert report.dev_losses[-1] < report.dev_losses[0]
    assert_same_weights(tmp_path / "cache", tmp_path / "live")
    assert head_in(tmp_path / "cache", backbone).layers == (-1, 3)
    assert report.layers == "layer 3 of 4"
    assert "a position comes from layer 3 of 4" in (tmp_path / "live/README.md").read_text("utf-8")
    batch = CachedFeatures(tmp_path / "cache/features/train").batch([0])
    assert batch.hidden.shape[1] == 2 * backbone.hidden_size
    read = torch.cat([batch.hidden for batch in every_batch(tmp_path / "cache/features/train")])
    mean = weights(tmp_path / "cache")["context_mean"]
    torch.testing.assert_close(mean, read[:, backbone.hidden_size :].mean(0), rtol=1e-4, atol=1e-4)
    scored = QualityEstimator.from_pretrained(tmp_path / "live").score("A dog.", "Ein Hund.")
    assert all(0.0 < token.sigmoid <= 1.0 for token in scored.tokens)
    with pytest.raises(MismatchError, match=r"layers: \[-1, 3\] there, \[-1, 2\] now"):
        run(
            backbone,
            tmp_path / "other",
            layers=(2,),
            feature_folder=str(tmp_path / "cache/features"),
            **SHARED,
        )


def test_negatives_are_drawn_from_the_last_layer(backbone: CausalBackbone, tmp_path: Path) -> None:
    # The softmax over all tokens is computed for them; a head that has learned nothing has the same
    # loss whatever its threshold will come from
    sampling = NegativeSampling(candidates=None, frequency=0.0, softmax=1.0, temperature=1.0)
    losses = [
        run(
            backbone,
            tmp_path / str(layer),
            layers=(layer,),
            objective=Objective(negatives=sampling),
            learning_rate=1e-12,
            epochs=1,
            **SHARED,
        ).dev_losses
        for layer in (-1, 2)
    ]
    assert losses[1] == pytest.approx(losses[0], rel=1e-6)


def test_the_best_layer_is_found_on_dev_and_said(backbone: CausalBackbone, tmp_path: Path) -> None:
    settings = {"learning_rate": 1e-2, "epochs": 1, **SHARED}
    report = run(backbone, tmp_path / "auto", layers="auto", **settings)
    choice = report.layer_choice
    assert choice is not None
    assert tuple(choice.aurocs) == depths_to_try(backbone) == (1, 2, 3, -1)
    assert all(area is not None for area in choice.aurocs.values())
    read = (-1,) if choice.best == -1 else (-1, choice.best)
    assert head_in(tmp_path / "auto", backbone).layers == read
    assert str(choice) in (tmp_path / "auto/README.md").read_text("utf-8")
    # The run is repeated with the question, and has the head of its answer
    assert yaml.safe_load((tmp_path / "auto/run.yaml").read_text())["settings"]["layers"] == "auto"
    run(backbone, tmp_path / "named", layers=(choice.best,), **settings)
    assert_same_weights(tmp_path / "auto", tmp_path / "named")


def test_training_goes_on_from_a_head_of_two_layers(
    backbone: CausalBackbone, tmp_path: Path
) -> None:
    run(backbone, tmp_path / "first", layers=(2,), learning_rate=1e-2, **SHARED)
    start = str(tmp_path / "first")
    for name, layers in (("unsaid", (-1,)), ("said", (2,))):
        run(
            backbone,
            tmp_path / name,
            layers=layers,
            initialise=start,
            learning_rate=1e-12,
            **SHARED,
        )
        assert head_in(tmp_path / name, backbone).layers == (-1, 2)
        assert weights(tmp_path / name)["context.0.weight"].allclose(
            weights(tmp_path / "first")["context.0.weight"]
        )
    for layers in ((1,), "auto"):
        with pytest.raises(TrainingError, match=r"reads the layers \[-1, 2\].*leave `layers` out"):
            run(backbone, tmp_path / "no", layers=layers, initialise=start, **SHARED)
    head = head_in(tmp_path / "first", backbone)
    head.layer_count = 6
    save_head(head, tmp_path / "deeper")
    with pytest.raises(MismatchError, match="reads layers 6 and 2 of 6, the backbone has 4"):
        run(backbone, tmp_path / "no", initialise=str(tmp_path / "deeper"), **SHARED)
    assert not (tmp_path / "no").exists()


def test_a_layer_that_does_not_exist_is_refused_before_anything_is_written(
    backbone: CausalBackbone, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="`layers` must hold whole numbers from -5 to 4"):
        run(backbone, tmp_path / "head", layers=(99,), **SHARED)
    assert not (tmp_path / "head").exists()
