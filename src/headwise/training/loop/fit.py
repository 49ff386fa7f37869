"""Fit a task: Transformers' arguments, continuation from a checkpoint, and what a run noted."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from transformers import EarlyStoppingCallback, TrainerState, TrainingArguments
from transformers.trainer import TRAINER_STATE_NAME

from headwise.errors import TrainingError
from headwise.training.loop.checkpoints import newest_whole
from headwise.training.loop.processes import Processes
from headwise.training.loop.report import TrainingHistory
from headwise.training.loop.settings import DevEvaluation
from headwise.training.loop.trainer import HeadTrainer, ProgressReport, TrainingTask


class LoopSettings(Protocol):
    """What every run's settings say of its loop."""

    @property
    def epochs(self) -> int:
        """Passes over the data at most."""

    @property
    def learning_rate(self) -> float | None:
        """Peak of the schedule; ``None`` if :func:`loop_arguments` is given one."""

    @property
    def schedule(self) -> str:
        """Name of a Transformers schedule."""

    @property
    def warmup_share(self) -> float:
        """Share of the steps in which the learning rate rises."""

    @property
    def report_to(self) -> tuple[str, ...]:
        """Trackers that Transformers knows."""

    @property
    def seed(self) -> int:
        """Of everything random."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained(TrainingHistory):
    """What a run noted; ``seconds`` is the wall time of this call's steps and evaluations.

    ``read_per_second`` sums the sizes of the training examples that were read in one of them.
    """

    seconds: float
    read_per_second: float


def loop_arguments(
    checkpoints: Path,
    device: torch.device,
    settings: LoopSettings,
    *,
    criterion: str,
    higher_is_better: bool,
    **own: Any,
) -> TrainingArguments:
    """Transformers' arguments; ``own`` are those that runs of a kind have otherwise."""
    shared: dict[str, Any] = {
        "output_dir": str(checkpoints),
        "num_train_epochs": settings.epochs,
        "learning_rate": settings.learning_rate,
        "lr_scheduler_type": settings.schedule,
        # Transformers takes a number below 1 for a share of the steps
        "warmup_steps": settings.warmup_share,
        # Adam's steps do not grow with the gradient, and its norm would cost a pass over it
        "max_grad_norm": 0.0,
        "use_cpu": device.type == "cpu",
        "eval_strategy": "epoch",
        "save_strategy": "epoch",
        # Which ones stay is for HeadTrainer to say
        "save_total_limit": None,
        "load_best_model_at_end": True,
        "metric_for_best_model": f"eval_{criterion}",
        "greater_is_better": higher_is_better,
        # Epochs without an improvement count on where a run was stopped
        "restore_callback_states_from_checkpoint": True,
        # Examples are numbers, which have no columns
        "remove_unused_columns": False,
        "logging_steps": 20,
        "logging_first_step": True,
        "report_to": list(settings.report_to) or "none",
        # ProgressReport shows a bar instead
        "disable_tqdm": True,
        "seed": settings.seed,
    }
    return TrainingArguments(**shared | own)


def refuse_processes(arguments: TrainingArguments, what: str) -> None:
    """Refuse to train in several processes what only one can train."""
    if arguments.world_size > 1:
        raise TrainingError(
            f"{what} is trained in one process, got {arguments.world_size}; start it without "
            "torchrun."
        )


def fit(
    task: TrainingTask, arguments: TrainingArguments, *, patience: int, bar: bool = False
) -> Trained:
    """Train until dev does not improve, from the newest whole checkpoint on if there is one.

    The weights of the best evaluation stay in the model. ``patience`` counts evaluations without
    an improvement before training stops.

    Raises:
        TrainingError: If a loss stops being a number, or dev cannot give the criterion.
        OutputError: If the disk is full.
    """
    trainer = HeadTrainer(task, arguments, patience=patience)
    checkpoints = Path(str(arguments.output_dir))
    newest = Processes.of(arguments).agreed(lambda: newest_whole(checkpoints))
    if newest is not None and _patience_is_spent(newest):
        # Nothing is left to do but to take the best weights
        trainer.args.max_steps = int(newest.name.rpartition("-")[2])
    with closing(ProgressReport(bar=bar)) as shown:
        trainer.add_callback(shown)
        output = trainer.train(resume_from_checkpoint=None if newest is None else str(newest))
    history = trainer.state.log_history
    evaluations = [
        DevEvaluation(
            int(row["step"]),
            row["epoch"],
            {n.removeprefix("eval_"): v for n, v in row.items() if n.startswith("eval_")},
        )
        for row in history
        if "eval_loss" in row
    ]
    # `min` takes the first of equal ones, as Trainer does
    sign = -1.0 if task.higher_is_better else 1.0
    seconds = output.metrics["train_runtime"]
    return Trained(
        evaluations=evaluations,
        best=min(
            range(len(evaluations)), key=lambda i: sign * evaluations[i].metrics[task.criterion]
        ),
        train_losses=[(int(row["step"]), row["loss"]) for row in history if "loss" in row],
        steps=trainer.state.global_step,
        seconds=seconds,
        read_per_second=trainer.read / seconds,
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
