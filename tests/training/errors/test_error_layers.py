"""Error heads that are trained on layers of their own, or on the best of a few."""

from pathlib import Path

import pytest
import yaml
from test_error_training import backbone, marked, run

from headwise import QualityEstimator
from headwise.backbones import CausalBackbone
from headwise.errors import MismatchError
from headwise.features import CachedFeatures
from headwise.heads import load_error_head
from headwise.training.errors import ErrorTraining, LabelStage
from headwise.training.loop.layers import LayerChoice, depths_to_try

__all__ = ["backbone"]


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (12, (12,)),
        ("12", (12,)),
        (["4,12"], (4, 12)),
        (["4", "-1"], (4, -1)),
        ([4, 12], (4, 12)),
        (["auto"], "auto"),
    ],
)
def test_layers_are_read_as_commands_and_files_write_them(given: object, read: object) -> None:
    settings = ErrorTraining.from_dict({"layers": given})
    assert settings.layers == read
    assert ErrorTraining.from_dict(settings.to_dict()) == settings


@pytest.mark.parametrize("given", [["x"], "", [], True, 1.5, ["auto", "3"]])
def test_what_names_no_layer_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match="layers"):
        ErrorTraining.from_dict({"layers": given})


def test_a_head_learns_from_the_layers_that_are_named(
    backbone: CausalBackbone, tmp_path: Path
) -> None:
    count = len(backbone.layer_widths) - 1
    report = run(backbone, tmp_path, labels=marked(), train=[], layers=(1, -2))
    head = load_error_head(tmp_path)
    assert head is not None
    assert head.layers == (1, count - 1)
    assert head.input_size == 2 * backbone.hidden_size
    card = (tmp_path / "error_head.md").read_text("utf-8")
    assert f"| reads | {report.layers} |" in card
    assert report.layers == f"layers 1 and {count - 1} of {count}"
    # Nothing of the vocabulary was computed for it
    features = CachedFeatures(tmp_path / "error_features/labels")
    batch = features.batch([0])
    assert batch.hidden.shape[1] == head.input_size
    assert batch.top_ids.shape[1] == 0
    assert batch.entropy is None
    scored = QualityEstimator.from_pretrained(tmp_path).score("A dog.", "Ein Hund.")
    assert all(0.0 < token.error < 1.0 for token in scored.tokens)
    with pytest.raises(MismatchError, match=r"layers: \[1, \d+\] there, \[2\] now"):
        run(
            backbone,
            tmp_path / "other",
            labels=marked(),
            train=[],
            layers=(2,),
            feature_folder=str(tmp_path / "error_features"),
        )


def test_the_best_layer_is_found_on_dev_and_said(backbone: CausalBackbone, tmp_path: Path) -> None:
    report = run(
        backbone,
        tmp_path,
        labels=marked(),
        train=[],
        layers="auto",
        stage=LabelStage(epochs=1, batch_tokens=256),
    )
    choice = report.layer_choice
    assert choice is not None
    assert tuple(choice.aurocs) == depths_to_try(backbone)
    assert all(area is not None for area in choice.aurocs.values())
    head = load_error_head(tmp_path)
    assert head is not None
    assert head.layers == (choice.best,)
    assert str(choice) in (tmp_path / "error_head.md").read_text("utf-8")
    # The run is repeated with the question, and has the same answer
    assert (
        yaml.safe_load((tmp_path / "error_head.yaml").read_text())["settings"]["layers"] == "auto"
    )


def test_the_lowest_of_equal_layers_is_chosen() -> None:
    choice = LayerChoice({6: None, 9: 0.7, 12: 0.7, -1: 0.69}, layer_count=18)
    assert choice.best == 9
    assert "6 undefined, 9 0.7000, 12 0.7000, 18 0.6900" in str(choice)
    assert "the head reads layer 9 of 18" in str(choice)


def test_a_layer_that_does_not_exist_is_refused_before_anything_is_written(
    backbone: CausalBackbone, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="`layers` must hold whole numbers from"):
        run(backbone, tmp_path / "head", labels=marked(), train=[], layers=(99,))
    assert not (tmp_path / "head").exists()
