"""`GroundingDetector`: what finds the spans of answers that their contexts do not support."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from headwise.data.jobs import timed_windows
from headwise.data.quantities import unsupported_quantities
from headwise.data.readers.nested_rows import as_pair
from headwise.data.records.pairs import Pair, Pairlike
from headwise.data.records.scored import ScoredHypothesis
from headwise.data.records.signals import Signal
from headwise.entailment import EntailmentModel
from headwise.entailment.passages import sentences
from headwise.errors import ContextLengthError, InputError
from headwise.grounding.answer_stream import AnswerStream
from headwise.grounding.readable import answer_reader, checked_text, grounds
from headwise.grounding.records import CheckedSentence, GroundedAnswer, UnsupportedQuantity
from headwise.grounding.spans import DoubtedToken, unsupported_spans
from headwise.quality import QualityEstimator
from headwise.quality.scorer import Scorer

# Answers that are worked on together
_WINDOW = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundingDetector:
    """Finds the spans of answers that their contexts do not support.

    An error head reads every token of an answer behind its context; an entailment model reads every
    sentence as a claim about it; where there are both, the mean of what they say decides. Whatever
    they say, a number, a date or a time that stands nowhere in the context is not supported. Either
    model may be left out, and both.

    Attributes:
        estimator: A language model and an error head that was trained on answers behind their
            contexts, with its prompt.
        entailment: Says whether passages of the context entail sentences of the answer.
        threshold: Words are unsupported from this probability on, in (0, 1].
        language: Code of the language of context and answer, for their sentences.
        window: Neighbouring sentences of the context that are one passage.
        top_k: How many passages are asked about each sentence.
        quantities: Whether numbers, dates and times are looked for.

    Raises:
        ValueError: If a number is out of its range, the estimator has no error head, the entailment
            model none, or nothing is left to look with.
    """

    estimator: QualityEstimator | None = None
    entailment: EntailmentModel | None = None
    threshold: float = 0.5
    language: str = "en"
    window: int = 2
    top_k: int = 5
    quantities: bool = True

    def __post_init__(self) -> None:
        if not 0.0 < self.threshold <= 1.0:
            raise ValueError(f"`threshold` must lie in (0, 1], got {self.threshold}.")
        for name, value in (("window", self.window), ("top_k", self.top_k)):
            if value < 1:
                raise ValueError(f"`{name}` must be at least 1, got {value}.")
        if self.estimator is not None and self.estimator.error_head is None:
            raise ValueError(
                "The estimator has no error head; train one on answers behind their contexts "
                "(`headwise train errors --labels`), or give `entailment`."
            )
        if self.entailment is not None:
            self.entailment.predict_window(())  # refuses a model without heads
        if self.estimator is None and self.entailment is None and not self.quantities:
            raise ValueError("Give `estimator` or `entailment`, or look for `quantities`.")

    @classmethod
    def of(cls, estimator: QualityEstimator, **options: Any) -> Self:
        """A detector with an ``estimator``, if an error head of it can read answers.

        That is its own, if its prompt is none of translations, or else its ``grounding_head``;
        ``options`` are the other attributes.

        Raises:
            ValueError: If there is none, and no entailment model is among the options.
        """
        if (reader := answer_reader(estimator)) is not None:
            return cls(estimator=reader, **options)
        if options.get("entailment") is None:
            raise ValueError(
                "This model has no error head that reads answers behind their contexts: its own, "
                "if there is one, reads translations. Load one that was trained for it (`head`), "
                'or give `entailment=EntailmentModel.from_pretrained("minilm-snli")`.'
            )
        return cls(**options)

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path | None = None,
        head: str | Path | None = None,
        *,
        entailment: str | Path | None = "minilm-snli",
        heads: str | Path | None = None,
        loading: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Self:
        """Load a detector.

        Args:
            name: A language model, as in :meth:`QualityEstimator.from_pretrained`; ``None`` for
                none.
            head: Folder of an error head that was trained on answers behind their contexts; by
                default the bundled one of the model.
            entailment: An entailment model, as in :meth:`EntailmentModel.from_pretrained`;
                ``None`` for none.
            heads: Its heads.
            loading: ``dtype``, ``device``, ``trust_remote_code`` of both.
            options: Other attributes.

        Raises:
            UnknownModelError: If a name leads nowhere.
            ValueError: As in the constructor, and if the error head reads translations.
        """
        given = loading or {}
        if entailment is not None:
            options["entailment"] = EntailmentModel.from_pretrained(entailment, heads, **given)
        if name is None:
            return cls(**options)
        estimator = QualityEstimator.from_pretrained(name, head, **given)
        if head is not None and not grounds(estimator):
            raise ValueError(f"The error head of {head} reads translations, or there is none.")
        if (reader := answer_reader(estimator)) is None:
            raise ValueError(
                f"{name} has no error head that reads answers behind their contexts; give the "
                "folder of one as `head`, or leave the model out."
            )
        return cls(estimator=reader, **options)

    def content(self) -> dict[str, Any]:
        """What is found follows from this: plain values, texts as they are, weights as digests."""
        own: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("threshold", "language", "window", "top_k", "quantities")
        }
        if (scorer := self.scorer) is not None:
            own |= {f"language model: {name}": value for name, value in scorer.content().items()}
        if self.entailment is not None:
            own |= {f"entailment: {n}": value for n, value in self.entailment.content().items()}
        return own

    @property
    def scorer(self) -> Scorer | None:
        """What scores tokens with the error head, if there is one."""
        return None if self.estimator is None else self.estimator.scorer([Signal.ERROR])

    def ground(self, context: str, answer: str) -> GroundedAnswer:
        """Find what a ``context`` does not support of an ``answer``.

        Raises:
            TextError: If a text is empty, badly encoded, or holds control tokens.
            ContextLengthError: If both together are longer than the language model's context, or a
                sentence of the answer is longer than the entailment model's.
        """
        (found,) = self.ground_many([(context, answer)])
        assert isinstance(found, GroundedAnswer)  # an error was raised
        return found

    def ground_many(
        self, pairs: Iterable[Pairlike], *, errors: Literal["raise", "yield"] = "raise"
    ) -> Iterator[GroundedAnswer | InputError]:
        """Do so for many, in batches of similar length and in bounded memory.

        Args:
            pairs: Contexts and answers, as sources and hypotheses of `as_pair`.
            errors: Whether a pair that cannot be read raises its error, or yields it.

        Yields:
            One result a pair, in input order.
        """
        if errors not in ("raise", "yield"):
            raise ValueError(f"`errors` must be 'raise' or 'yield', got {errors!r}.")
        found = map(_pair_or_error, pairs)
        for window in timed_windows(
            found, most=_WINDOW, size=lambda p: len(p.content) if isinstance(p, Pair) else 0
        ):
            good = iter(self.ground_window([one for one in window if isinstance(one, Pair)]))
            for one in window:
                result = next(good) if isinstance(one, Pair) else one
                if isinstance(result, InputError) and errors == "raise":
                    raise result
                yield result

    def ground_window(self, pairs: Sequence[Pair]) -> list[GroundedAnswer | InputError]:
        """Look at ``pairs`` together; an error stands in the place of one that cannot be read."""
        scored: Sequence[ScoredHypothesis | InputError | None] = [None] * len(pairs)
        if (scorer := self.scorer) is not None:
            scored = scorer.score_window(pairs)
        return [self._grounded(pair, one) for pair, one in zip(pairs, scored, strict=True)]

    def stream(self, context: str) -> AnswerStream:
        """Look at an answer to ``context`` while it is written: push pieces, get the spans so far.

        Raises:
            TextError, ContextLengthError: If the context cannot be read.
        """
        return AnswerStream(self, checked_text(context, what="context"))

    def checked(
        self,
        context: str,
        answer: str,
        known: Mapping[str, CheckedSentence] | None = None,
        *,
        goes_on: bool = False,
    ) -> tuple[CheckedSentence, ...] | None:
        """The sentences of ``answer`` as claims about ``context``; ``known`` ones are not asked.

        ``None`` without an entailment model. Sentences without a letter or a digit are left out,
        and the last one if the answer ``goes_on``.
        """
        if self.entailment is None:
            return None
        found = []
        places = sentences(answer, language=self.language)
        for place in places[:-1] if goes_on else places:
            text = place.of(answer)
            if not any(map(str.isalnum, text)):
                continue
            if known is not None and text in known:
                validation = known[text].validation
            else:
                validation = self.entailment.validate(
                    context, text, language=self.language, window=self.window, top_k=self.top_k
                )
            found.append(CheckedSentence(place.start, place.end, text, validation))
        return tuple(found)

    def found(
        self,
        pair: Pair,
        *,
        tokens: Sequence[DoubtedToken] | None,
        checked: tuple[CheckedSentence, ...] | None,
        scored: ScoredHypothesis | None = None,
        checked_to: int | None = None,
    ) -> GroundedAnswer:
        """The record of ``tokens``, ``checked`` and ``scored``, what models said of a ``pair``.

        The answer is complete up to ``checked_to``. Quantities that stand nowhere are added.
        """
        context, answer = pair.source or "", pair.hypothesis
        read = answer if checked_to is None else answer[:checked_to]
        missing = unsupported_quantities(context, read) if self.quantities else []
        quantities = tuple(UnsupportedQuantity.of(one, answer) for one in missing)
        return GroundedAnswer(
            context=context,
            answer=answer,
            spans=unsupported_spans(
                answer,
                tokens=tokens,
                sentences=checked,
                quantities=quantities,
                threshold=self.threshold,
            ),
            quantities=quantities,
            sentences=checked,
            scored=scored,
            checked_to=len(read),
            threshold=self.threshold,
            extra=pair.extra,
        )

    def _grounded(
        self, pair: Pair, scored: ScoredHypothesis | InputError | None
    ) -> GroundedAnswer | InputError:
        if isinstance(scored, InputError):
            return scored
        try:
            context = checked_text(pair.source, what="context")
            answer = checked_text(pair.hypothesis, what="answer")
            checked = self.checked(context, answer)
        except ContextLengthError as error:
            return ContextLengthError(f"A sentence of the answer cannot be checked: {error}")
        except InputError as error:
            return error
        tokens = None
        if scored is not None:
            tokens = [
                DoubtedToken(token.start, token.end, token.error)
                for token in scored.tokens
                if token.error is not None
            ]
        return self.found(pair, tokens=tokens, checked=checked, scored=scored)


def _pair_or_error(value: Pairlike) -> Pair | InputError:
    try:
        return as_pair(value)
    except InputError as error:
        return error
