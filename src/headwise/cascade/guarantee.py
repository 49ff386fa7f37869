"""What is guaranteed of a cascade's answers, made from questions whose answers people judged."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from headwise.cascade.trials import Trials
from headwise.data.records.signals import Signal
from headwise.errors import DataError, MismatchError
from headwise.metrics.thresholds.abstention import items_needed
from headwise.metrics.thresholds.cascade import cascade_threshold_with_guarantee
from headwise.plain_values import Share, load_record, save_record


class CascadeGuarantee(BaseModel):
    """A bound on the share of wrong answers, and the threshold that keeps it.

    Attributes:
        version: Of the form in which it is saved.
        stages: Names of the stages that it was made for, in their order.
        signal: Whose mean is the quality of an answer; ``None`` for the probability of the text.
        risk: Share of wrong answers among those that are given, at most.
        confidence: Probability that the bound holds, over the draw of the judged questions.
        accept_from: From which quality on an answer is given, by any stage; ``None`` if nothing can
            be guaranteed, and no answer is given.
        labelled: How many judged questions it was made of.
        answered: How many of these get an answer.
        wrong: How many of these answers are wrong.
        needed: About how many judged questions it would take where nothing can be guaranteed;
            ``None`` if no number would do.
        version: Of the file's format.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    stages: tuple[str, ...] = Field(min_length=1)
    signal: str | None = None
    risk: Share
    confidence: Share
    accept_from: float | None
    labelled: int = Field(ge=1)
    answered: int = Field(ge=0)
    wrong: int = Field(ge=0)
    needed: int | None = None

    @property
    def said(self) -> str:
        """The guarantee in a sentence, or why there is none and what it would take."""
        bound = f"at most {100 * self.risk:g}% of the answers are wrong"
        if self.accept_from is not None:
            return (
                f"With {100 * self.confidence:g}% confidence, {bound}, if questions are like the "
                f"{self.labelled:,} judged ones; of these {self.answered:,} are answered, "
                f"{self.wrong:,} wrongly."
            )
        why = f"{self.labelled:,} judged questions do not suffice to guarantee that {bound}"
        if self.needed is None:
            return (
                f"{why}, and no number of them would: the answers of the highest quality are wrong "
                "too often. Allow more wrong answers, or take better models."
            )
        return f"{why}: judge about {self.needed:,}, drawn at random, or allow more wrong answers."

    def check(self, stages: Sequence[str], *, signal: Signal | None) -> None:
        """Refuse stages that it was not made for.

        Args:
            stages: Names of the stages, in their order.
            signal: Whose mean is the quality of their answers; ``None`` for the default.

        Raises:
            MismatchError: If their names, their order or the signal differ.
        """
        if tuple(stages) != self.stages:
            raise MismatchError(
                f"The guarantee was made for the stages {', '.join(self.stages)}, got "
                f"{', '.join(stages)}."
            )
        name = None if signal is None else signal.value
        if name != self.signal:
            raise MismatchError(
                f"The guarantee was made for quality by {self.signal or 'the default'}, got "
                f"{name or 'the default'}."
            )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it as JSON, for cascades to come.

        Args:
            path: The file to write.

        Raises:
            OutputError: If it cannot be written.
        """
        save_record(self, Path(path))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "CascadeGuarantee":
        """Read a guarantee.

        Args:
            path: The file that :meth:`save` wrote.

        Raises:
            DataError: If there is none, or it is damaged.
        """
        return load_record(cls, Path(path), what="guarantee of `headwise cascade --save`")


def make_guarantee(
    trials: Trials,
    *,
    risk: float = 0.1,
    confidence: float = 0.95,
    signal: Signal | str | None = None,
) -> CascadeGuarantee:
    """Find the threshold of quality that answers most while few answers are wrong.

    It holds for questions that are drawn as these were, and that took no part in training. See
    :func:`~headwise.metrics.thresholds.cascade.cascade_threshold_with_guarantee`.

    Args:
        trials: Questions that all stages answered, with what is right.
        risk: Share of wrong answers among those that are given, at most, in (0, 1).
        confidence: Probability that this holds, in (0, 1).
        signal: Whose mean was the quality of these answers, if not the default's.

    Raises:
        DataError: If not all stages were asked about all questions, or an answer is not judged.
        ValueError: If a share is out of range.
    """
    check_labelled(trials)
    wrong = trials.right == 0.0
    threshold = cascade_threshold_with_guarantee(
        trials.quality, wrong, risk=risk, confidence=confidence
    )
    needed = None
    answered = mistakes = 0
    if threshold is None:
        best = np.where(np.isnan(trials.quality), -np.inf, trials.quality)
        stage = best.argmax(axis=1)
        rows = np.arange(len(trials))
        # Those that no stage could answer are asked last
        uncertainty = np.clip(-best[rows, stage], -1e300, 1e300)
        needed = items_needed(uncertainty, wrong[rows, stage], risk=risk, confidence=confidence)
    else:
        errors = trials.wrong_of(trials.at(threshold))
        answered, mistakes = len(errors), int(errors.sum())
    return CascadeGuarantee(
        stages=trials.stages,
        signal=None if signal is None else Signal(signal).value,
        risk=risk,
        confidence=confidence,
        accept_from=threshold,
        labelled=len(trials),
        answered=answered,
        wrong=mistakes,
        needed=needed,
    )


def check_labelled(trials: Trials) -> None:
    """Refuse trials that do not say what all stages are worth.

    Raises:
        DataError: If not all stages were asked, or an answer is not judged.
    """
    if not trials.asked_all:
        raise DataError(
            "Not all stages were asked about all questions; let `headwise cascade --ask-all` "
            "answer them."
        )
    if not trials.labelled:
        missing = int(np.isnan(trials.right).any(axis=1).sum())
        raise DataError(
            f"{missing:,} of {len(trials):,} questions have an attempt of which nobody says "
            "whether it is right: write `correct`, true or false, into each of `attempts`, or "
            "name the column of right answers (--reference)."
        )
