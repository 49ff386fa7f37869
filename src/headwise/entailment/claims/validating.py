"""Check a claim against a source, and show the passages that decide."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from torch import Tensor

from headwise.entailment.claims.sources import CheckOptions, ReadSource, batched
from headwise.entailment.passages import (
    Passage,
    Steps,
    premise_room,
    readable_length,
    token_counts,
)
from headwise.entailment.predicting import Prediction
from headwise.errors import ContextLengthError, InputError
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
    """A premise made of the source, and what the model says about it and the claim.

    Attributes:
        text: The premise: a passage, or several with a space between them.
        start: The first character of its first passage in the source.
        end: Where its last passage ends; of one passage, ``source[start:end]`` is ``text``.
        prediction: What the claim is to the premise.
        similarity: Cosine of the embeddings of passage and claim, in [-1, 1]; of several passages
            the lowest.
        passages: Its passages, in the order of the source; ``source[p.start:p.end]`` is the text
            of one.
    """

    text: str
    start: int
    end: int
    prediction: Prediction
    similarity: float
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Validation:
    """What a source says about a claim; at most one of the three marks is set.

    Attributes:
        supported: Whether a passage entails the claim, or several do together.
        contradicted: Whether none does, and what is about the claim contradicts it.
        uncertain: Whether neither is so, and the model abstains on all premises that are about
            the claim.
        confidence: Of what decides, the probability of its class under the first premise; where
            nothing does, one less the largest probability of a class that would have: entailment
            by any premise, contradiction by one that is about the claim. In [0, 1].
        evidence: The premises that were asked about: those that decide first, of these the ones
            of fewest passages, most probable ones leading; then the others, single passages first,
            most similar to the claim first. Where none decides, those about the claim on which
            the model does not abstain lead.
        deciding: Those that decide; none where no mark or ``uncertain`` is set.
    """

    supported: bool
    contradicted: bool
    uncertain: bool
    confidence: float
    evidence: tuple[Evidence, ...]
    deciding: tuple[Evidence, ...]

    @property
    def verdict(self) -> Verdict:
        """The marks in one word; without a mark, the source does not say enough."""
        if self.supported:
            return Verdict.SUPPORTED
        if self.contradicted:
            return Verdict.CONTRADICTED
        return Verdict.UNCERTAIN if self.uncertain else Verdict.NOT_ENOUGH_INFORMATION


@dataclass(frozen=True, slots=True)
class _Premise:
    text: str
    passages: tuple[Passage, ...]
    similarity: float


def validation_steps(
    source: ReadSource,
    claim: str,
    *,
    predict: Callable[[list[str], str], list[Prediction]],
) -> Steps[Validation]:
    """Check a claim against a source of any length in short steps, see `EntailmentModel.validate`.

    It is a generator that pauses after every part of the source, and returns the validation.
    ``predict`` gives predictions about some premises and a hypothesis. Claims about one source in
    turn read it once.
    """
    encoder = source.encoder
    heads, backbone = encoder.heads_for("validate"), encoder.backbone
    tokens = readable_length(backbone, claim, what="claim")
    if tokens is None:
        raise ContextLengthError(
            f"The claim is longer than the {backbone.max_length} tokens that the model reads; "
            "shorten it."
        )
    room = premise_room(backbone, tokens, joint=heads.config.features.needs_joint)
    cut = yield from source.cut(room)
    cosines = cut.cosines(encoder.known([claim], "claim")[0])
    yield
    return (
        yield from judging_steps(
            cut.text,
            cut.passages,
            cosines,
            predict=lambda premises: predict(premises, claim),
            fits=lambda text: room is None or token_counts(backbone, [text])[0] <= room,
            options=source.options,
            step=source.step,
        )
    )


def is_about_claim(error: InputError) -> bool:
    """Whether it is the claim that :func:`validation_steps` cannot read, and not the source."""
    return str(error).startswith("The claim")


def judging_steps(
    source: str,
    found: Sequence[Passage],
    cosines: Tensor,
    *,
    predict: Callable[[list[str]], list[Prediction]],
    fits: Callable[[str], bool],
    options: CheckOptions,
    step: int = 64,
) -> Steps[Validation]:
    """Ask about the passages that are most similar to a claim, and decide.

    A passage on which the model abstains decides nothing. One that entails the claim suffices,
    whatever the others say: a source supports what any part of it says. If none does, several that
    are about the claim, no less similar to it than ``min_similarity``, are read as one premise:
    the two most similar ones, the three most similar ones, and so on up to ``together``. So a
    claim that follows from one passage rests on no more than it needs, and what says nothing about
    a claim is not tried in ever new company until it seems to.

    A contradiction counts only from passages that are no less similar than that, be there one or
    many, and nearly as similar as the most similar one; of a premise of several, each must be so.
    Heads trained on image captions need that: two captions of one image cannot be about different
    things, so that these heads call unrelated texts contradictions.

    ``cosines``, ``(N,)``, are those of the claim and the passages; ``predict`` gives predictions
    about some premises and the claim, and ``fits`` says whether one has room. It pauses after
    ``step`` premises.
    """
    # A stable sort: of equal passages, the first
    asked = cosines.argsort(descending=True, stable=True)[: options.top_k].tolist()
    single = [_Premise(found[i].of(source), (found[i],), float(cosines[i])) for i in asked]
    evidence = yield from _asking(single, predict, step)
    if not _supporting(evidence):
        similar = [one for one in single if one.similarity >= options.min_similarity]
        joined = _joined(source, similar, together=options.together, fits=fits)
        evidence += yield from _asking(joined, predict, step)
    near = [one for one in evidence if one.similarity >= evidence[0].similarity - _NEAR]
    about = [one for one in near if one.similarity >= options.min_similarity]
    supporting = _supporting(evidence)
    against = [one for one in about if one.prediction.answers(NLILabel.CONTRADICTION)]
    deciding = sorted(
        supporting or against, key=lambda one: (len(one.passages), -one.prediction.confidence)
    )
    leading = deciding or [one for one in near if not one.prediction.abstain]
    # What is left keeps its order, most similar first
    ranked = (*leading, *(one for one in evidence if one not in leading))
    return Validation(
        supported=bool(supporting),
        contradicted=bool(against) and not supporting,
        uncertain=not leading,
        confidence=(
            deciding[0].prediction.confidence if deciding else _nothing_decides(evidence, about)
        ),
        evidence=ranked,
        deciding=tuple(deciding),
    )


def _asking(
    premises: Sequence[_Premise],
    predict: Callable[[list[str]], list[Prediction]],
    step: int,
) -> Steps[list[Evidence]]:
    found: list[Evidence] = []
    for part in batched(premises, step):
        predictions = predict([premise.text for premise in part])
        found += [
            Evidence(
                text=one.text,
                start=one.passages[0].start,
                end=one.passages[-1].end,
                prediction=prediction,
                similarity=one.similarity,
                passages=one.passages,
            )
            for one, prediction in zip(part, predictions, strict=True)
        ]
        yield
    return found


def _supporting(evidence: Sequence[Evidence]) -> list[Evidence]:
    return [one for one in evidence if one.prediction.answers(NLILabel.ENTAILMENT)]


def _nothing_decides(evidence: Sequence[Evidence], about: Sequence[Evidence]) -> float:
    """Probability that no evidence entails a claim, and none that is about it contradicts it."""
    found = [one.prediction.entailment for one in evidence]
    found += [one.prediction.probabilities[NLILabel.CONTRADICTION.value] for one in about]
    return 1.0 - max(found)


def _joined(
    source: str, single: Sequence[_Premise], *, together: int, fits: Callable[[str], bool]
) -> list[_Premise]:
    """Premises of two passages, of three and so on, each with those of the one before.

    A passage that finds no room beside those before it, or says the same as one of them, is left
    out.
    """
    members = list(single[:1])
    found: list[_Premise] = []
    for one in single[1:]:
        if len(members) == together:
            break
        passages = _in_order([*(p for each in members for p in each.passages), *one.passages])
        text = " ".join(passage.of(source) for passage in passages)
        if one.text not in [each.text for each in members] and fits(text):
            members.append(one)
            found.append(_Premise(text, passages, one.similarity))
    return found


def _in_order(passages: Sequence[Passage]) -> tuple[Passage, ...]:
    """Passages as they follow each other in a source; those that overlap become one."""
    found: list[Passage] = []
    for passage in sorted(passages, key=lambda one: (one.start, one.end)):
        if found and passage.start < found[-1].end:
            found[-1] = Passage(found[-1].start, max(found[-1].end, passage.end))
        else:
            found.append(passage)
    return tuple(found)
