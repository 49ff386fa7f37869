"""What becomes of scored segments under a promise, and what it saves."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headwise.errors import DataError
from headwise.evaluation.quality.judged_texts import cells
from headwise.evaluation.statistics.counts import counted_share, number, plain_table, share
from headwise.evaluation.statistics.results import (
    Evaluation,
    Figure,
    SignalRow,
    Table,
)
from headwise.evaluation.triage.promise import Action, Promise
from headwise.evaluation.triage.savings import (
    promise_table,
    saving_figure,
    signal_table,
)
from headwise.evaluation.triage.segments import Segments
from headwise.metrics import Metric
from headwise.version import __version__

# Columns that say where a segment comes from, if nobody names others
USUAL_COLUMNS = ("file", "system", "target_language", "lang", "domain")
_MOST_NAMES = 30


@dataclass(frozen=True, slots=True)
class Triage:
    """Decisions about segments, in their order, and what is to be said about them.

    Attributes:
        decisions: One a segment.
        evaluation: Tables and figures, as an evaluation has them.
    """

    decisions: tuple[Action, ...]
    evaluation: Evaluation

    def count(self, decision: Action) -> int:
        """How many segments are decided so.

        Args:
            decision: What becomes of a segment.
        """
        return self.decisions.count(decision)


def triage(
    segments: Segments,
    promise: Promise,
    *,
    labelled: Segments | None = None,
    by: Sequence[str] | None = None,
    name: str = "the scores",
) -> Triage:
    """Decide what becomes of segments, and say what that saves.

    Args:
        segments: Scored as those were that the promise comes from.
        promise: What is promised.
        labelled: These, if they are at hand: what other promises and other signals would save.
        by: Columns whose values part the segments; by default those of :data:`USUAL_COLUMNS` that
            they have.
        name: What the segments are called in errors.

    Raises:
        DataError: If the segments lack the signal, or a column.
    """
    values = segments.column(promise.signal, name=name)
    decisions = promise.decide(values)
    tables = [_decision_table(decisions, promise, labelled)]
    figures: tuple[Figure, ...] = ()
    if labelled is not None:
        tables += [
            promise_table(segments, labelled, promise),
            signal_table(segments, labelled, promise),
        ]
        figures = (saving_figure(segments, labelled, promise),)
    tables += [_column_table(segments, decisions, column) for column in _columns(segments, by)]
    notes = []
    if promise.publish_above is not None and promise.redo_below is None:
        notes.append(
            f"No segment is to be done again: the labels do not suffice to promise that at most "
            f"{100 * promise.wasted:g}% of those have no error (--wasted)."
        )
    if labelled is not None and labelled.sources < len(labelled.rows):
        notes.append(
            f"The {len(labelled.rows):,} labelled segments have {labelled.sources:,} different "
            "sources. Translations of one source err together, so that the promise is weaker than "
            "it says; label segments with sources of their own."
        )
    missing = int(np.isnan(values).sum())
    if missing:
        notes.append(f"{missing:,} segments without a score are to be checked.")
    return Triage(
        tuple(decisions),
        Evaluation(
            protocol="triage",
            title=f"Triage of {len(decisions):,} segments",
            settings={
                "signal": promise.signal,
                "missed": promise.missed,
                "wasted": promise.wasted,
                "confidence": promise.confidence,
                "counts": promise.errors,
                "labelled": promise.labelled,
                "headwise": __version__,
            },
            tables=tuple(tables),
            figures=figures,
            notes=tuple(notes),
        ),
    )


def _decision_table(
    decisions: Sequence[Action], promise: Promise, labelled: Segments | None
) -> Table:
    counts = Counter(decisions)
    rows = []
    of_labelled = faulty = None
    if labelled is not None:
        of_labelled = np.array(promise.decide(labelled.column(promise.signal)))
        faulty = labelled.faulty(promise.severity)
    for decision in Action:
        metrics = _counted(counts[decision], len(decisions))
        if of_labelled is not None and faulty is not None:
            metrics += (
                counted_share(
                    "with errors",
                    faulty[of_labelled == decision],
                    level=promise.confidence,
                    empty="No labelled segment is decided so.",
                ),
            )
        rows.append(SignalRow(signal=decision.value, aggregation=None, metrics=metrics))
    return plain_table(
        "decisions",
        "What becomes of the segments",
        rows,
        rows_are="decision",
        note=_sentence(promise.said)
        if labelled is None
        else f"{_sentence(promise.said)} Errors are those of the labelled segments that would be "
        "decided so: the lines were drawn on them.",
    )


def _column_table(segments: Segments, decisions: Sequence[Action], column: str) -> Table:
    values = ["" if value is None else str(value) for value in cells(segments.rows, column)]
    totals = Counter(values)
    names = [name for name, _ in totals.most_common(_MOST_NAMES)]
    counts = Counter(zip(values, decisions, strict=True))
    rows = []
    for value in names:
        total = totals[value]
        shares = tuple(share(one.value, counts[value, one], total) for one in Action)
        metrics = (number("segments", total, total), *shares)
        rows.append(SignalRow(signal=value or "(none)", aggregation=None, metrics=metrics))
    left_out = len(totals) - len(names)
    return plain_table(
        f"by-{column}",
        f"By {column}",
        rows,
        rows_are=column,
        note=f"The {len(names)} most frequent of {len(totals):,}." if left_out else "",
    )


def _counted(count: int, total: int) -> tuple[Metric, ...]:
    return number("segments", count, total), share("share", count, total)


def _columns(segments: Segments, by: Sequence[str] | None) -> list[str]:
    if by is not None:
        return list(by)
    found = []
    for column in USUAL_COLUMNS:
        try:
            values = {str(value) for value in cells(segments.rows, column)}
        except DataError:
            continue
        if 1 < len(values) <= _MOST_NAMES:
            found.append(column)
    return found


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
