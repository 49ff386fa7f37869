"""Training on the bundled backbone with bundled sentences: small, but the real thing."""

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard
from safetensors.torch import load_file

from headwise import QualityEstimator
from headwise.backbones import CausalBackbone, parse_prompt
from headwise.backbones.states.probe import StatesProbe
from headwise.bundled.examples import example_pairs
from headwise.bundled.names import bundled_folder
from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.pairs import Pair
from headwise.errors import MismatchError, PromptError, TrainingError
from headwise.features import FeatureBatch
from headwise.heads import HEAD_TYPES
from headwise.training.loop.trainer import HeadTrainer
from headwise.training.sigmoid.loss import HeadLoss
from headwise.training.sigmoid.objective_settings import NegativeSampling, Objective
from headwise.training.sigmoid.report import TrainingReport
from headwise.training.sigmoid.settings import RowUpdates, SigmoidTraining
from headwise.training.sigmoid.train import train_sigmoid_head


@pytest.fixture(scope="module")
def backbone() -> CausalBackbone:
    return QualityEstimator.from_pretrained("tiny-en-de").backbone


def run(
    backbone: CausalBackbone,
    output: Path,
    *,
    train: list[Pair] | None = None,
    prompt: str = "tiny",
    **settings: object,
) -> TrainingReport:
    pairs = example_pairs()
    return train_sigmoid_head(
        backbone,
        pairs if train is None else train,
        pairs[:6],
        output,
        prompt=parse_prompt(prompt),
        backbone_name="tiny-en-de",
        settings=SigmoidTraining(**{"epochs": 2, "batch_tokens": 128, **settings}),
    )


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def assert_same_weights(first: Path, second: Path) -> None:
    for name, tensor in weights(first).items():
        torch.testing.assert_close(tensor, weights(second)[name], rtol=0, atol=0)


def test_training_lowers_the_dev_loss_and_the_head_loads(
    backbone: CausalBackbone, tmp_path: Path
) -> None:
    report = run(backbone, tmp_path, epochs=4, learning_rate=3e-3)
    assert report.dev_losses[-1] < report.dev_losses[0]
    assert report.train_pairs == len(example_pairs())
    assert report.steps == 4 * report.evaluations[0].step
    assert report.tokens_per_second > 0
    assert report.peak_bytes > 10**8
    assert {"auroc", "auroc_crude", "auroc_plausible"} <= report.evaluations[0].metrics.keys()
    estimator = QualityEstimator.from_pretrained(tmp_path)
    pair = example_pairs()[0]
    assert 0 < estimator.score(pair.source, pair.hypothesis).score < 1


def test_the_folder_tells_the_whole_story(backbone: CausalBackbone, tmp_path: Path) -> None:
    report = run(backbone, tmp_path)
    card = (tmp_path / "README.md").read_text("utf-8")
    assert "tiny-en-de" in card
    assert ModelCard(card).data.eval_results
    assert f"{report.evaluations[report.best].metrics['loss']:.4f}" in card
    assert "Trained without quality labels" in card
    assert "curves.png" in card
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert "largest-drop" in (tmp_path / "run.yaml").read_text("utf-8")
    # The head knows its language model again, as the bundled one does
    own, bundled = (
        StatesProbe.read(tmp_path),
        StatesProbe.read(bundled_folder("tiny-en-de") / "head"),
    )
    assert own is not None
    assert bundled is not None
    assert own.ids == bundled.ids
    torch.testing.assert_close(
        torch.tensor(own.values), torch.tensor(bundled.values), rtol=0, atol=1e-3
    )


@pytest.mark.parametrize("head_type", HEAD_TYPES)
def test_every_head_type_is_trained_and_loads(
    backbone: CausalBackbone, tmp_path: Path, head_type: str
) -> None:
    report = run(backbone, tmp_path, head_type=head_type, learning_rate=1e-2, epochs=3)
    assert min(report.dev_losses[1:]) < report.dev_losses[0]
    assert QualityEstimator.from_pretrained(tmp_path).head.head_type == head_type


