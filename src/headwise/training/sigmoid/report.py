"""What training a Sigmoid Head found."""

from dataclasses import dataclass

from headwise.choices import ONLY_LAST
from headwise.heads import layers_in_words
from headwise.training.loop.layers import LayerChoice
from headwise.training.loop.report import RunReport


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingReport(RunReport):
    """What a run did.

    Attributes:
        targets: Target tokens an epoch.
        tokens_per_second: Target tokens trained on in a second, features left out.
        learning_rate: Peak of the schedule.
        row_updates: Which rows a step updated.
        layers: Layer of the language model that the head's threshold comes from, in words.
        layer_choice: What other layers are worth, if the choice was left to dev.
    """

    targets: int
    tokens_per_second: float
    learning_rate: float
    row_updates: str
    layers: str = layers_in_words(ONLY_LAST, None)
    layer_choice: LayerChoice | None = None

    @property
    def dev_losses(self) -> list[float]:
        """Dev loss at each evaluation, in nats."""
        return [evaluation.metrics["loss"] for evaluation in self.evaluations]
