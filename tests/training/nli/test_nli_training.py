"""Training an NLI head on a tiny random encoder."""

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from huggingface_hub import ModelCard
from made_inferences import made_pairs
from safetensors.torch import load_file
from sklearn.metrics import f1_score
from tiny_encoders import tiny_encoder
from torch import nn
from torch.nn import functional as F

from headwise.backbones import EncoderBackbone
from headwise.choices import NLIFeatures
from headwise.data.readers.inferences import Inferencelike, as_inference
from headwise.data.records.inferences import InferencePair
from headwise.errors import InputError, MismatchError, TrainingError
from headwise.features.inference_features import encode_inferences, live_inferences
from headwise.heads import NLILabel, load_task_heads
from headwise.training.loop.batches import ShuffledBatches
from headwise.training.loop.trainer import HeadTrainer
from headwise.training.loop.vectors import (
    ClassifierLoss,
    balanced_weights,
    classification_measures,
)
from headwise.training.nli.settings import (
    NLIReport,
    NLITraining,
)
from headwise.training.nli.train import train_nli_head


@pytest.fixture(scope="module")
def encoder() -> EncoderBackbone:
    return EncoderBackbone(*tiny_encoder("bert"))


TRAIN, DEV = made_pairs(240), made_pairs(60, seed=1)


def run(
    encoder: EncoderBackbone,
    output: Path,
    *,
    train: Sequence[Inferencelike] = TRAIN,
    dev: list[InferencePair] = DEV,
    given: Mapping[str, Any] = {},
    **settings: Any,
) -> NLIReport:
    return train_nli_head(
        encoder,
        train,
        dev,
        output,
        backbone_name="tiny",
        settings=NLITraining(
            **{"epochs": 3, "batch_size": 32, "hidden_size": 32, "learning_rate": 5e-3, **settings}
        ),
        **given,
    )


def assert_same_weights(first: Path, second: Path, *, error: float = 0.0) -> None:
    weights = load_file(second / "model.safetensors")
    for name, tensor in load_file(first / "model.safetensors").items():
        torch.testing.assert_close(tensor, weights[name], rtol=error, atol=error)


@pytest.mark.parametrize("features", NLIFeatures)
def test_a_head_learns_and_says_of_dev_what_was_reported(
    encoder: EncoderBackbone, tmp_path: Path, features: NLIFeatures
) -> None:
    report = run(encoder, tmp_path, features=features, epochs=4)
    losses = [evaluation.metrics["loss"] for evaluation in report.evaluations]
    assert min(losses) < losses[0] or report.best == 0
    heads = load_task_heads(tmp_path)
    assert heads.config.features is features
    assert heads.config.backbone == "tiny"
    codes = encode_inferences(encoder, DEV, features)
    source = live_inferences(encoder, codes, features, layers=heads.config.layers)
    with torch.no_grad():
        logits = heads.nli(source.batch(torch.arange(len(source))))
    predicted = logits.argmax(-1)
    assert report.accuracy == pytest.approx((predicted == source.labels).float().mean().item())
    assert report.macro_f1 == pytest.approx(f1_score(source.labels, predicted, average="macro"))
    assert report.accuracy > 0.45  # chance is a third


def test_the_folder_tells_the_whole_story(encoder: EncoderBackbone, tmp_path: Path) -> None:
    report = run(encoder, tmp_path)
    card = (tmp_path / "README.md").read_text("utf-8")
    assert f"{report.accuracy:.4f}" in card
    assert ModelCard(card).data.eval_results
    assert "240 (entailment " in card
    assert "cached once" in card
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert "learning_rate: 0.005" in (tmp_path / "run.yaml").read_text("utf-8")
    assert report.steps == 8 * len(report.evaluations)
    assert sum(report.class_counts.values()) == report.train_pairs == 240


