"""What training a Sigmoid Head found."""

from dataclasses import dataclass

from headwise.training.loop.report import RunReport


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingReport(RunReport):
    """What a run did.

    Attributes:
        targets: Target tokens an epoch.
        tokens_per_second: Target tokens trained on in a second, features left out.
        learning_rate: Peak of the schedule.
        row_updates: Which rows a step updated.
    """

    targets: int
    tokens_per_second: float
    learning_rate: float
    row_updates: str

    @property
    def dev_losses(self) -> list[float]:
        """Dev loss at each evaluation, in nats."""
        return [evaluation.metrics["loss"] for evaluation in self.evaluations]
