from pathlib import Path

import pytest

from headwise.backbones import NAMED_PROMPTS
from headwise.errors import DataError, TrainingError
from headwise.functional import TopK
from headwise.training.loop.claim import claim_output
from headwise.training.loop.run_file import TrainingRun
from headwise.training.loop.settings import Criterion, FeatureChoice, overlaid
from headwise.training.nli.settings import NLITraining
from headwise.training.sigmoid.objective_settings import Combination, NegativeSampling, Objective
from headwise.training.sigmoid.settings import (
    SigmoidTraining,
    merged,
)

ODD = SigmoidTraining(
    head_type="contextual_unembedding_head",
    objective=Objective(
        negatives=NegativeSampling(combination=Combination.ADD, candidates=None),
        avoid=TopK(3),
        positive_weight="balance",
    ),
    learning_rate=0.01,
    criterion=Criterion.AUROC,
    features=FeatureChoice.LIVE,
    report_to=("tensorboard",),
)


@pytest.mark.parametrize(
    "settings",
    [SigmoidTraining(), ODD, SigmoidTraining(objective=Objective(negatives=None, avoid=None))],
)
def test_settings_come_back_from_yaml(settings: SigmoidTraining, tmp_path: Path) -> None:
    prompt = NAMED_PROMPTS["tower"].bind(target_language="Français")
    run = TrainingRun.of(
        "some/model", prompt, settings.to_dict(), data=["a.tsv", "ü.jsonl"], dev=["b.tsv"]
    )
    run.write(tmp_path / "run.yaml")
    again = TrainingRun.read(tmp_path / "run.yaml")
    assert again == run
    assert SigmoidTraining.from_dict(again.settings) == settings
    assert "ü.jsonl" in (tmp_path / "run.yaml").read_text("utf-8")
    assert set(again.versions) == {"headwise", "torch", "transformers"}


def test_what_is_left_out_has_its_default() -> None:
    assert SigmoidTraining.from_dict({}) == SigmoidTraining()
    some = SigmoidTraining.from_dict({"objective": {"negatives": {"per_position": 4}}, "epochs": 7})
    assert some == SigmoidTraining(
        epochs=7, objective=Objective(negatives=NegativeSampling(per_position=4))
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epoch": 3}, "epoch"),
        ({"objective": {"negative": {}}}, "negative"),
        ({"objective": {"negatives": {"per_position": 0}}}, "per_position"),
        ({"objective": {"avoid": "nucleus"}}, "must be one of largest-drop"),
        ({"epochs": "many"}, "epochs"),
        ({"head_type": "softmax"}, "head_type"),
        ({"criterion": "bleu"}, "bleu"),
        ({"schedule": "sawtooth"}, "sawtooth"),
        ({"report_to": ["paper"]}, "tensorboard"),
        ({"precision": "int8"}, "precision"),
        ({"learning_rate": -1.0}, "learning_rate"),
        ({"evaluate_every": 0}, "evaluate_every"),
        ({"warmup_share": 1.0}, "warmup_share"),
    ],
)
def test_what_is_no_setting_is_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SigmoidTraining.from_dict(values)


def test_given_options_override_the_file() -> None:
    nothing: dict[str, object] = {}
    file = ODD.to_dict()
    assert merged(file, nothing) == file
    given = {"epochs": 9, "objective": {"avoid": "none", "negatives": {"per_position": 2}}}
    changed = SigmoidTraining.from_dict(merged(file, given, candidates=50))
    assert changed.epochs == 9
    assert changed.objective.avoid is None
    assert changed.objective.negatives == NegativeSampling(
        per_position=2, combination=Combination.ADD, candidates=50
    )
    assert changed.learning_rate == ODD.learning_rate
    assert SigmoidTraining.from_dict(merged({}, nothing, candidates=0)).objective.negatives == (
        NegativeSampling(candidates=None)
    )


def test_a_file_lies_over_the_defaults_of_the_model() -> None:
    base = ODD.to_dict()
    assert overlaid(base, {}) == base
    over = overlaid(base, {"objective": {"negatives": None, "margin": 2.0}, "epochs": 1})
    settings = SigmoidTraining.from_dict(over)
    assert settings.objective.negatives is None  # said, not left out
    assert settings.objective.margin == 2.0
    assert settings.objective.avoid == TopK(3)
    assert settings.head_type == ODD.head_type
    assert SigmoidTraining.from_dict(
        overlaid(over, {"objective": {"negatives": {}}})
    ).objective == (Objective(margin=2.0, avoid=TopK(3), positive_weight="balance"))


def test_full_vocabulary_and_back() -> None:
    nothing: dict[str, object] = {}
    full = merged(ODD.to_dict(), nothing, full_vocabulary=True)
    assert SigmoidTraining.from_dict(full).objective.negatives is None
    back = SigmoidTraining.from_dict(merged(full, nothing, full_vocabulary=False))
    assert back.objective.negatives == NegativeSampling()
    drawn = {"objective": {"negatives": {"per_position": 3}}}
    assert SigmoidTraining.from_dict(merged(full, drawn)).objective.negatives == NegativeSampling(3)
    with pytest.raises(ValueError, match="drop --negatives"):
        merged({}, drawn, full_vocabulary=True)


@pytest.mark.parametrize(
    "content", [b"- a\n- b\n", b"backbone: [", b"\xff\xfe", b"data: 3\n", b"surprise: 1\n"]
)
def test_what_is_no_run_file_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_bytes(content)
    with pytest.raises(DataError, match=r"run\.yaml is not a run file"):
        TrainingRun.read(tmp_path / "run.yaml")


def test_a_missing_run_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.yaml cannot be read"):
        TrainingRun.read(tmp_path / "none.yaml")


def test_checkpoints_of_other_settings_are_not_continued(tmp_path: Path) -> None:
    def run(settings: SigmoidTraining, data: str = "a") -> TrainingRun:
        return TrainingRun.of(
            "m", NAMED_PROMPTS["tiny"], settings.to_dict(), data=[data], dev=["b"]
        )

    checkpoints = tmp_path / "checkpoints"
    claim_output(tmp_path, run(SigmoidTraining()), checkpoints=checkpoints)
    claim_output(tmp_path, run(ODD), checkpoints=checkpoints)  # nothing was trained yet
    checkpoints.mkdir()
    claim_output(tmp_path, run(ODD), checkpoints=checkpoints)
    with pytest.raises(TrainingError, match=r"settings\.learning_rate: 0\.01 there, None now"):
        claim_output(tmp_path, run(SigmoidTraining()), checkpoints=checkpoints)
    with pytest.raises(TrainingError, match=r"data: \['a'\] there, \['c'\] now"):
        claim_output(tmp_path, run(ODD, data="c"), checkpoints=checkpoints)


def test_wrong_values_are_named_in_plain_words() -> None:
    with pytest.raises(ValueError, match=r"^`dropout` must be less than 1") as error:
        NLITraining.from_dict({"dropout": 1.0})
    assert "validation error" not in str(error.value)
    with pytest.raises(
        ValueError, match=r"`epochs` must be a whole number, got 'x'; `foo` must go, .*, got 3"
    ):
        NLITraining.from_dict({"epochs": "x", "foo": 3})
