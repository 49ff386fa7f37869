"""Which texts to read in order to answer questions about a state, and the answers made of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch.nn import functional as F

from headwise.entailment.decisions import Asked, Decision, OneOf
from headwise.entailment.embedding import HeadedEncoder
from headwise.entailment.inputs import all_good
from headwise.entailment.model import EntailmentModel
from headwise.entailment.passages import (
    Steps,
    passage_steps,
    premise_room,
    readable_length,
    result_of,
)
from headwise.entailment.predicting import Prediction
from headwise.errors import ContextLengthError, TextError

# Hypotheses that are tokenised in a step
_HYPOTHESES = 64
# No token of a text that is worth reading as a whole has more on average
_CHARACTERS = 32


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
    def of(cls, state: str, questions: Sequence[Asked], *, encoder: HeadedEncoder) -> Self:
        """Plan the answers to questions at one go, see :meth:`steps`."""
        return result_of(cls.steps(state, questions, encoder=encoder))

    @classmethod
    def steps(
        cls, state: str, questions: Sequence[Asked], *, encoder: HeadedEncoder, language: str = "en"
    ) -> Steps[Self]:
        """Plan the answers to questions about a state of any length, in short steps.

        It is a generator that pauses after some questions, and after every part of the state.

        Raises:
            TextError: If the state cannot be read.
            ContextLengthError: If a hypothesis is longer than the context.
            ValueError: If there are no heads, and not all questions are answered by similarity.
        """
        backbone, joint = encoder.backbone, False
        if not all(map(_by_similarity, questions)):
            joint = encoder.heads_for("decide").config.features.needs_joint
        backbone.check_text(state, what="state")
        longest = 0
        for place, text in enumerate(text for asked in questions for text in asked.hypotheses):
            if (length := readable_length(backbone, text, what="question")) is None:
                raise ContextLengthError(
                    f"A question and its option are longer than the {backbone.max_length} tokens "
                    "that the model reads; shorten them."
                )
            longest = max(longest, length)
            if place % _HYPOTHESES == 0:
                yield
        room = premise_room(backbone, longest, joint=joint)
        # What is very long is not tokenised as a whole only to find that out
        if room is None or len(state) <= room * _CHARACTERS:
            tokens = readable_length(backbone, state, what="state")
            # Control tokens count in what was measured and not in the room
            single = backbone.tokenizer.num_special_tokens_to_add(pair=False)
            single += len(backbone.prompt_ids("text"))
            if tokens is not None and (room is None or tokens - single <= room):
                return cls((state,), tuple(questions))
        found = yield from passage_steps(
            state, backbone=backbone, language=language, window=1, room=room
        )
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


def _by_similarity(question: Asked) -> bool:
    return isinstance(question, OneOf) and question.by == "similarity"
