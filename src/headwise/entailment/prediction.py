"""What the model says about a premise and a hypothesis."""

from collections.abc import Mapping
from dataclasses import dataclass

from headwise.heads.nli_labels import NLILabel


@dataclass(frozen=True, slots=True, repr=False)
class Prediction:
    """What a hypothesis is to its premise, and whether the model stands by it.

    Attributes:
        label: The most probable class: ``entailment``, ``neutral`` or ``contradiction``.
        confidence: Its probability, in [0, 1].
        probabilities: Of all three classes, by name.
        abstain: Whether the model had better not answer: its uncertainty reaches the threshold.
        uncertainty: In [0, 1]; from the abstention head, or from the probabilities.
    """

    label: str
    confidence: float
    probabilities: Mapping[str, float]
    abstain: bool
    uncertainty: float

    @property
    def entailment(self) -> float:
        """Probability of entailment, in [0, 1]."""
        return self.probabilities[NLILabel.ENTAILMENT.value]

    def answers(self, label: NLILabel) -> bool:
        """Whether the model says ``label`` and stands by it."""
        return self.label == label and not self.abstain

    def __repr__(self) -> str:
        shown = ", ".join(f"{name!r}: {value:.3f}" for name, value in self.probabilities.items())
        return (
            f"Prediction(label={self.label!r}, confidence={self.confidence:.3f}, "
            f"abstain={self.abstain}, uncertainty={self.uncertainty:.3f}, "
            f"probabilities={{{shown}}})"
        )
