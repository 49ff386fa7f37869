"""Training that is stopped, whose checkpoints are damaged, or that is not alone in its folder."""

import logging
import multiprocessing
import os
import pickle
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from made_inferences import made_pairs
from tiny_encoders import tiny_encoder

from headwise.backbones import EncoderBackbone
from headwise.errors import FinishedError, OutputError, TrainingError
from headwise.files import only_writer
from headwise.training import NLITraining, train_nli_head
from headwise.training.loop import checkpoints, trainer
from headwise.training.loop import run as loop_run
from headwise.training.loop.trainer import HeadTrainer
from headwise.training.nli.settings import NLIReport

# The processes start at once, so that there is something to kill
FORK = multiprocessing.get_context("fork")
TRAIN, DEV = made_pairs(60), made_pairs(30, seed=1)


@pytest.fixture(scope="module", autouse=True)
def no_pictures() -> Iterator[None]:
    """They take longer than all the rest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop_run, "draw_curves", lambda *_, **__: None)
        yield


@pytest.fixture(scope="module")
def encoder() -> EncoderBackbone:
    return EncoderBackbone(*tiny_encoder("bert"))


def run(encoder: EncoderBackbone, output: Path, *, dev: Any = DEV, **given: Any) -> NLIReport:
    values = {"epochs": 3, "batch_size": 20, "hidden_size": 8, "learning_rate": 5e-3, "patience": 9}
    settings = NLITraining(**{**values, **given.pop("settings", {})})
    return train_nli_head(
        encoder, TRAIN, dev, output, backbone_name="tiny", settings=settings, **given
    )


@pytest.fixture(scope="module")
def whole(encoder: EncoderBackbone, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an uninterrupted run left."""
    folder = tmp_path_factory.mktemp("whole")
    run(encoder, folder)
    return folder


