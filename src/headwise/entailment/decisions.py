"""Answer typed questions about a state by entailment: yes or no, one of some options, a level.

A heuristic over natural language inference, not a model of decisions: a question and its options
are written as hypotheses, and what the heads say about these becomes a distribution. How good it
is depends on the heads; those trained on image captions know little of tickets and tempers. Options
can be compared with the state by their embeddings instead, as routes are.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch

from headwise.entailment.predicting import Prediction
from headwise.functional.similarity import COSINE_SCALE
from headwise.heads import NLILabel

DecideBy = Literal["entailment", "similarity"]
"""How options are compared with a state."""


@dataclass(frozen=True, slots=True)
class YesNo:
    """Is something true of the state?

    Attributes:
        statement: What is true if the answer is yes. A statement serves better than a question:
            heads are trained on statements.
        opposite: What is true if the answer is no, if that can be said.
    """

    statement: str
    opposite: str | None = None

    @property
    def hypotheses(self) -> tuple[str, ...]:
        """What the state is asked to entail."""
        return (self.statement,) if self.opposite is None else (self.statement, self.opposite)

    def decide(self, predictions: Sequence[Prediction]) -> "Decision":
        """Give yes the probability of entailment, and half of what is neither for nor against.

        So a state that says nothing about the statement comes to one half. With an opposite, the
        mean of what the statement and the opposite say is taken. The least uncertain prediction
        says whether to abstain.

        Args:
            predictions: About the statement, and about the opposite if there is one.
        """
        for_it, *against = map(_leaning, predictions)
        yes = (for_it + 1 - against[0]) / 2 if against else for_it
        surest = min(predictions, key=lambda prediction: prediction.uncertainty)
        return Decision((1 - yes, yes), surest.abstain, surest.uncertainty, tuple(predictions))


@dataclass(frozen=True, slots=True)
class OneOf:
    """Which of some texts fits the state? They may be the levels of a scale, in order.

    Attributes:
        instructions: The question.
        texts: The answers to choose from.
        by: Whether the state is to entail the question with its answer, or to be close to it.
    """

    instructions: str
    texts: tuple[str, ...]
    by: DecideBy = "entailment"

    @property
    def hypotheses(self) -> tuple[str, ...]:
        """The question with each of its answers, which the state is asked to entail."""
        return tuple(f"{self.instructions} {text}".strip() for text in self.texts)

    def decide(self, predictions: Sequence[Prediction]) -> "Decision":
        """Share out one among the answers by their probabilities of entailment.

        The prediction about the best answer says whether to abstain.

        Args:
            predictions: About each answer as a hypothesis, in their order.

        References:
            Yin, Hay & Roth 2019, arXiv 1909.00161, who classify by entailment of labels.
        """
        entailed = [prediction.entailment for prediction in predictions]
        total = sum(entailed)
        shares = [each / total if total else 1 / len(entailed) for each in entailed]
        best = predictions[shares.index(max(shares))]
        return Decision(tuple(shares), best.abstain, best.uncertainty, tuple(predictions))

    def compare(self, cosines: Sequence[float]) -> "Decision":
        """Share out one among the answers by the cosines of their embeddings with the state's.

        By a softmax of twenty times the cosines, which is what most sentence encoders are trained
        to tell a pair from others with. There is no abstention.

        Args:
            cosines: Of the state with each answer, in their order, in [-1, 1].

        References:
            Reimers & Gurevych, sentence-transformers, ``MultipleNegativesRankingLoss``, whose
            ``scale`` is 20 by default.
        """
        shares = torch.tensor(cosines, dtype=torch.float64).mul(COSINE_SCALE).softmax(dim=0)
        return Decision(
            tuple(shares.tolist()), abstain=False, uncertainty=None, similarities=tuple(cosines)
        )


Asked = YesNo | OneOf


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to a question.

    Attributes:
        probabilities: Of no and yes, or of each text in order; they add up to 1.
        abstain: Whether the model had better not answer; never by similarity.
        uncertainty: Of the prediction that decides, in [0, 1]; ``None`` by similarity.
        predictions: What the heads say about each hypothesis, of the passage of the state that
            entails it most; none by similarity.
        similarities: Cosine of each hypothesis with the closest passage; none by entailment.
    """

    probabilities: tuple[float, ...]
    abstain: bool
    uncertainty: float | None
    predictions: tuple[Prediction, ...] = ()
    similarities: tuple[float, ...] = ()

    @property
    def best(self) -> int:
        """Place of the most probable answer; of equal ones, the first."""
        return self.probabilities.index(max(self.probabilities))

    @property
    def expected(self) -> float:
        """The mean place, in [0, n - 1]: the probability of yes, or the score on a scale."""
        return sum(place * each for place, each in enumerate(self.probabilities))

    @property
    def confidence(self) -> float:
        """How far the best answer is above chance: 0 if all are alike, 1 if it has everything."""
        if len(self.probabilities) == 1:
            return 1.0
        chance = 1 / len(self.probabilities)
        return max(0.0, (max(self.probabilities) - chance) / (1 - chance))


def state_text(state: Any) -> str:
    """Write a state down as text: JSON as a line a value, after the names that lead to it."""
    return state if isinstance(state, str) else "\n".join(_lines(state, ()))


def _lines(value: Any, names: tuple[str, ...]) -> list[str]:
    if isinstance(value, dict):
        return [line for name in value for line in _lines(value[name], (*names, str(name)))]
    if isinstance(value, (list, tuple)):
        return [line for item in value for line in _lines(item, names)]
    text = value if isinstance(value, str) else json.dumps(value)
    return [f"{' '.join(names)}: {text}" if names else text]


def _leaning(prediction: Prediction) -> float:
    return prediction.entailment + prediction.probabilities[NLILabel.NEUTRAL.value] / 2
