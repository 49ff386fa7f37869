"""Training an abstention head on a tiny random encoder."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_inferences import made_pairs
from safetensors.torch import load_file
from tiny_encoders import tiny_encoder

from headwise.backbones import EncoderBackbone
from headwise.choices import Lesson, NLIFeatures
from headwise.corruption.inferences.lessons import lesson_pairs, source_premises
from headwise.entailment import EntailmentModel
from headwise.errors import MismatchError, TrainingError
from headwise.features.inference_features import encode_inferences, live_inferences
from headwise.functional.class_uncertainty import Uncertainty, class_uncertainty
from headwise.heads import load_task_heads
from headwise.metrics import risk_coverage_area, roc_auc
from headwise.training.abstention import labels
from headwise.training.abstention.labels import abstention_examples, premise_folds
from headwise.training.abstention.measures import choose_threshold, signal_quality
from headwise.training.abstention.settings import (
    AbstentionReport,
    AbstentionTraining,
    ErrorLabels,
)
from headwise.training.abstention.train import train_abstention_head
from headwise.training.loop.vectors import Subset
from headwise.training.nli.settings import NLITraining
from headwise.training.nli.train import fit_nli_head, train_nli_head

TRAIN, DEV = made_pairs(180), made_pairs(90, seed=1)
CALIBRATION = made_pairs(60, seed=2)


@pytest.fixture(scope="module")
def encoder() -> EncoderBackbone:
    return EncoderBackbone(*tiny_encoder("bert"))


@pytest.fixture(scope="module")
def heads(encoder: EncoderBackbone, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("heads")
    settings = NLITraining(epochs=2, batch_size=32, hidden_size=24, learning_rate=5e-3)
    train_nli_head(encoder, TRAIN, DEV, folder, backbone_name="tiny", settings=settings)
    return folder


def run(
    encoder: EncoderBackbone, heads: Path, output: Path, *, given: Any = None, **settings: Any
) -> AbstentionReport:
    return train_abstention_head(
        encoder,
        TRAIN,
        DEV,
        heads,
        output,
        settings=AbstentionTraining(
            **{"folds": 3, "epochs": 2, "inner_size": 16, "batch_size": 32, **settings}
        ),
        **(given or {}),
    )


@torch.no_grad()
def on_dev(encoder: EncoderBackbone, folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the saved heads make of dev: learned uncertainty, that of the maximum, errors."""
    heads = load_task_heads(folder)
    features = heads.config.features
    codes = encode_inferences(encoder, DEV, features)
    source = live_inferences(encoder, codes, features, layers=heads.config.layers)
    read = heads.read(source.batch(torch.arange(len(source))))
    assert heads.abstention is not None
    wrong = read.logits.argmax(-1) != source.labels
    largest = class_uncertainty(read.logits, Uncertainty.MAX_PROBABILITY)
    return heads.abstention.uncertainty(*read).numpy(), largest.numpy(), wrong.numpy()


@pytest.mark.parametrize("labels", ["out_of_fold_probability", "out_of_fold", "own_errors"])
def test_the_report_says_what_the_saved_heads_do(
    encoder: EncoderBackbone, heads: Path, tmp_path: Path, labels: str
) -> None:
    report = run(encoder, heads, tmp_path, labels=labels)
    learned, largest, wrong = on_dev(encoder, tmp_path)
    assert report.dev_accuracy == pytest.approx(1 - wrong.mean())
    for name, values in (("learned", learned), ("max_probability", largest)):
        found = report.signals[name]
        assert found.auroc == pytest.approx(roc_auc(values, wrong).value, abs=1e-3)
        area = risk_coverage_area(-values, wrong.astype(float)).value
        assert found.aurc == pytest.approx(area, abs=1e-3)
    assert len(report.fold_accuracies) == (0 if labels == "own_errors" else 3)
    assert report.coverage == pytest.approx(np.mean(learned < report.threshold), abs=0.03)
    assert report.coverage >= 0.8
    config = load_task_heads(tmp_path).config
    assert (config.abstain_by, config.threshold) == ("learned", report.threshold)
    assert config.threshold_basis == "Answers 80% of the pairs, chosen on 90 dev pairs."