def test_tuples_and_rows_are_pairs(encoder: EncoderBackbone, tmp_path: Path) -> None:
    given = [*((pair.premise, pair.hypothesis, pair.label) for pair in TRAIN[:200])]
    rows = [{"sentence1": p.premise, "sentence2": p.hypothesis, "label": p.label} for p in TRAIN]
    run(encoder, tmp_path / "pairs", epochs=1)
    run(encoder, tmp_path / "others", train=[*given, *rows[200:]], epochs=1)
    assert_same_weights(tmp_path / "pairs", tmp_path / "others")


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (("A dog.", "A cat.", "maybe"), InputError, "A label must be one of"),
        ({"premise": "A dog."}, InputError, "In this row there is no hypothesis"),
        (("A dog.", None), InputError, "`hypothesis` must be a string, got null"),
        ("A dog.", TypeError, "A pair must be"),
    ],
)
def test_what_is_no_inference(value: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        as_inference(value)
    assert as_inference(("A dog.", "A cat.")) == InferencePair("A dog.", "A cat.")


def test_live_and_cached_features_train_the_same_head(
    encoder: EncoderBackbone, tmp_path: Path
) -> None:
    for source in ("live", "cache"):
        report = run(encoder, tmp_path / source, feature_source=source, epochs=2)
        assert report.features.startswith(source)
    assert_same_weights(tmp_path / "live", tmp_path / "cache", error=1e-4)


def test_where_the_disk_is_full_the_encoder_runs_and_what_would_fit_is_said(
    encoder: EncoderBackbone,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    with caplog.at_level("WARNING"):
        report = run(encoder, tmp_path, features=NLIFeatures.INTERACTION, epochs=1)
    assert report.features == "live, the encoder runs in every epoch"
    assert re.search(r"In float8 they would take [\d.]+ kB \(--feature-dtype\)", caplog.text)


@pytest.mark.parametrize("features", ["pair", "interaction"])
def test_heads_learn_from_vectors_of_eight_bits(
    encoder: EncoderBackbone, tmp_path: Path, features: str
) -> None:
    settings = {"features": features, "epochs": 2, "feature_source": "cache"}
    narrow = run(encoder, tmp_path / "narrow", feature_dtype="float8", **settings)
    wide = run(encoder, tmp_path / "wide", feature_dtype="float32", **settings)
    assert "float8" in narrow.features
    for found, expected in zip(narrow.evaluations, wide.evaluations, strict=True):
        assert found.metrics["loss"] == pytest.approx(expected.metrics["loss"], rel=0.05)
        assert found.metrics["loss"] != expected.metrics["loss"]


def test_an_interrupted_run_ends_where_a_whole_one_does(
    encoder: EncoderBackbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(encoder, tmp_path / "whole", patience=9)
    plain = HeadTrainer.compute_loss

    def interrupted(self: HeadTrainer, *given: Any, **named: Any) -> torch.Tensor:
        if self.state.global_step == 19:
            raise KeyboardInterrupt
        return plain(self, *given, **named)

    monkeypatch.setattr(HeadTrainer, "compute_loss", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(encoder, tmp_path / "stopped", patience=9)
    monkeypatch.undo()
    report = run(encoder, tmp_path / "stopped", patience=9)
    assert len(report.evaluations) == 3
    assert_same_weights(tmp_path / "whole", tmp_path / "stopped")


def test_the_same_seed_gives_the_same_head_and_another_another(
    encoder: EncoderBackbone, tmp_path: Path
) -> None:
    for name, seed in (("first", 0), ("again", 0), ("other", 1)):
        run(encoder, tmp_path / name, seed=seed, epochs=1)
    assert_same_weights(tmp_path / "first", tmp_path / "again")
    with pytest.raises(AssertionError):
        assert_same_weights(tmp_path / "first", tmp_path / "other")


def test_training_stops_when_dev_gets_no_better(encoder: EncoderBackbone, tmp_path: Path) -> None:
    report = run(encoder, tmp_path, epochs=30, patience=2, learning_rate=0.05)
    losses = [evaluation.metrics["loss"] for evaluation in report.evaluations]
    assert report.best == int(np.argmin(losses))
    assert len(losses) < 30


def test_a_run_that_stopped_early_stays_stopped(encoder: EncoderBackbone, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"epochs": 30, "patience": 1, "learning_rate": 0.05}
    kept = {"keep_checkpoints": True}
    first = run(encoder, tmp_path, given=kept, **settings)
    assert len(first.evaluations) < 30
    weights = (tmp_path / "model.safetensors").read_bytes()
    again = run(encoder, tmp_path, given=kept, **settings)
    assert (again.steps, again.evaluations) == (first.steps, first.evaluations)
    assert (tmp_path / "model.safetensors").read_bytes() == weights


def test_checkpoints_of_other_settings_are_refused(
    encoder: EncoderBackbone, tmp_path: Path
) -> None:
    run(encoder, tmp_path, epochs=1)
    with pytest.raises(TrainingError, match=r"learning_rate: 0\.005 there, 0\.1 now"):
        run(encoder, tmp_path, epochs=1, learning_rate=0.1)


def test_vectors_of_other_data_are_refused(encoder: EncoderBackbone, tmp_path: Path) -> None:
    settings = {"feature_folder": str(tmp_path / "shared"), "epochs": 1}
    run(encoder, tmp_path / "one", **settings)
    with pytest.raises(MismatchError, match="extracted from something else"):
        run(encoder, tmp_path / "other", train=TRAIN[:90], **settings)


def test_a_class_that_is_missing_is_named(encoder: EncoderBackbone, tmp_path: Path) -> None:
    without = [pair for pair in TRAIN if pair.label is not NLILabel.NEUTRAL]
    with pytest.raises(TrainingError, match="no pair of neutral"):
        run(encoder, tmp_path, train=without)


@pytest.mark.parametrize(("part", "words"), [("train", "no train pairs"), ("dev", "no dev pairs")])
def test_no_data(encoder: EncoderBackbone, tmp_path: Path, part: str, words: str) -> None:
    with pytest.raises(TrainingError, match=words):
        run(encoder, tmp_path, **{part: []})


def test_a_pair_without_a_label_is_refused(encoder: EncoderBackbone, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="line 7"):
        run(encoder, tmp_path, dev=[replace(DEV[6], label=None)])


def test_unreadable_pairs_are_left_out_and_counted(
    encoder: EncoderBackbone, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad = [replace(TRAIN[0], hypothesis=""), replace(TRAIN[1], premise="dog " * 5000)]
    report = run(encoder, tmp_path, train=TRAIN + bad, epochs=1)
    assert (report.rejected, report.train_pairs) == (2, 240)
    assert caplog.text.count("left out") == 2
    with pytest.raises(TrainingError, match="dev data hold no pair"):
        run(encoder, tmp_path / "none", dev=bad)


def test_dev_pairs_that_are_in_training_are_counted(
    encoder: EncoderBackbone, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    report = run(encoder, tmp_path, dev=DEV + TRAIN[:5], epochs=1)
    assert report.dev_in_train == 5
    assert "5 of 65 dev pairs" in caplog.text


def test_a_loss_that_breaks_down_is_said(encoder: EncoderBackbone, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="lower the learning rate"):
        run(encoder, tmp_path, learning_rate=1e38, schedule="constant", warmup_share=0.0)


def test_balanced_weights_let_classes_weigh_the_same() -> None:
    labels = torch.tensor([0] * 6 + [1] * 3 + [2])
    weights = balanced_weights(labels, classes=4)
    sums = weights * torch.bincount(labels, minlength=4)
    torch.testing.assert_close(sums, torch.tensor([10 / 3, 10 / 3, 10 / 3, 0.0]))
    # Probabilities may come to less than one item of a class
    shares = torch.tensor([[0.9, 0.1], [0.8, 0.2]])
    sums = balanced_weights(shares, classes=2) * shares.sum(0)
    torch.testing.assert_close(sums, torch.tensor([1.0, 1.0]))


def test_two_readings_of_a_pair_are_to_agree() -> None:
    """The loss is that of R-Drop in training, and cross-entropy alone elsewhere."""
    torch.manual_seed(0)
    classifier = nn.Sequential(nn.Dropout(0.5), nn.Linear(6, 3)).double()
    inputs, labels = torch.randn(5, 6).double(), torch.tensor([0, 1, 2, 1, 0])
    loss = ClassifierLoss(classifier, label_smoothing=0.1, consistency=1.5)
    torch.manual_seed(1)
    found = loss(inputs, labels)
    torch.manual_seed(1)
    first, second = classifier(inputs), classifier(inputs)
    assert not torch.equal(first, second)
    entropies = [F.cross_entropy(one, labels, label_smoothing=0.1) for one in (first, second)]
    apart = [
        F.kl_div(one.log_softmax(-1), other.softmax(-1), reduction="batchmean")
        for one, other in ((first, second), (second, first))
    ]
    expected = sum(entropies) / 2 + 1.5 * sum(apart) / 2
    torch.testing.assert_close(found, expected)
    plain = F.cross_entropy(loss.eval().classifier(inputs), labels, label_smoothing=0.1)
    torch.testing.assert_close(loss(inputs, labels), plain)


def test_class_weights_change_what_is_learned(encoder: EncoderBackbone, tmp_path: Path) -> None:
    uneven = [pair for i, pair in enumerate(TRAIN) if i % 3 or i % 4 == 0]
    for name, weights in (("equal", None), ("balanced", "balanced")):
        run(encoder, tmp_path / name, train=uneven, class_weights=weights, epochs=1)
    with pytest.raises(AssertionError):
        assert_same_weights(tmp_path / "equal", tmp_path / "balanced")


def test_measures_are_those_of_scikit_learn() -> None:
    logits = torch.randn(200, 3, generator=torch.Generator().manual_seed(0))
    labels = torch.randint(0, 3, (200,), generator=torch.Generator().manual_seed(1))
    found = classification_measures(logits, labels)
    expected = f1_score(labels, logits.argmax(-1), average="macro")
    assert found["macro_f1"] == pytest.approx(expected, abs=1e-12)


def test_every_example_stands_in_one_batch_of_an_epoch() -> None:
    batches = ShuffledBatches(10, batch_size=4, seed=3)
    first = list(batches)
    assert [len(batch) for batch in first] == [4, 4, 2]
    assert sorted(index for batch in first for index in batch) == list(range(10))
    assert list(batches) == first
    batches.set_epoch(1)
    assert list(batches) != first


def test_settings_survive_a_file_and_wrong_ones_are_named() -> None:
    settings = NLITraining(features="pair+joint", criterion="macro_f1", report_to=("wandb",))
    assert NLITraining.from_dict(settings.to_dict()) == settings
    for wrong in (
        {"epochs": 0},
        {"learning_rate": 0.0},
        {"dropout": 1.0},
        {"class_weights": "other"},
        {"feature_dtype": "int8"},
        {"schedule": "steep"},
        {"features": "words"},
        {"report_to": ("nobody",)},
        {"misspelt": 1},
    ):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            NLITraining.from_dict(wrong)


def test_lessons_are_counted_and_learned_with_the_pairs(
    encoder: EncoderBackbone, tmp_path: Path
) -> None:
    train = [(f"thing{n} stands here", f"place{n} is near", n % 3) for n in range(40)]
    report = run(
        encoder,
        tmp_path,
        train=train,
        lessons=("joined", "repeated"),
        lesson_share=0.25,
        epochs=1,
    )
    assert report.lesson_counts == {"joined": 10, "repeated": 10}
    assert report.train_pairs == 60
    card = (tmp_path / "README.md").read_text("utf-8")
    assert "| of these, made by rules from the others | joined 10, repeated 10 |" in card
    assert "lessons:\n  - joined\n  - repeated" in (tmp_path / "run.yaml").read_text("utf-8")


def test_heads_that_compare_tokens_have_defaults_of_their_own() -> None:
    usual, own = NLITraining(), NLITraining(features=NLIFeatures.INTERACTION)
    assert (usual.input_dropout, own.input_dropout) == (0.0, 0.25)
    assert usual.batch_size > own.batch_size
    given = NLITraining.from_dict({"features": "interaction", "batch_size": 5})
    assert given == replace(own, batch_size=5)
    assert NLITraining.from_dict(own.to_dict()) == own


def test_layers_that_the_encoder_lacks_are_named(encoder: EncoderBackbone, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="from -3 to 2"):
        run(encoder, tmp_path, features=NLIFeatures.INTERACTION, layers=(0, 7))
