"""Training on the bundled backbone with bundled sentences: small, but the real thing."""

from pathlib import Path

import pytest
import torch

from headwise import QualityEstimator
from headwise.backbones import CausalBackbone, parse_prompt
from headwise.bundled.examples import example_pairs
from headwise.data.pairs import Pair
from headwise.errors import TrainingError
from headwise.training.negatives import NegativeSampling
from headwise.training.sigmoid import SigmoidTraining, TrainingReport, train_sigmoid_head


@pytest.fixture(scope="module")
def backbone() -> CausalBackbone:
    return QualityEstimator.from_pretrained("tiny-en-de").backbone


def run(backbone: CausalBackbone, output: Path, **settings: object) -> TrainingReport:
    pairs = example_pairs()
    return train_sigmoid_head(
        backbone,
        pairs,
        pairs,
        output,
        prompt=parse_prompt("tiny"),
        backbone_name="tiny-en-de",
        settings=SigmoidTraining(**{"epochs": 2, "batch_tokens": 128, **settings}),
    )


def test_training_lowers_the_dev_loss_and_the_head_loads(
    backbone: CausalBackbone, tmp_path: Path
) -> None:
    report = run(backbone, tmp_path, epochs=4, learning_rate=3e-3)
    assert report.dev_losses[-1] < report.dev_losses[0]
    assert report.train_pairs == len(example_pairs())
    estimator = QualityEstimator.from_pretrained(tmp_path)
    pair = example_pairs()[0]
    assert 0 < estimator.score(pair.source, pair.hypothesis).score < 1
    assert "tiny-en-de" in (tmp_path / "README.md").read_text("utf-8")


def test_the_best_epoch_is_kept(
    backbone: CausalBackbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from headwise.training import sigmoid

    losses, weights = iter([1.0, 0.5, 2.0]), []

    def evaluate(self: sigmoid._HeadTrainer, *_: object, **__: object) -> dict[str, float]:
        weights.append(self.model.weight.detach().clone())
        metrics = {"eval_loss": next(losses)}
        self.log(metrics)
        return metrics

    monkeypatch.setattr(sigmoid._HeadTrainer, "evaluate", evaluate)
    assert run(backbone, tmp_path, epochs=3).dev_losses == [1.0, 0.5, 2.0]
    kept = QualityEstimator.from_pretrained(tmp_path).head.weight
    torch.testing.assert_close(kept, weights[1], rtol=0, atol=0)
    assert not torch.equal(kept, weights[2])


def test_interrupted_training_continues_to_the_same_weights(
    backbone: CausalBackbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(backbone, tmp_path / "whole", epochs=3)
    from headwise.training import sigmoid

    evaluate, calls = sigmoid._HeadTrainer.evaluate, []

    def interrupted(self: object, *args: object, **options: object) -> dict[str, float]:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return evaluate(self, *args, **options)

    monkeypatch.setattr(sigmoid._HeadTrainer, "evaluate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(backbone, tmp_path / "parts", epochs=3)
    assert not (tmp_path / "parts" / "config.json").exists()
    monkeypatch.undo()
    report = run(backbone, tmp_path / "parts", epochs=3)
    assert len(report.dev_losses) == 3
    whole, parts = (
        QualityEstimator.from_pretrained(tmp_path / name).head.weight for name in ("whole", "parts")
    )
    torch.testing.assert_close(whole, parts, rtol=0, atol=0)


def test_no_usable_pair_is_an_error(backbone: CausalBackbone, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="train"):
        train_sigmoid_head(
            backbone,
            [Pair("a", "")],
            example_pairs(),
            tmp_path,
            prompt=parse_prompt("tiny"),
            backbone_name="tiny-en-de",
        )


def test_a_loss_that_is_no_number_stops(backbone: CausalBackbone, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="learning rate"):
        run(backbone, tmp_path, learning_rate=1e38, sampling=NegativeSampling(per_position=2))