def test_the_nli_head_stays_as_it_is_and_its_files_come_along(
    encoder: EncoderBackbone, heads: Path, tmp_path: Path
) -> None:
    run(encoder, heads, tmp_path)
    run(encoder, heads, tmp_path / "inner" / "deeper", labels="own_errors")
    both = load_file(tmp_path / "model.safetensors")
    for name, tensor in load_file(heads / "model.safetensors").items():
        assert torch.equal(both[name], tensor)
    assert (tmp_path / "run.yaml").read_bytes() == (heads / "run.yaml").read_bytes()
    assert "labels: out_of_fold_probability" in (tmp_path / "abstention.yaml").read_text("utf-8")
    card = (tmp_path / "README.md").read_text("utf-8")
    assert "# NLI head for tiny" in card
    assert "chosen on the dev pairs that also chose the heads" in card
    assert card.count("## Abstention") == 1


def test_trained_twice_into_the_folder_of_the_head(
    encoder: EncoderBackbone, tmp_path: Path
) -> None:
    settings = NLITraining(epochs=1, batch_size=32, hidden_size=24)
    train_nli_head(encoder, TRAIN, DEV, tmp_path, backbone_name="tiny", settings=settings)
    for _ in range(2):
        run(encoder, tmp_path, tmp_path, labels="own_errors", given={"keep_checkpoints": True})
    assert (tmp_path / "README.md").read_text("utf-8").count("## Abstention") == 1
    assert load_task_heads(tmp_path).abstention is not None
    with pytest.raises(TrainingError, match="other settings"):
        run(encoder, tmp_path, tmp_path, labels="own_errors", learning_rate=0.1)


def test_another_threshold_needs_no_other_training(
    encoder: EncoderBackbone, heads: Path, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match="What was trained stays"):
        run(encoder, heads, tmp_path, aim="guarantee", level=0.001)
    assert not (tmp_path / "model.safetensors").exists()
    first = run(encoder, heads, tmp_path, level=0.9, given={"keep_checkpoints": True})
    learned = load_file(tmp_path / "model.safetensors")
    second = run(encoder, heads, tmp_path, level=0.5)
    assert second.evaluations == first.evaluations
    assert second.coverage < first.coverage
    for name, tensor in load_file(tmp_path / "model.safetensors").items():
        assert torch.equal(tensor, learned[name])


