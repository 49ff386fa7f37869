"""Settings as plain values, and what they refuse."""

import pytest

from headwise.corruption import CorruptionMix, ErrorFamily
from headwise.heads import ErrorHead
from headwise.training.errors import ErrorTraining, LabelStage


def test_settings_come_back_from_plain_values() -> None:
    mix = CorruptionMix(
        proportions={ErrorFamily.SWAP: 1.0}, language="de", errors_per_text={1: 1.0, 2: 0.5}
    )
    settings = ErrorTraining(variant="causal", mix=mix, labels=LabelStage(epochs=3))
    assert ErrorTraining.from_dict(settings.to_dict()) == settings
    assert settings.to_dict()["mix"]["proportions"] == {"swap": 1.0}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"variant": "prophetic"}, "variant"),
        ({"copies": 0}, "`copies` must be at least 1"),
        ({"rank": 0}, "`rank` must be at least 1"),
        ({"dropout": 1.0}, "dropout"),
        ({"missing_weight": -1.0}, "missing_weight"),
        ({"class_weights": "heavy"}, "class_weights"),
        ({"labels": {"dev_share": 1.0}}, "dev_share"),
        ({"epoch": 3}, "epoch"),
        ({"mix": {"proportions": {"slip": 1.0}}}, "proportions"),
    ],
)
def test_wrong_values_are_named(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ErrorTraining.from_dict(values)


def test_wide_hidden_states_are_projected() -> None:
    assert ErrorTraining().rank_for(256) is None
    assert ErrorTraining().rank_for(1024) == 64
    assert ErrorTraining().rank_for(4096) == ErrorTraining().rank_for(16384) == 16
    assert ErrorTraining(rank=None).rank_for(4096) is None
    assert ErrorTraining(rank=8).rank_for(16) == 8


def test_a_head_gives_its_shape() -> None:
    head = ErrorHead(hidden_size=8, variant="causal", inner_size=4, rank=2, statistics=True)
    shaped = ErrorTraining().shaped_as(head)
    assert (shaped.variant, shaped.inner_size, shaped.rank) == ("causal", 4, 2)
    assert shaped.statistics == "on"


def test_labels_have_a_loop_of_their_own() -> None:
    settings = ErrorTraining(labels=LabelStage(learning_rate=1e-4, class_weights="balanced"))
    later = settings.for_labels()
    assert (later.learning_rate, later.epochs, later.class_weights) == (1e-4, 20, "balanced")
    assert later.variant == settings.variant
