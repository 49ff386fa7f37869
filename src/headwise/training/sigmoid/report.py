"""What training a Sigmoid Head found."""

from dataclasses import dataclass

from headwise.training.loop.settings import Evaluation


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """What a run did.

    Attributes:
        train_pairs: Pairs trained on.
        dev_pairs: Pairs evaluated on.
        rejected: Pairs left out because they cannot be read.
        dev_in_train: Dev pairs that stand in the training data as well.
        targets: Target tokens an epoch.
        evaluations: One after each epoch, or as often as asked for.
        best: Which of them the head that was kept comes from, counted from 0.
        train_losses: Steps and training losses, in nats.
        steps: Steps done.
        seconds: Wall time of this call, features included.
        tokens_per_second: Target tokens trained on in a second, features left out.
        peak_bytes: Most memory that was held: the process's own, or the accelerator's.
        features: How features were read, in words.
        learning_rate: Peak of the schedule.
        row_updates: Which rows a step updated.
    """

    train_pairs: int
    dev_pairs: int
    rejected: int
    dev_in_train: int
    targets: int
    evaluations: list[Evaluation]
    best: int
    train_losses: list[tuple[int, float]]
    steps: int
    seconds: float
    tokens_per_second: float
    peak_bytes: int
    features: str
    learning_rate: float
    row_updates: str

    @property
    def dev_losses(self) -> list[float]:
        """Dev loss at each evaluation, in nats."""
        return [evaluation.metrics["loss"] for evaluation in self.evaluations]