def test_out_of_fold_labels_come_from_heads_that_never_saw_the_premise(
    encoder: EncoderBackbone, heads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[set[int]] = []

    def watched(head: Any, train: Any, *given: Any, **named: Any) -> Any:
        seen.append(set(train._chosen.tolist()))
        return fit_nli_head(head, train, *given, **named)

    monkeypatch.setattr(labels, "fit_nli_head", watched)
    report = run(encoder, heads, tmp_path, labels="out_of_fold")
    everything = set(range(len(TRAIN)))
    held_out = [everything - chosen for chosen in seen]
    assert set().union(*held_out) == everything
    assert sum(map(len, held_out)) == len(everything)
    for chosen, left in zip(seen, held_out, strict=True):
        assert not {TRAIN[i].premise for i in chosen} & {TRAIN[i].premise for i in left}
    mean = np.average(report.fold_accuracies, weights=list(map(len, held_out)))
    assert report.train_errors == pytest.approx(1 - mean, abs=1e-6)


def test_probable_errors_are_what_the_other_heads_give_to_wrong_labels(
    encoder: EncoderBackbone, heads: Path
) -> None:
    nli = load_task_heads(heads).nli
    train, dev = (
        live_inferences(
            encoder, encode_inferences(encoder, part, NLIFeatures.PAIR), NLIFeatures.PAIR
        )
        for part in (TRAIN, DEV)
    )
    found = abstention_examples(
        nli,
        None,
        train,
        dev,
        TRAIN,
        labels=ErrorLabels.OUT_OF_FOLD_PROBABILITY,
        folds=3,
        seed=0,
        settings=NLITraining(epochs=1, batch_size=32),
        reads_hidden=True,
        device=torch.device("cpu"),
    )
    own, others = found.examples.vectors.chunk(2)
    with torch.no_grad():
        read = nli.read(train.batch(torch.arange(len(train))))
        right = torch.cat([read.hidden, read.logits], dim=-1)
    torch.testing.assert_close(own, right)
    given = others[:, nli.hidden_size :].softmax(-1)
    wrong = given.masked_fill(torch.eye(3)[train.labels].bool(), 0.0).sum(-1)
    for half in found.examples.labels.chunk(2):
        torch.testing.assert_close(half[:, 1], wrong)
        torch.testing.assert_close(half.sum(-1), torch.ones(len(half)))
    assert found.share == pytest.approx(wrong.mean().item(), abs=1e-6)


def test_lessons_are_no_examples_and_keep_out_of_folds_with_their_premises(
    encoder: EncoderBackbone, heads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lessons = lesson_pairs(TRAIN, [Lesson.JOINED, Lesson.REPEATED, Lesson.NEGATED], share=0.2)
    pairs = [*lessons, *TRAIN]
    train, dev = (
        live_inferences(
            encoder, encode_inferences(encoder, part, NLIFeatures.PAIR), NLIFeatures.PAIR
        )
        for part in (pairs, DEV)
    )
    seen: list[set[int]] = []

    def watched(head: object, part: Subset, *given: object, **named: object) -> object:
        seen.append(set(part._chosen.tolist()))
        return fit_nli_head(head, part, *given, **named)

    monkeypatch.setattr(labels, "fit_nli_head", watched)
    found = abstention_examples(
        load_task_heads(heads).nli,
        None,
        train,
        dev,
        pairs,
        labels=ErrorLabels.OUT_OF_FOLD,
        folds=2,
        seed=0,
        settings=NLITraining(epochs=1),
        reads_hidden=False,
        device=torch.device("cpu"),
    )
    assert found.pairs == len(found.examples) == len(TRAIN)
    for chosen in seen:
        held_out = {
            pair.premise for i, pair in enumerate(pairs) if i >= len(lessons) and i not in chosen
        }
        taught = [pairs[i] for i in chosen if i < len(lessons)]
        assert 0 < len(taught) < len(lessons)
        assert not any(held_out & set(source_premises(pair)) for pair in taught)
        assert not any(text in pair.premise for pair in taught for text in held_out)


def test_folds_keep_premises_together() -> None:
    premises = [f"premise {number // 4}" for number in range(100)]
    folds = premise_folds(premises, folds=5, seed=0)
    assert torch.bincount(folds).tolist() == [20] * 5
    assert all(len(set(folds[i : i + 4].tolist())) == 1 for i in range(0, 100, 4))
    assert not torch.equal(folds, premise_folds(premises, folds=5, seed=1))
    with pytest.raises(TrainingError, match="hold 1"):
        premise_folds(["one"] * 9, folds=2, seed=0)


def test_other_pairs_may_choose_the_threshold(
    encoder: EncoderBackbone, heads: Path, tmp_path: Path
) -> None:
    report = run(
        encoder,
        heads,
        tmp_path,
        given={"calibration": CALIBRATION},
        labels="own_errors",
        abstain_by="entropy",
        level=0.5,
    )
    assert report.calibration_pairs == len(CALIBRATION)
    assert report.coverage == pytest.approx(0.5, abs=0.02)
    config = load_task_heads(tmp_path).config
    assert config.abstain_by == "entropy"
    assert "60 calibration pairs" in str(config.threshold_basis)
    assert "took no part in training" in (tmp_path / "README.md").read_text("utf-8")


def test_a_risk_is_kept_or_said_to_be_out_of_reach(
    encoder: EncoderBackbone, heads: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    report = run(encoder, heads, tmp_path / "risk", labels="own_errors", aim="risk", level=0.5)
    assert report.answered_accuracy is not None
    assert report.answered_accuracy >= 0.5
    with pytest.raises(TrainingError, match="allow more errors, or give more pairs"):
        run(encoder, heads, tmp_path, labels="own_errors", aim="guarantee", level=0.01)
    assert "guarantee does not quite hold" in caplog.text
    run(encoder, heads, tmp_path / "own", labels="own_errors", aim="guarantee", level=0.7)
    basis = load_task_heads(tmp_path / "own").config.threshold_basis
    assert basis is not None
    assert basis.endswith("They also chose the heads, so that this does not quite hold.")


def test_the_basis_names_its_numbers_in_full() -> None:
    uncertainty, wrong = np.linspace(0, 1, 400), np.zeros(400, bool)
    for settings, words in (
        (AbstentionTraining(level=0.755), "Answers 75.5% of the pairs"),
        (AbstentionTraining(aim="risk", level=0.0125), "At most 1.25% errors"),
        (AbstentionTraining(aim="guarantee", level=0.1, confidence=0.999), "probability 99.9%"),
    ):
        threshold, basis = choose_threshold(uncertainty, wrong, settings, chosen_on="dev")
        assert threshold is not None
        assert words in basis


def test_heads_of_another_encoder_are_refused(heads: Path, tmp_path: Path) -> None:
    other = EncoderBackbone(*tiny_encoder("bert"), pooling=("mean", "cls"))  # type: ignore[arg-type]
    with pytest.raises(MismatchError, match="embedding size"):
        run(other, heads, tmp_path)


def test_settings_survive_a_file_and_wrong_ones_are_named() -> None:
    settings = AbstentionTraining(labels="own_errors", aim="risk", level=0.1)
    assert AbstentionTraining.from_dict(settings.to_dict()) == settings
    for wrong in (
        {"folds": 1},
        {"level": 1.0},
        {"confidence": 0.0},
        {"abstain_by": "mood"},
        {"aim": "luck"},
        {"labels": "mine"},
        {"misspelt": 1},
    ):
        with pytest.raises(
            ValueError, match="|".join([next(iter(wrong)), *map(str, wrong.values())])
        ):
            AbstentionTraining.from_dict(wrong)


def test_a_second_head_and_alignments_are_read_and_saved(
    encoder: EncoderBackbone, tmp_path: Path
) -> None:
    folder = tmp_path / "nli"
    train_nli_head(
        encoder,
        TRAIN,
        DEV,
        folder,
        backbone_name="tiny",
        settings=NLITraining(
            features=NLIFeatures.INTERACTION, epochs=1, hidden_size=16, interaction_size=8
        ),
    )
    report = run(encoder, folder, tmp_path / "both", second=True, reads_hidden=False)
    heads = load_task_heads(tmp_path / "both")
    assert heads.second is not None
    assert heads.second.interaction is not None
    assert heads.abstention is not None
    assert (heads.abstention.hidden_size, heads.abstention.evidence_size) == (0, 6 + 3)
    first, other = (head.interaction.projection[1].weight for head in (heads.nli, heads.second))
    assert not torch.equal(first, other)
    learned, _, wrong = on_dev(encoder, tmp_path / "both")
    quality = signal_quality(learned.astype(float), wrong)
    assert report.signals["learned"].aurc == pytest.approx(quality.aurc, abs=1e-6)
    model = EntailmentModel(encoder, heads)
    found = model.predict([pair.premise for pair in DEV], [pair.hypothesis for pair in DEV])
    assert [one.uncertainty for one in found] == pytest.approx(learned.tolist(), abs=1e-5)
    # A second head that is there stays
    run(encoder, tmp_path / "both", tmp_path / "more", second=True, seed=5)
    kept = load_task_heads(tmp_path / "more").second
    assert torch.equal(kept.interaction.projection[1].weight, other)
