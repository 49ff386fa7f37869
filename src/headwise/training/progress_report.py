"""What a person sees of a run while it goes on: a bar, and a line for each evaluation."""

import logging
from contextlib import ExitStack
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from headwise.progress import progress_bar

logger = logging.getLogger(__name__)


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