@pytest.mark.parametrize(
    "objective",
    [
        Objective(negatives=None),
        Objective(avoid=None, margin_weight=0.5),
        Objective(positive_weight="balance"),
        Objective(negatives=NegativeSampling(candidates=None, combination="add")),
    ],
    ids=["full vocabulary", "ranking", "balance", "add"],
)
def test_every_objective_lowers_its_dev_loss(
    backbone: CausalBackbone, tmp_path: Path, objective: Objective
) -> None:
    report = run(backbone, tmp_path, objective=objective, learning_rate=3e-3, epochs=3)
    assert report.dev_losses[-1] < report.dev_losses[0]


def test_error_marks_lower_the_scores_of_marked_words(
    backbone: CausalBackbone, tmp_path: Path
) -> None:
    train = []
    for pair in example_pairs():
        end = pair.hypothesis.index(" ")
        train.append(replace(pair, errors=(ErrorSpan(0, end),)))
    report = train_sigmoid_head(
        backbone,
        train,
        train,
        tmp_path,
        prompt=parse_prompt("tiny"),
        backbone_name="tiny-en-de",
        settings=SigmoidTraining(epochs=8, batch_tokens=128, learning_rate=1e-2),
    )
    marked = [evaluation.metrics["auroc_marked"] for evaluation in report.evaluations]
    assert marked[-1] > 0.95
    assert marked[-1] > marked[0]
    scored = QualityEstimator.from_pretrained(tmp_path).score(train[0].source, train[0].hypothesis)
    assert scored.words[0].sigmoid < 0.5 < scored.words[1].sigmoid
    assert "Trained with human error marks" in (tmp_path / "README.md").read_text("utf-8")


