"""What all runs of Transformers' Trainer share: arguments, continuation, and what it noted."""

import logging
import resource
import sys
from collections.abc import Iterable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from transformers import (
    EarlyStoppingCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_utils import get_last_checkpoint

from headwise.progress import progress_bar
from headwise.training.loop.settings import Evaluation


class ProgressReport(TrainerCallback):
    """Takes the place of Transformers' own bar and of the dictionaries that it prints.

    Args:
        bar: Whether to show a bar on standard error.
    """

    def __init__(self, *, bar: bool) -> None:
        self._bar, self._stack = bar, ExitStack()

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Show the bar, where a continued run stands."""
        if state.global_step:
            logger.info("Continuing after step %d of %d.", state.global_step, state.max_steps)
        bar = progress_bar("Training", total=state.max_steps, enabled=self._bar)
        self._advance = self._stack.enter_context(bar)
        self._advance(state.global_step)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Move the bar."""
        self._advance(1)

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any
    ) -> None:
        """Write a line."""
        if state.is_world_process_zero:
            values = ", ".join(
                f"{name.removeprefix('eval_').replace('_', ' ')} {value:.4f}"
                for name, value in given["metrics"].items()
                if name.startswith("eval_")
            )
            logger.info("Epoch %.2f, step %d: dev %s", state.epoch, state.global_step, values)

    def close(self) -> None:
        """Take the bar away, however training ended."""
        self._stack.close()


logger = logging.getLogger(__name__)


CHECKPOINTS = "checkpoints"


class LoopSettings(Protocol):
    """What every run's settings say of its loop."""

    @property
    def epochs(self) -> int:
        """Passes over the data at most."""
        ...

    @property
    def schedule(self) -> str:
        """Name of a Transformers schedule."""
        ...

    @property
    def warmup_share(self) -> float:
        """Share of the steps in which the learning rate rises."""
        ...

    @property
    def report_to(self) -> tuple[str, ...]:
        """Trackers that Transformers knows."""
        ...

    @property
    def seed(self) -> int:
        """Of everything random."""
        ...


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run noted.

    Attributes:
        evaluations: What was found on dev, in order.
        train_losses: Steps and training losses, in nats.
        steps: Steps done, those of earlier calls included.
        steps_here: Steps that this call did.
        seconds: Wall time of this call's steps and evaluations.
    """

    evaluations: list[Evaluation]
    train_losses: list[tuple[int, float]]
    steps: int
    steps_here: int
    seconds: float

    def best(self, criterion: str, *, higher_is_better: bool) -> int:
        """Which evaluation is the best by a measure, counted from 0; the first of equal ones."""
        sign = -1.0 if higher_is_better else 1.0
        return min(
            range(len(self.evaluations)),
            key=lambda i: sign * self.evaluations[i].metrics[criterion],
        )


def loop_arguments(
    checkpoints: Path, device: torch.device, settings: LoopSettings, **own: Any
) -> TrainingArguments:
    """Transformers' arguments.

    Args:
        checkpoints: Their folder.
        device: Where the head is trained.
        settings: Of the run.
        own: What only runs of this kind have.
    """
    return TrainingArguments(
        output_dir=str(checkpoints),
        num_train_epochs=settings.epochs,
        lr_scheduler_type=settings.schedule,
        warmup_steps=settings.warmup_share,
        # Adam's steps do not grow with the gradient, and its norm would cost a pass over it
        max_grad_norm=0.0,
        use_cpu=device.type == "cpu",
        save_total_limit=2,
        load_best_model_at_end=True,
        # Epochs without an improvement count on where a run was stopped
        restore_callback_states_from_checkpoint=True,
        remove_unused_columns=False,
        report_to=list(settings.report_to) or "none",
        disable_tqdm=True,
        seed=settings.seed,
        **own,
    )


def run_loop(trainer: Trainer, checkpoints: Path, *, bar: bool) -> Trained:
    """Train, from the newest checkpoint on if there is one.

    Args:
        trainer: The trainer.
        checkpoints: Their folder, there or not.
        bar: Whether to show a bar on standard error.
    """
    newest = get_last_checkpoint(str(checkpoints)) if checkpoints.is_dir() else None
    before = 0
    if newest is not None:
        before = int(Path(newest).name.rpartition("-")[2])
        if _patience_is_spent(Path(newest)):
            trainer.args.max_steps = before  # nothing is left to do but to take the best weights
    with closing(ProgressReport(bar=bar)) as shown:
        trainer.add_callback(shown)
        output = trainer.train(resume_from_checkpoint=newest)
    history = trainer.state.log_history
    evaluations = [
        Evaluation(
            int(row["step"]),
            row["epoch"],
            {n.removeprefix("eval_"): v for n, v in row.items() if n.startswith("eval_")},
        )
        for row in history
        if "eval_loss" in row
    ]
    return Trained(
        evaluations=evaluations,
        train_losses=[(int(row["step"]), row["loss"]) for row in history if "loss" in row],
        steps=trainer.state.global_step,
        steps_here=trainer.state.global_step - before,
        seconds=output.metrics["train_runtime"],
    )


def _patience_is_spent(checkpoint: Path) -> bool:
    """Whether the run that wrote a checkpoint stopped for want of an improvement."""
    state = TrainerState.load_from_json(str(checkpoint / TRAINER_STATE_NAME))
    found = state.stateful_callbacks.get(EarlyStoppingCallback.__name__)
    if not isinstance(found, dict):  # written by a version that did not keep it
        return False
    counted: int = found["attributes"]["early_stopping_patience_counter"]
    allowed: int = found["args"]["early_stopping_patience"]
    return counted >= allowed


def count_leaks(train: Iterable[object], dev: Iterable[object]) -> int:
    """How many dev items stand in the training data; a warning says so.

    Args:
        train: What tells each training item from others.
        dev: The same of the dev items.
    """
    known = set(train)
    items = list(dev)
    leaked = sum(item in known for item in items)
    if leaked:
        logger.warning(
            "%d of %d dev pairs stand in the training data as well; the dev loss is too good "
            "for them.",
            leaked,
            len(items),
        )
    return leaked


def reset_peak_memory(device: torch.device) -> None:
    """Forget the accelerator's peak so far; that of a process cannot be forgotten."""
    if device.type != "cpu":
        torch.accelerator.reset_peak_memory_stats(device)


def peak_memory(device: torch.device) -> int:
    """Bytes: what the accelerator held at most, or on a CPU the whole process since it began."""
    if device.type != "cpu":
        return int(torch.accelerator.max_memory_allocated(device))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
