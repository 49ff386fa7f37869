"""Who answers in a cascade: models that score what they write, and writers whom a model judges."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from headwise.data.records.pairs import Pair
from headwise.data.records.scored import ScoredHypothesis
from headwise.data.records.signals import Signal
from headwise.errors import InputError, TextError
from headwise.quality import QualityEstimator
from headwise.quality.calibration.usual_words import UsualWords


class DeclinedError(InputError):
    """A stage can read a question, and knows that it had better not answer it."""


@dataclass(frozen=True, slots=True)
class StageAnswer:
    """What a stage answered.

    Attributes:
        text: The answer.
        quality: How good it is, the higher the better; ``None`` if that is not known.
        scored: It with the scores of its tokens, if somebody scored it.
    """

    text: str
    quality: float | None
    scored: ScoredHypothesis | None = None


class Stage(Protocol):
    """One that answers.

    Attributes:
        name: By which answers and guarantees speak of it.
        cost: Price of an answer, in a unit that all stages share; ``None``: the seconds it takes.
    """

    name: str
    cost: float | None

    @property
    def rates(self) -> bool:
        """Whether its answers have a quality; one without is always given."""

    def answer(self, asked: Pair) -> StageAnswer:
        """Answer a question.

        Args:
            asked: The question, with the columns beside it.

        Args:
            asked: The question, with the columns of its row.

        Raises:
            InputError: If it cannot read this question; the next stage is then asked.
        """

    def content(self) -> Mapping[str, Any]:
        """What its answers follow from, as plain values."""


def answer_quality(scored: ScoredHypothesis, signal: Signal | None = None) -> float | None:
    """How good a text is by its scores, the higher the better.

    Args:
        scored: The text.
        signal: Whose mean over tokens says it, turned round where low is good; by default the
            calibrated probability of the text, in [0, 1], or else the mean of its main signal.
    """
    if signal is None and scored.quality is not None:
        return scored.quality
    signal = signal or scored.signals[0]
    value = scored.aggregate(signal=signal)
    return None if value is None else signal.oriented(value)


@dataclass(slots=True, kw_only=True)
class EstimatorStage:
    """A language model that scores what it writes.

    Attributes:
        estimator: The model and its heads.
        name: By which answers speak of it.
        cost: Price of an answer; ``None``: the seconds it takes.
        signal: What says how good an answer is, see :func:`answer_quality`.
        options: Of :meth:`~headwise.quality.QualityEstimator.generate`, ``num_beams`` for one.
    """

    estimator: QualityEstimator
    name: str
    cost: float | None = None
    signal: Signal | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rates(self) -> bool:
        """It does."""
        return True

    def answer(self, asked: Pair) -> StageAnswer:
        """Generate an answer and score it from the same pass.

        Args:
            asked: The question, with the columns beside it.

        Raises:
            DeclinedError: If question or answer lack the usual words of those that the heads
                were calibrated on: scores mean nothing there.
            InputError: If the model cannot read it.
        """
        self.check(asked)
        return self.rated(
            self.estimator.generate(
                asked.source, signals=self.signals, row=asked.extra, **self.options
            )
        )

    def judge(self, asked: Pair, text: str) -> StageAnswer:
        """Score what somebody else answered.

        Args:
            asked: The question, with the columns beside it.
            text: The answer.

        Raises:
            DeclinedError: As :meth:`answer`.
            InputError: If the model cannot read the question or the answer.
        """
        self.check(asked)
        return self.rated(
            self.estimator.score(asked.source, text, signals=self.signals, row=asked.extra)
        )

    def content(self) -> dict[str, Any]:
        """Model, heads, prompt and calibration by their content, and the options."""
        return {**self.estimator.scorer(self.signals).content(), "options": dict(self.options)}

    @property
    def signals(self) -> list[str] | None:
        """What is to be computed; ``None`` for the estimator's default."""
        return None if self.signal is None else [self.signal.value]

    def check(self, asked: Pair) -> None:
        """Refuse a question in a language of which the heads know nothing.

        Args:
            asked: The question.

        Raises:
            DeclinedError: If it seems to be in one.
        """
        self._decline(asked.source, what="question", side="usual_sources")

    def rated(self, scored: ScoredHypothesis) -> StageAnswer:
        """A text that was scored with :attr:`signals` as an answer.

        Args:
            scored: The text with its scores.

        Raises:
            DeclinedError: If it seems to be in a language of which the heads know nothing.
            TextError: If nothing can be said about it: it is empty.
        """
        self._decline(scored.hypothesis, what="answer", side="usual_hypotheses")
        quality = answer_quality(scored, self.signal)
        if quality is None:
            raise TextError(f"`{self.name}` answered {scored.hypothesis!r}, which has no tokens.")
        return StageAnswer(scored.hypothesis, quality, scored)

    def _decline(self, text: str | None, *, what: str, side: str) -> None:
        """Refuse a text that seems to be in a language of which the heads know nothing."""
        usual: UsualWords | None = getattr(self.estimator.calibration, side, None)
        if usual is not None and text is not None and usual.is_unlike(text):
            raise DeclinedError(
                f"`{self.name}` declines: the {what} seems to be in another language than its "
                "heads know."
            )


@dataclass(slots=True, kw_only=True)
class WriterStage:
    """Whatever turns a question into a text; a model of ours judges the text, if there is one.

    Attributes:
        write: Answers a question: a function, or a :class:`~headwise.cascade.ChatModel`.
        name: By which answers speak of it.
        judge: Who says how good its answers are; ``None``: nobody, and they are always given.
        cost: Price of an answer; ``None``: the seconds it takes.
    """

    write: Callable[[Pair], str]
    name: str
    judge: EstimatorStage | None = None
    cost: float | None = None

    @property
    def rates(self) -> bool:
        """Whether somebody judges its answers."""
        return self.judge is not None

    def answer(self, asked: Pair) -> StageAnswer:
        """Ask, and let the answer be judged.

        Args:
            asked: The question, with the columns beside it.
        """
        text = self.write(asked)
        return StageAnswer(text, None) if self.judge is None else self.judge.judge(asked, text)

    def content(self) -> dict[str, Any]:
        """The judge by its content; of the writer no more is known than it says itself."""
        said: dict[str, Any] = getattr(self.write, "content", dict)()
        judge = None if self.judge is None else self.judge.content()
        return {**said, "judge": judge}
