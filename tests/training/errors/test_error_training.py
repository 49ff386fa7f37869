"""Training an error head on the bundled backbone with bundled sentences: small, but whole."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from huggingface_hub import ModelCard
from safetensors.torch import load_file
from tiny_models import PAIRS

from headwise import QualityEstimator
from headwise.backbones import CausalBackbone, parse_prompt
from headwise.bundled.examples import example_pairs
from headwise.corruption import CorruptionMix, ErrorFamily
from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.pairs import Pair
from headwise.data.records.word_tags import WordTags
from headwise.errors import FinishedError, MismatchError, TrainingError
from headwise.features import CachedFeatures
from headwise.heads import SigmoidHead, load_error_head, save_head
from headwise.training.errors import (
    ErrorReport,
    ErrorTraining,
    LabelStage,
    train_uncalibrated_error_head,
)
from headwise.training.errors.loss import ErrorLoss
from headwise.training.errors.output_calibration import measure_outputs
from headwise.training.loop.trainer import HeadTrainer

MIX = CorruptionMix(
    proportions={ErrorFamily.REPLACEMENT: 1.0, ErrorFamily.DELETION: 1.0, ErrorFamily.PLAUSIBLE: 1}
)
TINY = {
    "copies": 1,
    "epochs": 2,
    "inner_size": 16,
    "batch_tokens": 512,
    "mix": MIX,
}


@pytest.fixture(scope="module")
def backbone() -> CausalBackbone:
    return QualityEstimator.from_pretrained("tiny-en-de").backbone


def run(
    backbone: CausalBackbone,
    output: Path,
    *,
    train: list[Pair] | None = None,
    prompt: str = "tiny",
    labels: list[Pair] | None = None,
    start: Path | None = None,
    stage: LabelStage = LabelStage(epochs=2, batch_tokens=256),
    keep_checkpoints: bool = False,
    **settings: object,
) -> ErrorReport:
    pairs = example_pairs()
    return train_uncalibrated_error_head(
        backbone,
        pairs[8:] if train is None else train,
        pairs[:8],
        output,
        prompt=parse_prompt(prompt),
        backbone_name="tiny-en-de",
        settings=ErrorTraining(**{**TINY, "labels": stage, **settings}),
        labels=labels or (),
        start=start,
        keep_checkpoints=keep_checkpoints,
    )


def marked(*, tags: bool = False) -> list[Pair]:
    """Bundled sentences in which somebody finds every first word wrong."""
    found = []
    for pair in example_pairs():
        end = pair.hypothesis.index(" ")
        if tags:
            words = ((0, end), (end + 1, len(pair.hypothesis)))
            found.append(replace(pair, tags=WordTags(words, (True, False), (False, True, False))))
        else:
            found.append(replace(pair, errors=(ErrorSpan(0, end),)))
    return found


def weights(folder: Path) -> bytes:
    return (folder / "error_head.safetensors").read_bytes()


@pytest.fixture(scope="module")
def trained(backbone: CausalBackbone, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that a run wrote."""
    folder = tmp_path_factory.mktemp("trained")
    run(backbone, folder)
    return folder


def test_a_head_is_trained_and_scores(backbone: CausalBackbone, tmp_path: Path) -> None:
    report = run(backbone, tmp_path)
    assert report.synthetic is not None
    assert report.labelled is None
    assert sum(report.families.values()) == report.synthetic.texts - report.train_pairs
    assert set(report.synthetic.families()) <= {family.value for family in MIX.proportions}
    assert len(report.held_out) == len(report.held_out_groups) == 16
    card = (tmp_path / "error_head.md").read_text("utf-8")
    assert ModelCard(card).data.eval_results
    tables = [f"| {family} | {count} |" for family, count in report.families.items()]
    for said in ("without human labels", "ECE before", "tiny-en-de", *tables):
        assert said in card
    assert (tmp_path / "error_head.png").stat().st_size > 1000
    assert yaml.safe_load((tmp_path / "error_head.yaml").read_text())["settings"]["copies"] == 1
    assert not (tmp_path / "config.json").exists()
    scored = QualityEstimator.from_pretrained(tmp_path).score("A dog.", "Ein Hund.")
    assert all(0.0 < token.error < 1.0 for token in scored.tokens)


