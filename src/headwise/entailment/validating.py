"""Check a claim against a source, and show the passages that decide."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import torch
from torch import Tensor

from headwise.choices import DEFAULT_MIN_SIMILARITY
from headwise.entailment.embedding import HeadedEncoder
from headwise.entailment.inputs import at_least_one, not_nan
from headwise.entailment.passages import (
    Passage,
    Steps,
    passage_steps,
    premise_room,
    readable_length,
    result_of,
)
from headwise.entailment.predicting import Prediction
from headwise.errors import ContextLengthError, TextError
from headwise.heads import NLILabel

# Passages this close to the most similar one may contradict, too
_NEAR = 0.1


class Verdict(StrEnum):
    """What a source says about a claim."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    NOT_ENOUGH_INFORMATION = "not_enough_information"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A passage of the source and what the model says about it and the claim.

    Attributes:
        text: The passage.
        start: Its first character in the source.
        end: Where it ends; ``source[start:end]`` is ``text``.
        prediction: What the claim is to the passage.
        similarity: Cosine of the embeddings of passage and claim, in [-1, 1].
    """

    text: str
    start: int
    end: int
    prediction: Prediction
    similarity: float


@dataclass(frozen=True, slots=True)
class Validation:
    """What a source says about a claim; at most one of the three marks is set.

    Attributes:
        supported: Whether a passage entails the claim.
        contradicted: Whether none does, and one that is about the claim contradicts it.
        uncertain: Whether neither is so, and the model abstains on all passages that are about
            the claim.
        confidence: Probability of the class of the first passage of ``evidence``, in [0, 1].
        evidence: The passages that were asked about: those that decide first, most probable ones
            leading; then the others, most similar to the claim first. Where none decides, those
            about the claim on which the model does not abstain lead.
    """

    supported: bool
    contradicted: bool
    uncertain: bool
    confidence: float
    evidence: tuple[Evidence, ...]

    @property
    def verdict(self) -> Verdict:
        """The marks in one word; without a mark, the source does not say enough."""
        if self.supported:
            return Verdict.SUPPORTED
        if self.contradicted:
            return Verdict.CONTRADICTED
        return Verdict.UNCERTAIN if self.uncertain else Verdict.NOT_ENOUGH_INFORMATION


def validation_steps(
    source: str,
    claim: str,
    *,
    encoder: HeadedEncoder,
    predict: Callable[[list[str], str], list[Prediction]],
    language: str = "en",
    window: int = 1,
    top_k: int = 5,
    min_similarity: float = DEFAULT_MIN_SIMILARITY,
    step: int = 64,
) -> Steps[Validation]:
    """Check a claim against a source of any length in short steps, see `EntailmentModel.validate`.

    It is a generator that pauses after every part of the source, and returns the validation.
    ``predict`` gives predictions about some premises and a hypothesis; passages are read ``step``
    at a time.
    """
    heads, backbone = encoder.heads_for("validate"), encoder.backbone
    at_least_one(top_k, name="top_k")
    at_least_one(window, name="window")
    not_nan(min_similarity, name="min_similarity")
    tokens = readable_length(backbone, claim, what="claim")
    if tokens is None:
        raise ContextLengthError(
            f"The claim is longer than the {backbone.max_length} tokens that the model reads; "
            "shorten it."
        )
    backbone.check_text(source, what="source")
    room = premise_room(backbone, tokens, joint=heads.config.features.needs_joint)
    found = yield from passage_steps(
        source, backbone=backbone, language=language, window=window, room=room
    )
    if not found:
        raise TextError(f"The source has no sentence of which tokens can be made: {source[:40]!r}.")
    texts = [passage.of(source) for passage in found]
    cosines: list[Tensor] = []
    for first in range(0, len(texts), step):
        part = texts[first : first + step]
        cosines.append(encoder.cosines(claim, part, names=("claim", "passage")))
        yield
    return validate_passages(
        source,
        found,
        similarity=lambda _: torch.cat(cosines),
        predict=lambda premises: predict(premises, claim),
        top_k=top_k,
        min_similarity=min_similarity,
    )


def validate(source: str, claim: str, **options: Any) -> Validation:
    """Check a claim against a source; arguments are those of :func:`validation_steps`."""
    return result_of(validation_steps(source, claim, **options))


def validate_passages(
    source: str,
    found: list[Passage],
    *,
    similarity: Callable[[list[str]], Tensor],
    predict: Callable[[list[str]], list[Prediction]],
    top_k: int,
    min_similarity: float,
) -> Validation:
    """Ask about the passages that are most similar to the claim, and decide.

    A passage on which the model abstains decides nothing. One passage that entails the claim
    suffices, whatever the others say: a source supports what any part of it says. A contradiction
    counts only from passages that are about the claim: those nearly as similar to it as the most
    similar one, and no less similar than ``min_similarity``, be there one passage or many. Heads
    trained on image captions need that: two captions of one image cannot be about different
    things, so that these heads call unrelated texts contradictions.

    ``similarity`` gives the cosines of the claim and each of some texts, ``predict`` predictions
    about each of some premises and the claim.
    """
    cosines = similarity([passage.of(source) for passage in found])
    # A stable sort: of equal passages, the first
    asked = cosines.argsort(descending=True, stable=True)[:top_k].tolist()
    predictions = predict([found[i].of(source) for i in asked])
    evidence = [
        Evidence(
            text=found[i].of(source),
            start=found[i].start,
            end=found[i].end,
            prediction=prediction,
            similarity=float(cosines[i]),
        )
        for i, prediction in zip(asked, predictions, strict=True)
    ]
    near = [one for one in evidence if one.similarity >= evidence[0].similarity - _NEAR]
    supporting = [one for one in evidence if one.prediction.answers(NLILabel.ENTAILMENT)]
    against = [
        one
        for one in near
        if one.prediction.answers(NLILabel.CONTRADICTION) and one.similarity >= min_similarity
    ]
    deciding = sorted(supporting or against, key=lambda one: -one.prediction.confidence)
    leading = deciding or [one for one in near if not one.prediction.abstain]
    # What is left keeps its order, most similar first
    ranked = (*leading, *(one for one in evidence if one not in leading))
    return Validation(
        supported=bool(supporting),
        contradicted=bool(against) and not supporting,
        uncertain=not leading,
        confidence=ranked[0].prediction.confidence,
        evidence=ranked,
    )