def test_the_best_epoch_is_kept(
    backbone: CausalBackbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses, seen = iter([1.0, 0.5, 2.0]), []

    def evaluate(self: HeadTrainer, *_: object, **__: object) -> dict[str, float]:
        seen.append(self.model.head.weight.detach().clone())
        metrics = {"eval_loss": next(losses)}
        self.log(metrics)
        return metrics

    monkeypatch.setattr(HeadTrainer, "evaluate", evaluate)
    report = run(backbone, tmp_path, epochs=3)
    assert report.dev_losses == [1.0, 0.5, 2.0]
    assert report.best == 1
    kept = weights(tmp_path)["weight"]
    torch.testing.assert_close(kept, seen[1], rtol=0, atol=0)
    assert not torch.equal(kept, seen[2])


def test_auroc_can_decide_instead(
    backbone: CausalBackbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = iter([(0.5, 0.6), (0.4, 0.9), (0.3, 0.8)])

    def evaluate(self: HeadTrainer, *_: object, **__: object) -> dict[str, float]:
        metrics = dict(zip(("eval_loss", "eval_auroc"), next(values), strict=True))
        self.log(metrics)
        return metrics

    monkeypatch.setattr(HeadTrainer, "evaluate", evaluate)
    report = run(backbone, tmp_path, epochs=3, criterion="auroc")
    assert report.best == 1
    assert "by dev auroc" in (tmp_path / "README.md").read_text("utf-8")


def test_early_stopping_and_evaluation_by_steps(backbone: CausalBackbone, tmp_path: Path) -> None:
    report = run(backbone, tmp_path, epochs=50, learning_rate=0.5, evaluate_every=1, patience=2)
    assert len(report.evaluations) == report.best + 3
    assert [evaluation.step for evaluation in report.evaluations] == list(
        range(1, len(report.evaluations) + 1)
    )


def test_cached_and_live_features_give_the_same_head(
    backbone: CausalBackbone, tmp_path: Path
) -> None:
    for name in ("cache", "live"):
        run(backbone, tmp_path / name, features=name, feature_dtype="float32")
    assert_same_weights(tmp_path / "cache", tmp_path / "live")
    assert (tmp_path / "cache/features/train/index.json").is_file()
    assert not (tmp_path / "live/features").exists()


def test_every_epoch_has_batches_and_negatives_of_its_own(
    backbone: CausalBackbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward, seen = HeadLoss.forward, []

    def watched(self: HeadLoss, batch: FeatureBatch, epoch: int) -> object:
        if epoch >= 0:  # dev has none
            seen.append((epoch, batch.keys.tolist()))
        return forward(self, batch, epoch)

    monkeypatch.setattr(HeadLoss, "forward", watched)
    run(backbone, tmp_path, epochs=3, batch_tokens=64)
    by_epoch = {e: [keys for epoch, keys in seen if epoch == e] for e, _ in seen}
    assert list(by_epoch) == [0, 1, 2]
    assert by_epoch[0] != by_epoch[1] != by_epoch[2]
    assert {key for keys in by_epoch[0] for key in keys} == {
        key for keys in by_epoch[2] for key in keys
    }


def test_batches_and_accumulation_change_the_steps(
    backbone: CausalBackbone, tmp_path: Path
) -> None:
    one = run(backbone, tmp_path / "one", batch_tokens=64)
    two = run(backbone, tmp_path / "two", batch_tokens=64, accumulation=2)
    assert two.steps < one.steps


def test_touched_rows_only(backbone: CausalBackbone, tmp_path: Path) -> None:
    report = run(backbone, tmp_path, row_updates=RowUpdates.TOUCHED, epochs=1)
    assert report.row_updates == "touched"
    start = backbone.unembedding.weight.float()
    changed = (weights(tmp_path)["weight"] != start).any(1)
    assert 50 < int(changed.sum()) < len(start) / 2
    everywhere = run(backbone, tmp_path / "all", row_updates=RowUpdates.ALL, epochs=1)
    assert everywhere.row_updates == "all"
    with pytest.raises(TrainingError, match="touched rows"):
        run(
            backbone,
            tmp_path / "full",
            row_updates=RowUpdates.TOUCHED,
            objective=Objective(negatives=None),
        )


def test_a_head_can_start_from_another_one(backbone: CausalBackbone, tmp_path: Path) -> None:
    run(backbone, tmp_path / "first", learning_rate=1e-2)
    run(backbone, tmp_path / "second", initialise=str(tmp_path / "first"), learning_rate=1e-12)
    torch.testing.assert_close(
        weights(tmp_path / "second")["weight"], weights(tmp_path / "first")["weight"]
    )
    with pytest.raises(TrainingError, match="give its type"):
        run(
            backbone,
            tmp_path / "third",
            initialise=str(tmp_path / "first"),
            head_type="biased_unembedding_head",
        )


def test_a_head_of_another_vocabulary_is_refused(
    backbone: CausalBackbone, parrot: CausalBackbone, tmp_path: Path
) -> None:
    run(parrot, tmp_path / "other")
    with pytest.raises(MismatchError, match="vocabulary"):
        run(backbone, tmp_path / "own", initialise=str(tmp_path / "other"))


@pytest.mark.parametrize("features", ["cache", "live"])
def test_a_tokeniser_of_another_vocabulary_is_refused(
    parrot: CausalBackbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, features: str
) -> None:
    monkeypatch.setattr(type(parrot), "vocabulary_size", 50)
    with pytest.raises(MismatchError, match="output layer has 50 rows"):
        run(parrot, tmp_path, features=features, initialise="random")


def test_conversations(parrot: CausalBackbone, tmp_path: Path) -> None:
    history = ({"role": "user", "content": "A dog runs on the beach."},)
    train = [Pair(None, "Ein Hund läuft am Strand.", history=history)]
    report = run(parrot, tmp_path, train=train, prompt="chat")
    assert report.train_pairs == 1
    # One question is a source; what came before it has no place in a plain prompt
    longer = ({"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Ja?"}, *history)
    with pytest.raises(PromptError, match="kind 'chat'"):
        run(parrot, tmp_path / "tiny", train=[Pair(None, train[0].hypothesis, history=longer)])


def test_trackers(backbone: CausalBackbone, tmp_path: Path) -> None:
    run(backbone, tmp_path, report_to=("tensorboard",))
    assert list(tmp_path.rglob("events.out.tfevents*"))


_SCRIPT = """
import sys
sys.path[:0] = [{here!r}, {tests!r}]
import test_sigmoid_training as t
from headwise import QualityEstimator
from pathlib import Path
backbone = QualityEstimator.from_pretrained("tiny-en-de").backbone
t.run(backbone, Path({output!r}), epochs=30, evaluate_every=2, patience=100)
"""


def test_killed_training_continues_to_the_same_weights(
    backbone: CausalBackbone, tmp_path: Path
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    options = {"epochs": 30, "evaluate_every": 2, "patience": 100}
    expected = run(backbone, whole, **options)
    script = _SCRIPT.format(
        tests=str(Path(__file__).parents[2]), here=str(Path(__file__).parent), output=str(killed)
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while not list(killed.glob("checkpoints/checkpoint-*/trainer_state.json")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (killed / "config.json").exists()
    report = run(backbone, killed, **options)
    assert_same_weights(whole, killed)
    assert report.dev_losses == expected.dev_losses


def test_interrupted_in_the_middle_of_an_epoch(
    backbone: CausalBackbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"epochs": 3, "evaluate_every": 2, "batch_tokens": 64}
    run(backbone, tmp_path / "whole", **options)
    compute, calls = HeadTrainer.compute_loss, []

    def interrupted(self: HeadTrainer, *args: object, **named: object) -> torch.Tensor:
        calls.append(1)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return compute(self, *args, **named)

    monkeypatch.setattr(HeadTrainer, "compute_loss", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(backbone, tmp_path / "parts", **options)
    assert not (tmp_path / "parts" / "config.json").exists()
    monkeypatch.undo()
    run(backbone, tmp_path / "parts", **options)
    assert_same_weights(tmp_path / "whole", tmp_path / "parts")


def test_other_settings_do_not_continue_a_run(backbone: CausalBackbone, tmp_path: Path) -> None:
    run(backbone, tmp_path)
    with pytest.raises(TrainingError, match=r"settings\.epochs: 2 there, 3 now"):
        run(backbone, tmp_path, epochs=3)


def test_no_usable_pair_is_an_error(backbone: CausalBackbone, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no training pairs"):
        run(backbone, tmp_path, train=[])
    with pytest.raises(TrainingError, match=r"can read; of the first \(line 7\): .* is empty"):
        run(backbone, tmp_path, train=[Pair("a", "", 7)], features="live")


def test_dev_pairs_in_the_training_data_are_counted(
    backbone: CausalBackbone, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    report = run(backbone, tmp_path, train=example_pairs()[4:])
    assert report.dev_in_train == 2
    assert "2 of 6 dev pairs stand in the training data" in caplog.text
    assert "| dev pairs that are also in training | 2 |" in (tmp_path / "README.md").read_text()


@pytest.mark.parametrize("evaluate_every", [None, 1])
def test_a_loss_that_is_no_number_stops(
    backbone: CausalBackbone, tmp_path: Path, evaluate_every: int | None
) -> None:
    with pytest.raises(TrainingError, match="lower the learning rate"):
        run(
            backbone,
            tmp_path,
            learning_rate=1e38,
            warmup_share=0.0,
            evaluate_every=evaluate_every,
            epochs=5,
        )


def test_the_best_checkpoint_is_named_when_the_loss_breaks_down(
    backbone: CausalBackbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute = HeadTrainer.compute_loss

    def broken(self: HeadTrainer, *args: object, **named: object) -> torch.Tensor:
        if self.state.global_step == 3:
            with torch.no_grad():
                self.model.head.weight.fill_(torch.inf)
        return compute(self, *args, **named)

    monkeypatch.setattr(HeadTrainer, "compute_loss", broken)
    with pytest.raises(TrainingError, match=r"step 3 .*best checkpoint so far is .*checkpoint-"):
        run(backbone, tmp_path, evaluate_every=1, epochs=5)
    kept = sorted(tmp_path.glob("checkpoints/checkpoint-*"))
    assert kept
    assert all(
        torch.isfinite(load_file(folder / "model.safetensors")["head.weight"]).all()
        for folder in kept
    )
