"""Answer typed questions about a state by entailment: yes or no, one of some options, a level.

A heuristic over natural language inference, not a model of decisions: a question and its options
are written as hypotheses, and what the heads say about these becomes a distribution. How good it
is depends on the heads; those trained on image captions know little of tickets and tempers. Options
can be compared with the state by their embeddings instead, as routes are.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional as F

from headwise.entailment.embedding import HeadedEncoder
from headwise.entailment.inputs import all_good
from headwise.entailment.model import EntailmentModel
from headwise.entailment.passages import passages, premise_room, readable_length
from headwise.entailment.predicting import Prediction
from headwise.entailment.routing import RouteBy
from headwise.errors import ContextLengthError, TextError
from headwise.heads import NLILabel

# What cosines are multiplied with before they are compared as logits
_SCALE = 20.0


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
    by: RouteBy = "entailment"

    @property
    def hypotheses(self) -> tuple[str, ...]:
        """The question with each of its answers, which the state is asked to entail."""
        return tuple(f"{self.instructions} {text}".strip() for text in self.texts)

    def decide(self, predictions: Sequence[Prediction]) -> "Decision":
        """Share out one among the answers by their probabilities of entailment.

        The prediction about the best answer says whether to abstain.

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

        References:
            Reimers & Gurevych, sentence-transformers, ``MultipleNegativesRankingLoss``, whose
            ``scale`` is 20 by default.
        """
        shares = torch.tensor(cosines, dtype=torch.float64).mul(_SCALE).softmax(dim=0)
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


@dataclass(frozen=True, slots=True)
class DecisionPlan:
    """Which pairs to predict in order to answer questions about a state.

    Attributes:
        premises: The state; or its sentences, if it is longer than the model reads at once.
        questions: What is asked.
    """

    premises: tuple[str, ...]
    questions: tuple[Asked, ...]

    @classmethod
    def of(
        cls, state: str, questions: Sequence[Asked], *, encoder: HeadedEncoder, language: str = "en"
    ) -> "DecisionPlan":
        """Plan the answers to questions about a state of any length.

        Raises:
            TextError: If the state cannot be read.
            ContextLengthError: If a hypothesis is longer than the context.
            ValueError: If there are no heads, and not all questions are answered by similarity.
        """
        backbone, joint = encoder.backbone, False
        if not all(map(_by_similarity, questions)):
            joint = encoder.heads_for("decide").config.features.needs_joint
        tokens = readable_length(backbone, state, what="state")
        hypotheses = [text for question in questions for text in question.hypotheses]
        lengths = [readable_length(backbone, text, what="question") for text in hypotheses]
        known = [length for length in lengths if length is not None]
        if len(known) < len(lengths):
            raise ContextLengthError(
                f"A question and its option are longer than the {backbone.max_length} tokens that "
                "the model reads; shorten them."
            )
        room = premise_room(backbone, max(known, default=0), joint=joint)
        # Control tokens count in what was measured and not in the room
        single = backbone.tokenizer.num_special_tokens_to_add(pair=False)
        single += len(backbone.prompt_ids("text"))
        if tokens is not None and (room is None or tokens - single <= room):
            return cls((state,), tuple(questions))
        found = passages(state, backbone=backbone, language=language, window=1, room=room)
        if not found:
            raise TextError("The state has no sentence of which tokens can be made.")
        return cls(tuple(passage.of(state) for passage in found), tuple(questions))

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """All premises with each hypothesis, in order, for questions by entailment."""
        return self._pairs(by_similarity=False)

    @property
    def compared(self) -> list[tuple[str, str]]:
        """The same for questions by similarity."""
        return self._pairs(by_similarity=True)

    def _pairs(self, *, by_similarity: bool) -> list[tuple[str, str]]:
        return [
            (premise, hypothesis)
            for question in self.questions
            if _by_similarity(question) is by_similarity
            for hypothesis in question.hypotheses
            for premise in self.premises
        ]

    def decide(
        self, predictions: Sequence[Prediction], cosines: Sequence[float] = ()
    ) -> list[Decision]:
        """Answer all questions, in order.

        Args:
            predictions: About :attr:`pairs`.
            cosines: Of the embeddings of :attr:`compared`.
        """
        width = len(self.premises)
        entailing = iter(
            max(predictions[first : first + width], key=lambda prediction: prediction.entailment)
            for first in range(0, len(predictions), width)
        )
        closest = iter(
            max(cosines[first : first + width]) for first in range(0, len(cosines), width)
        )
        return [
            question.compare([next(closest) for _ in question.hypotheses])
            if isinstance(question, OneOf) and _by_similarity(question)
            else question.decide([next(entailing) for _ in question.hypotheses])
            for question in self.questions
        ]


def decide(model: EntailmentModel, state: str, questions: Sequence[Asked]) -> list[Decision]:
    """Answer questions about a state; see `DecisionPlan.of` for what is raised.

    Args:
        model: With heads.
        state: What the questions are about; :func:`state_text` makes a text of JSON.
        questions: Each is answered by itself.

    Returns:
        One decision a question, in order.
    """
    plan = DecisionPlan.of(state, questions, encoder=model.encoder)
    predictions = all_good(model.predict_many(plan.pairs), name=None) if plan.pairs else []
    return plan.decide(predictions, pair_cosines(model.encoder, plan.compared))


def pair_cosines(encoder: HeadedEncoder, pairs: Sequence[tuple[str, str]]) -> list[float]:
    """Cosines of the embeddings of the two texts of each pair, in [-1, 1]."""
    texts = list(dict.fromkeys(text for pair in pairs for text in pair))
    if not texts:
        return []
    places = {text: place for place, text in enumerate(texts)}
    left, right = ([places[pair[side]] for pair in pairs] for side in (0, 1))
    with torch.inference_mode():
        pooled = encoder.remembered.embed(texts, what="state").take_all()
        vectors = F.normalize(encoder.embeddings_of(pooled), dim=-1)
        found: list[float] = (vectors[left] * vectors[right]).sum(dim=-1).tolist()
    return found


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


def _by_similarity(question: Asked) -> bool:
    return isinstance(question, OneOf) and question.by == "similarity"


def _leaning(prediction: Prediction) -> float:
    return prediction.entailment + prediction.probabilities[NLILabel.NEUTRAL.value] / 2