@pytest.fixture(scope="module")
def stopped(encoder: EncoderBackbone, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run left that was stopped in its third epoch, with two checkpoints."""
    folder = tmp_path_factory.mktemp("stopped")
    with pytest.MonkeyPatch.context() as patch:
        stop_at(patch, step=7)
        with pytest.raises(KeyboardInterrupt):
            run(encoder, folder)
    assert {path.name for path in folder.glob("checkpoints/*")} == {"checkpoint-3", "checkpoint-6"}
    return folder


def stop_at(patch: pytest.MonkeyPatch, *, step: int) -> None:
    plain = HeadTrainer.compute_loss

    def interrupted(self: HeadTrainer, *given: Any, **named: Any) -> torch.Tensor:
        if self.state.global_step == step:
            raise KeyboardInterrupt
        return plain(self, *given, **named)

    patch.setattr(HeadTrainer, "compute_loss", interrupted)


def head(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


class Code:
    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, ("false",))


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut weights": (lambda c: cut(c / "model.safetensors"), "model.safetensors is damaged"),
    "cut state": (lambda c: cut(c / "trainer_state.json"), "trainer_state.json is damaged"),
    "a pickle with code": (
        lambda c: (c / "optimizer.pt").write_bytes(pickle.dumps(Code())),
        "optimizer.pt is damaged",
    ),
    "a missing file": (lambda c: (c / "rng_state.pth").unlink(), "it has no rng_state.pth"),
    "an empty folder": (lambda c: [file.unlink() for file in c.iterdir()], "it has no files.json"),
    "another step": (
        lambda c: (shutil.rmtree(c), shutil.copytree(c.with_name("checkpoint-3"), c)),
        "it was written after step 3",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_newest_whole_checkpoint_is_taken(
    encoder: EncoderBackbone,
    whole: Path,
    stopped: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    damage: str,
) -> None:
    output = shutil.copytree(stopped, tmp_path / "damaged")
    change, said = DAMAGES[damage]
    change(output / "checkpoints" / "checkpoint-6")
    with caplog.at_level(logging.INFO, "headwise"):
        run(encoder, output)
    warning = next(r.getMessage() for r in caplog.records if r.levelno == logging.WARNING)
    assert "checkpoint-6" in warning
    assert said in warning
    assert "Continuing after step 3 of 9." in caplog.text
    assert head(output) == head(whole)
    assert not (output / "checkpoints").exists()


def test_without_its_best_weights_a_checkpoint_is_no_place_to_go_on_from(tmp_path: Path) -> None:
    written = {3: 3, 6: 3}
    for step, best in written.items():
        place = tmp_path / checkpoints.UNFINISHED / f"checkpoint-{step}"
        place.mkdir(parents=True)
        state = f'{{"global_step": {step}, "best_global_step": {best}}}'
        (place / "trainer_state.json").write_text(state)
        checkpoints.finish_checkpoint(tmp_path, step)
    assert checkpoints.newest_whole(tmp_path) == tmp_path / "checkpoint-6"
    cut(tmp_path / "checkpoint-3" / "trainer_state.json")
    assert checkpoints.newest_whole(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_was_moved_goes_on_with_its_best_weights(
    encoder: EncoderBackbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def evaluate(self: HeadTrainer, *_: Any, **__: Any) -> dict[str, float]:
        metrics = {"eval_loss": 1.0 + self.state.global_step, "eval_accuracy": 0.5}
        metrics["eval_macro_f1"] = 0.5
        self.log(metrics)
        return metrics

    monkeypatch.setattr(HeadTrainer, "evaluate", evaluate)
    report = run(encoder, tmp_path / "whole", settings={"criterion": "loss"})
    assert report.best == 0
    with monkeypatch.context() as patch:
        stop_at(patch, step=8)
        with pytest.raises(KeyboardInterrupt):
            run(encoder, tmp_path / "here", settings={"criterion": "loss"})
    shutil.move(tmp_path / "here", tmp_path / "there")
    run(encoder, tmp_path / "there", settings={"criterion": "loss"})
    assert head(tmp_path / "there") == head(tmp_path / "whole")


def test_killed_at_one_moment_after_another(
    encoder: EncoderBackbone, whole: Path, tmp_path: Path
) -> None:
    """Each process goes on from what the one before it left, up to its own end."""
    output = tmp_path / "killed"
    for moment in (
        *("run.yaml", "index.json", "half an optimizer.pt", "checkpoint-3"),
        *("half a scheduler.pt", "checkpoint-6", "removing checkpoint-3", "model.safetensors"),
        *("config.json", "removing checkpoint-9"),
    ):
        process = FORK.Process(target=train_and_die, args=(encoder, output, moment))
        process.start()
        process.join(60)
        assert process.exitcode == -signal.SIGKILL, f"The process was not killed at {moment}."
    with pytest.raises(FinishedError):  # it was when the last one died
        run(encoder, output)
    assert head(output) == head(whole)
    assert {p.name for p in output.iterdir()} == {p.name for p in whole.iterdir()}


def train_and_die(encoder: EncoderBackbone, output: Path, moment: str) -> None:
    """Die when a file is half written, or before a file or folder gets or loses its name."""
    replace, rename, save = Path.replace, Path.rename, torch.save

    def die_at(what: str) -> None:
        if what == moment or (what.count("/") and what.endswith(f"/{moment}")):
            os.kill(os.getpid(), signal.SIGKILL)

    def replace_or_die(path: Path, target: Path) -> Path:
        die_at(f"{target.parent.name}/{target.name}")
        return replace(path, target)

    def rename_or_die(path: Path, target: Path) -> Path:
        die_at(f"removing {path.name}" if target.name.endswith(".tmp") else path.name)
        return rename(path, target)

    def save_or_die(what: object, path: str) -> None:
        save(what, path)
        if moment.startswith("half") and path.endswith(moment.split()[-1]):
            os.truncate(path, Path(path).stat().st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)

    Path.replace = replace_or_die  # type: ignore[assignment, method-assign]
    Path.rename = rename_or_die  # type: ignore[assignment, method-assign]
    torch.save = save_or_die
    run(encoder, output)


def test_a_full_disk_is_said_and_leaves_the_checkpoint_before(
    encoder: EncoderBackbone, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = torch.save

    def save_if_there_is_room(what: object, path: str) -> None:
        save(what, path)
        if "checkpoint-6" in path and path.endswith("optimizer.pt"):
            raise RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed")

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", save_if_there_is_room)
        with pytest.raises(OutputError, match=r"checkpoint-6 cannot be written: .*Make room"):
            run(encoder, tmp_path)
    assert [path.name for path in tmp_path.glob("checkpoints/*")] == ["checkpoint-3"]
    run(encoder, tmp_path)
    assert head(tmp_path) == head(whole)


def test_the_best_and_the_newest_stay_and_one_to_fall_back_on(
    encoder: EncoderBackbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses, kept = iter([3.0, 2.0, 2.5, 1.0, 0.5]), []
    finish = trainer.remove_checkpoints

    def evaluate(self: HeadTrainer, *_: Any, **__: Any) -> dict[str, float]:
        metrics = {"eval_loss": next(losses), "eval_accuracy": 0.5, "eval_macro_f1": 0.5}
        self.log(metrics)
        return metrics

    def remove(folder: Path, **named: Any) -> None:
        finish(folder, **named)
        kept.append(sorted(int(path.name[11:]) for path in folder.glob("checkpoint-*")))

    monkeypatch.setattr(HeadTrainer, "evaluate", evaluate)
    monkeypatch.setattr(trainer, "remove_checkpoints", remove)
    run(encoder, tmp_path, settings={"epochs": 5, "criterion": "loss"})
    assert kept == [[3], [3, 6], [6, 9], [6, 12], [12, 15]]


def test_a_second_training_into_a_folder_is_refused(
    encoder: EncoderBackbone, whole: Path, tmp_path: Path
) -> None:
    with (
        only_writer(tmp_path),
        pytest.raises(OutputError, match="Another process is writing"),
    ):
        run(encoder, tmp_path)
    assert list(tmp_path.iterdir()) == []
    run(encoder, tmp_path)
    assert head(tmp_path) == head(whole)


def test_a_finished_training_is_not_done_again(
    encoder: EncoderBackbone, whole: Path, tmp_path: Path
) -> None:
    output = shutil.copytree(whole, tmp_path / "copy")
    before = {path.name: path.stat().st_mtime_ns for path in output.iterdir()}
    with pytest.raises(FinishedError, match="nothing is left to do"):
        run(encoder, output)
    with pytest.raises(TrainingError, match=r"settings\.learning_rate: 0\.005 there, 0\.1 now"):
        run(encoder, output, settings={"learning_rate": 0.1})
    # The same names, and other texts or weights behind them
    with pytest.raises(TrainingError, match=r"digests\.dev: '\w+' there, '\w+' now"):
        run(encoder, output, dev=DEV[1:])
    with pytest.raises(TrainingError, match=r"digests\.backbone"):
        run(EncoderBackbone(*tiny_encoder("roberta")), output)
    assert {path.name: path.stat().st_mtime_ns for path in output.iterdir()} == before
    (output / "model.safetensors").unlink()  # then it is not finished any more
    run(encoder, output)
    assert head(output) == head(whole)


def test_overwrite_begins_anew(encoder: EncoderBackbone, stopped: Path, tmp_path: Path) -> None:
    output = shutil.copytree(stopped, tmp_path / "copy")
    report = run(encoder, output, dev=DEV[1:], settings={"epochs": 1}, overwrite=True)
    assert report.steps == 3
    assert report.dev_pairs == len(DEV) - 1
    (output / "run.yaml").write_text("surprise: 1\n")
    run(encoder, output, settings={"epochs": 1}, overwrite=True, keep_checkpoints=True)
    assert (output / "checkpoints" / "checkpoint-3").is_dir()