def test_the_same_run_gives_the_same_bytes(
    backbone: CausalBackbone, trained: Path, tmp_path: Path
) -> None:
    run(backbone, tmp_path)
    assert weights(tmp_path) == weights(trained)


def test_a_finished_run_whose_checkpoints_were_kept_can_be_called_again(
    backbone: CausalBackbone, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(backbone, tmp_path, keep_checkpoints=True)
    monkeypatch.setattr(HeadTrainer, "training_step", None)  # there is nothing left to do
    assert run(backbone, tmp_path, keep_checkpoints=True).synthetic is not None
    assert weights(tmp_path) == weights(trained)
    with pytest.raises(FinishedError, match="nothing is left to do"):
        run(backbone, tmp_path)
    assert not (tmp_path / "error_checkpoints").exists()


def test_an_interrupted_run_continues(
    backbone: CausalBackbone, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluate, calls = HeadTrainer.evaluate, []

    def interrupted(self: HeadTrainer, *args: object, **named: object) -> dict[str, float]:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return evaluate(self, *args, **named)

    monkeypatch.setattr(HeadTrainer, "evaluate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(backbone, tmp_path)
    assert not (tmp_path / "error_head.json").exists()
    monkeypatch.undo()
    run(backbone, tmp_path)
    assert weights(tmp_path) == weights(trained)


def test_other_settings_do_not_continue_a_run(backbone: CausalBackbone, trained: Path) -> None:
    with pytest.raises(TrainingError, match=r"settings\.copies: 1 there, 2 now"):
        run(backbone, trained, copies=2)


def test_labels_are_a_second_stage(
    backbone: CausalBackbone, trained: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        report = run(backbone, tmp_path, labels=marked())
    assert report.synthetic is not None
    assert report.labelled is not None
    assert "do not say where something is missing" in caplog.text
    assert report.labelled.gaps is None
    assert set(report.labelled.families()) == {"marked"}
    assert report.synthetic_after is not None
    assert weights(tmp_path) != weights(trained)
    assert all(pair.errors for pair in report.held_out)
    assert "Started from the head of the first stage" in (tmp_path / "error_head.md").read_text()


def test_labels_without_gaps_leave_omission_calibrated(
    backbone: CausalBackbone, tmp_path: Path
) -> None:
    report = run(
        backbone,
        tmp_path,
        train=example_pairs(),
        labels=marked(),
        epochs=6,
        copies=4,
        batch_tokens=128,
        mix=CorruptionMix(proportions={ErrorFamily.DELETION: 1.0}),
        stage=LabelStage(epochs=5, batch_tokens=64, learning_rate=3e-3),
    )
    first, after = report.synthetic, report.gaps_after
    assert first is not None
    assert first.gaps is not None
    assert after is not None
    assert first.tokens.auroc > 0.7
    assert first.gaps.auroc > 0.7
    # The labels changed what gaps are told by; that was made good on the same dev texts
    assert (after.positions, after.positive) == (first.gaps.positions, first.gaps.positive)
    assert after.slope != pytest.approx(1.0, abs=1e-3)
    assert after.ece_after < after.ece_before
    head = load_error_head(tmp_path)
    assert head is not None
    dev = CachedFeatures(tmp_path / "error_features" / "dev")
    loss = ErrorLoss(head, backbone.unembedding.weight)
    saved = measure_outputs(loss, dev, device=backbone.device)[1]
    assert saved is not None
    assert saved.ece_before == pytest.approx(after.ece_after, abs=1e-5)


def test_labels_alone_go_on_from_a_head(
    backbone: CausalBackbone, trained: Path, tmp_path: Path
) -> None:
    report = run(backbone, tmp_path, train=[], labels=marked(tags=True), start=trained)
    assert report.synthetic is None
    assert report.labelled is not None
    assert report.labelled.gaps is not None
    assert report.labelled.gaps.positive > 0
    assert report.memorisation is None
    first, later = load_error_head(trained), load_error_head(tmp_path)
    assert first is not None
    assert later is not None
    torch.testing.assert_close(later.mean, first.mean, rtol=0, atol=0)
    assert not torch.equal(later.own.weight, first.own.weight)


def test_each_label_says_for_itself_whether_gaps_are_known(
    backbone: CausalBackbone, trained: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spans, tagged = marked(), marked(tags=True)
    report = run(backbone, tmp_path, train=[], labels=[*tagged[::2], *spans[1::2]], start=trained)
    assert report.labelled is not None
    features = CachedFeatures(tmp_path / "error_features" / "labels")
    batch = features.batch(range(len(features.counts)))
    known = [bool(part.any()) for part in batch.missing_known.split(batch.counts)]
    assert True in known
    assert False in known
    assert report.labelled.gaps is not None
    held_out = CachedFeatures(tmp_path / "error_features" / "label_dev")
    assert report.labelled.gaps.positions < sum(held_out.counts)
    with caplog.at_level("WARNING"):
        run(backbone, tmp_path / "spans", train=[], labels=spans, start=trained)
    assert "no longer calibrated" in caplog.text


def test_labels_alone_from_scratch(backbone: CausalBackbone, tmp_path: Path) -> None:
    report = run(backbone, tmp_path, train=[], labels=marked(), variant="causal")
    assert report.labelled is not None
    head = load_error_head(tmp_path)
    assert head is not None
    assert head.variant == "causal"
    assert "random weights" in (tmp_path / "error_head.md").read_text()


def test_plain_text_needs_no_source(
    backbone: CausalBackbone, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    texts = [Pair(None, pair.hypothesis) for pair in example_pairs()]
    report = train_uncalibrated_error_head(
        backbone,
        texts[8:],
        texts[:8],
        tmp_path,
        prompt=parse_prompt("raw"),
        backbone_name="tiny-en-de",
        settings=ErrorTraining(**{**TINY, "mix": CorruptionMix.default("de"), "epochs": 1}),
    )
    assert "untranslated needs texts" in caplog.text
    assert report.held_out_groups[:8] == tuple(text.hypothesis for text in texts[:8])


def test_a_sigmoid_head_in_the_folder_stays(backbone: CausalBackbone, tmp_path: Path) -> None:
    head = SigmoidHead(vocabulary_size=backbone.vocabulary_size, hidden_size=backbone.hidden_size)
    save_head(head, tmp_path, prompt=parse_prompt("tiny").model_dump(), backbone="tiny-en-de")
    before = load_file(tmp_path / "model.safetensors")
    with pytest.raises(MismatchError, match="another prompt"):
        run(backbone, tmp_path, prompt="raw")
    run(backbone, tmp_path, epochs=1)
    estimator = QualityEstimator.from_pretrained(tmp_path)
    assert estimator.error_head is not None
    assert isinstance(estimator.head, SigmoidHead)
    torch.testing.assert_close(load_file(tmp_path / "model.safetensors"), before, rtol=0, atol=0)


@pytest.mark.parametrize("known", [True, False])
def test_statistics_are_off_where_texts_are_known_by_heart(
    parrot: CausalBackbone, tmp_path: Path, known: bool
) -> None:
    learned = [Pair(*pair) for pair in PAIRS]
    others = example_pairs()
    report = train_uncalibrated_error_head(
        parrot,
        learned if known else others[8:],
        others[:8],
        tmp_path,
        prompt=parse_prompt("tiny"),
        backbone_name="parrot",
        settings=ErrorTraining(**{**TINY, "epochs": 1, "statistics": "auto"}),
    )
    assert report.memorisation is not None
    assert report.memorisation.found == known
    assert report.statistics != known
    card = (tmp_path / "error_head.md").read_text("utf-8")
    assert ("The head reads no log-probability" in card) == known


def test_what_cannot_be_learned_from_is_named(
    backbone: CausalBackbone, parrot: CausalBackbone, trained: Path, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match="neither training pairs nor labels"):
        run(backbone, tmp_path, train=[])
    with pytest.raises(TrainingError, match="labelled pair at line 1 does not say"):
        run(backbone, tmp_path, train=[], labels=example_pairs())
    with pytest.raises(TrainingError, match="labelled pair at index 0 does not say"):
        run(backbone, tmp_path, train=[], labels=[Pair("A dog", "Ein Hund")])
    with pytest.raises(TrainingError, match="has no error head to start from"):
        run(backbone, tmp_path, start=tmp_path)
    with pytest.raises(MismatchError, match="hidden size"):
        run(parrot, tmp_path, start=trained)


def test_a_loss_that_is_no_number_stops(backbone: CausalBackbone, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="lower the learning rate"):
        run(backbone, tmp_path, learning_rate=1e38, warmup_share=0.0, epochs=5)
