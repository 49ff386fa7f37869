"""What the reports of all trainings say."""

from dataclasses import dataclass, fields
from typing import Any

from headwise.training.loop.settings import DevEvaluation


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingHistory:
    """The course of a training.

    Attributes:
        evaluations: One after each epoch, or as often as asked for.
        best: Which of them the weights that were kept come from, counted from 0.
        train_losses: Steps and training losses, in nats.
        steps: Steps done, those of earlier calls included.
    """

    evaluations: list[DevEvaluation]
    best: int
    train_losses: list[tuple[int, float]]
    steps: int

    def history(self) -> dict[str, Any]:
        """These fields by name, for a report that says more."""
        return {field.name: getattr(self, field.name) for field in fields(TrainingHistory)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport(TrainingHistory):
    """What a run on pairs did.

    Attributes:
        train_pairs: Pairs trained on.
        dev_pairs: Pairs evaluated on.
        rejected: Pairs left out because they cannot be read.
        dev_in_train: Dev pairs that stand in the training data as well.
        seconds: Wall time of this call, features included.
        peak_bytes: Most memory that was held: the process's own, or the accelerator's.
        features: How features were read, in words.
    """

    train_pairs: int
    dev_pairs: int
    rejected: int
    dev_in_train: int
    seconds: float
    peak_bytes: int
    features: str
