"""A promise about segments that go out unread, made from segments whose errors are known."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from headwise.errors import DataError
from headwise.evaluation.triage.segments import Segments
from headwise.metrics.inputs import Floats
from headwise.metrics.thresholds.abstention import items_needed, threshold_with_guarantee
from headwise.plain_values import Share, load_record, save_record

# The surest labelled segments, of which a refusal says how many are wrong: a share, and a number
_SUREST, _FEWEST = 0.1, 20


class Action(StrEnum):
    """What becomes of a segment.

    Attributes:
        PUBLISH: It may go out unread.
        CHECK: A person reads it.
        REDO: It is most likely wrong, and translated anew.
    """

    PUBLISH = "publish"
    CHECK = "check"
    REDO = "redo"


class Promise(BaseModel):
    """What is promised of segments, and where the lines are that keep it.

    Attributes:
        signal: What decides, by its name in :class:`~headwise.evaluation.triage.segments.Segments`.
        missed: Share of segments with an error among those that are published, at most.
        wasted: Share of segments without an error among those that are done again, at most.
        confidence: Probability of each of the two promises, over the draw of labelled segments.
        severity: From which severity on an error counts; ``None`` for any.
        publish_above: Segments whose signal lies above it are published; ``None`` if nothing can
            be promised, and nothing is published.
        redo_below: Segments whose signal lies below it are done again; ``None`` if none are.
        labelled: How many labelled segments the promise comes from.
        faulty: How many of them have an error.
        needed: About how many it would take where nothing can be promised; ``None`` if that cannot
            be told, or no number would do.
        hopeless: Whether no number would do: the surest segments err too often, and that is no
            accident.
        surest: How many labelled segments are the tenth that the signal is surest of, 20 or more.
        surest_faulty: How many of these have an error.
        scored_by: What scored them, see :func:`headwise.quality.job.scored_by`; ``None`` if that is
            not known.
        version: Of the file's format.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    signal: str
    missed: Share
    wasted: Share
    confidence: Share
    severity: str | None = None
    publish_above: float | None
    redo_below: float | None
    labelled: int = Field(ge=1)
    faulty: int = Field(ge=0)
    needed: int | None = None
    hopeless: bool = False
    surest: int = Field(ge=1)
    surest_faulty: int = Field(ge=0)
    scored_by: str | None = None

    @property
    def errors(self) -> str:
        """What counts as an error, in words."""
        if self.severity in (None, "minor"):
            return "an error"
        return f"a {self.severity} error" + ("" if self.severity == "critical" else " or worse")

    @property
    def said(self) -> str:
        """The promise in a sentence, or why there is none and what it would take."""
        bound = (
            f"at most {100 * self.missed:g}% of the segments that go out unread have {self.errors}"
        )
        if self.publish_above is not None:
            return (
                f"With {100 * self.confidence:g}% confidence, {bound}, if they are like the "
                f"{self.labelled:,} labelled ones."
            )
        why = (
            f"{self.labelled:,} labelled segments, {self.faulty:,} with {self.errors}, do not "
            f"suffice to promise that {bound}"
        )
        seen = (
            f"of the {self.surest:,} that `{self.signal}` is surest of, {self.surest_faulty:,} "
            f"have {self.errors}"
        )
        if self.needed is None and not self.hopeless:
            return f"{why}, nor to say how many would: {seen}. Label several times as many."
        if self.needed is None:
            severe = ", count only severe errors (--severity)" if self.severity is None else ""
            return (
                f"{why}, and no number of them would: {seen}. Allow more (--missed)"
                f"{severe}, or decide by another signal (--signal)."
            )
        return (
            f"{why}: label about {self.needed:,} segments, drawn at random, or allow more "
            "(--missed)."
        )

    def decide(self, values: Floats) -> list[Action]:
        """What becomes of segments of which the signal thinks so, ``(N,)``.

        A segment without a value is checked.

        Args:
            values: Of the promise's signal, higher is better, NaN where there is none.
        """
        above = np.inf if self.publish_above is None else self.publish_above
        below = -np.inf if self.redo_below is None else self.redo_below
        return [
            Action.PUBLISH if value > above else Action.REDO if value < below else Action.CHECK
            for value in values
        ]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the promise as JSON, for segments to come.

        Args:
            path: The file to write.

        Raises:
            OutputError: If it cannot be written.
        """
        save_record(self, Path(path))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Promise":
        """Read a promise.

        Args:
            path: A file that :meth:`save` wrote.

        Raises:
            DataError: If there is none, or it is damaged.
        """
        return load_record(cls, Path(path), what="promise of `headwise triage --save`")


def make_promise(
    labelled: Segments,
    *,
    missed: float = 0.05,
    wasted: float = 0.2,
    confidence: float = 0.95,
    signal: str | None = None,
    severity: str | None = None,
    scored_by: str | None = None,
) -> Promise:
    """Find out what can be promised of segments like these, which took no part in training.

    The promises hold for segments that are drawn as these were, if the share of errors does not
    fall as more is published; segments that err together, such as several translations of one
    source, count for less than as many independent ones. They hold for one signal, named before its
    errors are looked at.

    Args:
        labelled: Segments whose errors are known.
        missed: Share of segments with an error among those that go out unread, at most, in (0, 1).
        wasted: Share of segments without an error among those to be done again, in (0, 1).
        confidence: Probability that each of these holds, in (0, 1).
        signal: What decides; by default what the labelled segments are scored by: the probability
            of the text, or else the mean of their first signal.
        severity: From which severity on an error counts; by default any does.
        scored_by: What scored the labelled segments.

    Raises:
        DataError: If a segment is not labelled, or no signal has this name.
        ValueError: If a share is out of range.

    References:
        Angelopoulos et al. 2021, arXiv 2110.01052 (fixed sequence testing), see
        :func:`~headwise.metrics.thresholds.abstention.threshold_with_guarantee`.
    """
    name = signal or next(iter(labelled.signals))
    column = labelled.column(name, name="the labelled segments")
    faulty = labelled.faulty(severity)
    known = ~np.isnan(column)
    values, wrong = column[known], faulty[known]
    if not len(values):
        raise DataError(f"No labelled segment has a `{name}`.")
    publish = threshold_with_guarantee(-values, wrong, risk=missed, confidence=confidence)
    redo = threshold_with_guarantee(values, ~wrong, risk=wasted, confidence=confidence)
    if publish is not None and redo is not None and redo > -publish:
        # Where both lines could be kept in one place, what may go out does
        redo = -publish
    surest = min(max(round(_SUREST * len(values)), _FEWEST), len(values))
    surest_faulty = int(wrong[np.argsort(-values, kind="stable")[:surest]].sum())
    needed, hopeless = None, False
    if publish is None:
        from scipy.stats import binom

        hopeless = bool(binom.sf(surest_faulty - 1, surest, missed) <= 1.0 - confidence)
    if publish is None and not hopeless:
        needed = items_needed(-values, wrong, risk=missed, confidence=confidence)
    return Promise(
        signal=name,
        missed=missed,
        wasted=wasted,
        confidence=confidence,
        severity=severity,
        publish_above=None if publish is None else -publish,
        redo_below=redo,
        labelled=len(values),
        faulty=int(wrong.sum()),
        needed=needed,
        surest=surest,
        surest_faulty=surest_faulty,
        hopeless=hopeless,
        scored_by=scored_by,
    )
