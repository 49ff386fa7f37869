"""What a cascade answers, and what each of its stages had to say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headwise.cascade.stages import Stage, StageAnswer
from headwise.data.records.scored import ScoredHypothesis
from headwise.data.writers import beside_reserved


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What one stage answered.

    Attributes:
        stage: Its name.
        text: Its answer; ``None`` if it could not read the question.
        quality: How good the answer is, the higher the better; ``None`` if that is not known.
        accepted: Whether it is good enough to be given.
        cost: What the answer cost: the price of the stage, or else seconds.
        seconds: How long it took.
        error: Why there is no answer.
        scored: The answer with the scores of its tokens; ``None`` if nobody scored it.
    """

    stage: str
    text: str | None
    quality: float | None
    accepted: bool
    cost: float
    seconds: float
    error: str | None = None
    scored: ScoredHypothesis | None = field(default=None, compare=False)

    @classmethod
    def of(cls, stage: Stage, answer: StageAnswer, *, accepted: bool, seconds: float) -> "Attempt":
        """What a stage answered.

        Args:
            stage: Who was asked.
            answer: What it said.
            accepted: Whether that is good enough to be given.
            seconds: How long it took.
        """
        return cls(
            stage=stage.name,
            text=answer.text,
            quality=answer.quality,
            accepted=accepted,
            cost=seconds if stage.cost is None else stage.cost,
            seconds=seconds,
            scored=answer.scored,
        )

    @classmethod
    def failed(cls, stage: Stage, error: Exception, *, seconds: float) -> "Attempt":
        """A stage that could not answer this question, which costs no less.

        Args:
            stage: Who was asked.
            error: Why it could not.
            seconds: How long that took.
        """
        return cls(
            stage=stage.name,
            text=None,
            quality=None,
            accepted=False,
            cost=seconds if stage.cost is None else stage.cost,
            seconds=seconds,
            error=str(error),
        )

    def row(self) -> dict[str, Any]:
        """All but the scores, for JSON."""
        return {
            "stage": self.stage,
            "answer": self.text,
            "quality": self.quality,
            "accepted": self.accepted,
            "cost": self.cost,
            "seconds": self.seconds,
            "error": self.error,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CascadeAnswer:
    """The first answer that is good enough, or none.

    Attributes:
        source: What was asked.
        attempts: What the stages that were asked answered, in their order.
        extra: Other columns of the question's row.
    """

    source: str
    attempts: tuple[Attempt, ...]
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def given(self) -> Attempt | None:
        """The attempt that is the answer; ``None`` where the cascade abstains."""
        return next((one for one in self.attempts if one.accepted), None)

    @property
    def abstained(self) -> bool:
        """Whether no answer was good enough."""
        return self.given is None

    @property
    def text(self) -> str | None:
        """The answer; ``None`` where the cascade abstains."""
        return None if self.given is None else self.given.text

    @property
    def stage(self) -> str | None:
        """Who gave it."""
        return None if self.given is None else self.given.stage

    @property
    def quality(self) -> float | None:
        """How good it is; where the cascade abstains, how good the best attempt is."""
        if self.given is not None:
            return self.given.quality
        return max((a.quality for a in self.attempts if a.quality is not None), default=None)

    @property
    def scored(self) -> ScoredHypothesis | None:
        """The answer with the scores of its tokens, if it was scored."""
        return None if self.given is None else self.given.scored

    @property
    def cost(self) -> float:
        """What the stages cost that had to be asked for it, in the unit of their prices."""
        return sum(one.cost for one in self._needed)

    @property
    def seconds(self) -> float:
        """How long these took, one after the other."""
        return sum(one.seconds for one in self._needed)

    def as_dict(self) -> dict[str, Any]:
        """A row for JSON, behind the other columns of the question."""
        row = {
            "source": self.source,
            "answer": self.text,
            "stage": self.stage,
            "abstained": self.abstained,
            "quality": self.quality,
            "cost": self.cost,
            "seconds": self.seconds,
            "attempts": [one.row() for one in self.attempts],
        }
        return {**beside_reserved(self.extra, frozenset(row)), **row}

    @property
    def _needed(self) -> tuple[Attempt, ...]:
        """The attempts up to the one that is given; later ones were for comparison."""
        for count, one in enumerate(self.attempts, start=1):
            if one.accepted:
                return self.attempts[:count]
        return self.attempts
