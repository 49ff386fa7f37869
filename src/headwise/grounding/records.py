"""What is known of an answer: its unsupported spans, and what found them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from headwise.data.quantities import Quantity
from headwise.data.records.scored import ScoredHypothesis
from headwise.entailment import Validation


class FoundBy(StrEnum):
    """What finds that something is not supported.

    Attributes:
        HEAD: An error head that read context and answer with its language model.
        ENTAILMENT: No passage of the context entails the sentence.
        QUANTITY: A number, a date or a time stands nowhere in the context.
    """

    HEAD = "head"
    ENTAILMENT = "entailment"
    QUANTITY = "quantity"


@dataclass(frozen=True, slots=True)
class UnsupportedSpan:
    """Neighbouring characters of an answer that its context does not support.

    Attributes:
        start: First character in the answer, in Unicode code points.
        end: One past the last; ``answer[start:end]`` is ``text``.
        probability: The largest that it is unsupported among its words, by the models, in [0, 1];
            ``None`` if a plain rule alone found it.
        found_by: What found some of it.
    """

    start: int
    end: int
    text: str
    probability: float | None
    found_by: tuple[FoundBy, ...]

    def row(self) -> dict[str, Any]:
        """The span for JSON."""
        found = [str(one) for one in self.found_by]
        return {
            "text": self.text,
            "start": self.start,
            "end": self.end,
            "probability": self.probability,
            "found_by": found,
        }


@dataclass(frozen=True, slots=True)
class CheckedSentence:
    """A sentence of an answer as a claim about its context.

    Attributes:
        start: First character in the answer.
        end: One past the last.
        text: The sentence.
        validation: What the passages of the context say about it.
    """

    start: int
    end: int
    text: str
    validation: Validation

    @property
    def probability(self) -> float:
        """Probability that it is unsupported: that not even its best passage entails it."""
        entailed = (
            evidence.prediction.probabilities["entailment"] for evidence in self.validation.evidence
        )
        return 1.0 - max(entailed)

    def row(self) -> dict[str, Any]:
        """The sentence for JSON, with the passage that decided."""
        best = self.validation.evidence[0]
        return {
            "text": self.text,
            "start": self.start,
            "end": self.end,
            "probability": self.probability,
            "verdict": self.validation.verdict.value,
            "passage": {"text": best.text, "start": best.start, "end": best.end},
        }


@dataclass(frozen=True, slots=True)
class UnsupportedQuantity:
    """A number, a date or a time of an answer that stands nowhere in its context.

    Attributes:
        start: First character in the answer.
        end: One past the last.
        text: How it is written.
        kind: ``number``, ``date`` or ``time``.
    """

    start: int
    end: int
    text: str
    kind: str

    @classmethod
    def of(cls, quantity: Quantity, answer: str) -> "UnsupportedQuantity":
        """That of an answer.

        Args:
            quantity: A number, date or time that was found in it.
            answer: The whole answer.
        """
        a, b = quantity.start, quantity.end
        return cls(a, b, answer[a:b], quantity.kind.value)

    def row(self) -> dict[str, Any]:
        """The quantity for JSON."""
        return {"text": self.text, "start": self.start, "end": self.end, "kind": self.kind}


@dataclass(frozen=True, slots=True)
class GroundedAnswer:
    """An answer and what its context does not support of it.

    Attributes:
        context: What it may say.
        answer: What it says; of one that is still written, what is there of it.
        spans: What is not supported, in order; no two overlap, nor do sentences share one.
        quantities: Its numbers, dates and times that stand nowhere in the context, in order.
        sentences: Its sentences as claims, without those that have no word; ``None`` if no
            entailment model was asked.
        scored: Its tokens with the signal ``error``; ``None`` if no error head was asked, or while
            it is written.
        checked_to: How many of its characters were looked at: all but those that are still to be
            written on.
        threshold: Words are unsupported from this probability on.
        extra: Other columns of the row that it came from.
    """

    context: str
    answer: str
    spans: tuple[UnsupportedSpan, ...]
    quantities: tuple[UnsupportedQuantity, ...]
    sentences: tuple[CheckedSentence, ...] | None
    scored: ScoredHypothesis | None
    checked_to: int
    threshold: float
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def supported(self) -> bool:
        """Whether nothing in it was found to be unsupported."""
        return not self.spans

    def to_html(self) -> str:
        """The answer as HTML with what is not supported marked; Jupyter shows it."""
        from headwise import grounded_html  # by the front door: pages are made further down

        return grounded_html(self)

    _repr_html_ = to_html

    def row(self) -> dict[str, Any]:
        """The texts and what was found, for JSON."""
        row: dict[str, Any] = {
            "context": self.context,
            "answer": self.answer,
            "supported": self.supported,
            "spans": [span.row() for span in self.spans],
            "quantities": [quantity.row() for quantity in self.quantities],
        }
        if self.sentences is not None:
            row["sentences"] = [sentence.row() for sentence in self.sentences]
        return row
