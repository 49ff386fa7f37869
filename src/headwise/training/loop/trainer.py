"""Transformers' Trainer over a head alone: the frozen backbone is no part of its model."""

import logging
import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import (
    EarlyStoppingCallback,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.trainer import TRAINER_STATE_NAME

from headwise.errors import OutputError, TrainingError
from headwise.progress import progress_bar
from headwise.training.loop.batches import EpochSampler, IndexBatches, Numbers, as_batch
from headwise.training.loop.checkpoints import (
    UNFINISHED,
    checkpoint_path,
    drop_unfinished,
    finish_checkpoint,
    remove_checkpoints,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingTask:
    """What one kind of head brings to the loop that all share.

    Attributes:
        model: The head with its loss, as the module that is trained.
        sampler: Batches of indices of training examples, drawn anew for every epoch.
        sizes: What each training example counts for in the speed: its target tokens, or 1.
        batch_loss: Mean loss, a scalar, from the model (possibly wrapped), indices and epoch.
        measure_dev: Loss on dev, and what gives the other measures by name: they are asked for
            only if the loss is a number.
        criterion: ``loss`` or the measure that decides which weights are kept.
        optimizer: Instead of Transformers' choice.
    """

    model: nn.Module
    sampler: EpochSampler
    sizes: Sequence[int]
    batch_loss: Callable[[nn.Module, list[int], int], Tensor]
    measure_dev: Callable[[], tuple[float, Callable[[], dict[str, float]]]]
    criterion: str
    higher_is_better: bool
    optimizer: torch.optim.Optimizer | None = None


class HeadTrainer(Trainer):
    """A task's batches and losses, its evaluation on dev, and an end where the loss breaks down.

    It also ends after ``patience`` evaluations without an improvement. ``read`` sums the sizes of
    all training examples so far, over all processes.
    """

    def __init__(self, task: TrainingTask, arguments: TrainingArguments, *, patience: int) -> None:
        examples = Numbers(len(task.sizes))
        super().__init__(
            model=task.model,
            args=arguments,
            train_dataset=examples,
            # Trainer wants one, though `evaluate` asks the task
            eval_dataset=examples,
            optimizers=(task.optimizer, None),
            callbacks=[EarlyStoppingCallback(early_stopping_patience=patience), _BestWeights()],
        )
        self.remove_callback(PrinterCallback)
        # The loss is a mean already, whatever the number of items
        self.model_accepts_loss_kwargs = False
        self._task, self.read = task, 0

    def get_train_dataloader(self) -> DataLoader[Any]:
        """The sampler's batches, as indices; the same in every process."""
        examples = Numbers(len(self._task.sizes))
        return IndexBatches(examples, batch_sampler=self._task.sampler, collate_fn=as_batch)

    def _get_output_dir(self, trial: Any) -> str:
        """Where checkpoints are written before they get their places."""
        return str(Path(str(self.args.output_dir)) / UNFINISHED)

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        """Write a checkpoint, all of it or nothing; the best and the one before it stay."""
        folder, step = Path(str(self.args.output_dir)), self.state.global_step
        best_before = self.state.best_model_checkpoint
        try:
            super()._save_checkpoint(model, trial)
            place_best(self.state, folder)
            self.accelerator.wait_for_everyone()
            if self.args.should_save:
                written = checkpoint_path(folder / UNFINISHED, step)
                self.state.save_to_json(str(written / TRAINER_STATE_NAME))
                finish_checkpoint(folder, step)
            self.accelerator.wait_for_everyone()
        except (OSError, SafetensorError, RuntimeError) as error:  # PyTorch's name for a full disk
            drop_unfinished(folder)
            raise OutputError(
                f"{checkpoint_path(folder, step)} cannot be written: {error}. Make room and run "
                "the same again: it goes on from the checkpoint before."
            ) from error
        if self.args.should_save:
            # The best before it, too: were this one damaged, a run could go on from there
            kept = (best_before, self.state.best_model_checkpoint)
            but = {checkpoint_path(folder, step), *(Path(path) for path in kept if path)}
            remove_checkpoints(folder, but=but)

    def _get_grad_norm(self, *_: Any, **__: Any) -> None:
        """None: it would be for the log alone, and cost a pass over the head."""

    def compute_loss(self, model: nn.Module, inputs: dict[str, Any], *_: Any, **__: Any) -> Tensor:
        """Mean loss of one batch; refused if it is no number."""
        self.read += sum(self._task.sizes[i] for i in inputs["indices"])
        epoch = self._task.sampler.epoch
        loss = self._task.batch_loss(model, inputs["indices"], epoch)
        self._refuse_no_number("The loss", float(loss.detach()), f" of epoch {epoch + 1}")
        return loss

    def evaluate(self, *_: Any, metric_key_prefix: str = "eval", **__: Any) -> dict[str, float]:
        """Loss and measures on dev, by the names that Trainer keeps them under."""
        loss, measures = self._task.measure_dev()
        self._refuse_no_number("The dev loss", loss)
        metrics = {"loss": loss} | measures()
        if self._task.criterion not in metrics:
            raise TrainingError(
                "The dev data have no wrong token that scores could be told from; decide by the "
                "loss instead."
            )
        named = {f"{metric_key_prefix}_{name}": value for name, value in metrics.items()}
        self.log(named)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, named)
        return named

    def _refuse_no_number(self, name: str, loss: float, of: str = "") -> None:
        if math.isfinite(loss):
            return
        best = self.state.best_model_checkpoint
        kept = (
            f"The best checkpoint so far is {best}."
            if best
            else "It happened before the first checkpoint, so that none is kept."
        )
        raise TrainingError(
            f"{name} became {loss} at step {self.state.global_step}{of}; lower the learning rate. "
            f"{kept}"
        )


def place_best(state: TrainerState, folder: Path) -> None:
    """Say where the best checkpoint stands: not where it was written, or before a folder moved."""
    if state.best_global_step:
        state.best_model_checkpoint = str(checkpoint_path(folder, state.best_global_step))


class _BestWeights(TrainerCallback):
    """Finds the best checkpoint of a run that is gone on with."""

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        place_best(state, Path(str(args.output_dir)))


class ProgressReport(TrainerCallback):
    """Takes the place of Transformers' own bar and of the dictionaries that it prints."""

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
