"""What promises save: by the signal at hand, by others, at other levels."""

from collections.abc import Sequence

import numpy as np

from headwise.evaluation.statistics.results import Figure, FigureKind, Panel, SignalRow, Table
from headwise.evaluation.triage.promise import Promise
from headwise.evaluation.triage.segments import Segments
from headwise.metrics import Metric
from headwise.metrics.abstention_threshold import threshold_with_guarantee

# Shares of errors that may be missed, for the curve and, the larger steps, for the table
_PROMISES = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3)
_IN_TABLE = (0.01, 0.02, 0.05, 0.1, 0.2)
# More signals than this no figure shows
_MOST_SIGNALS = 8


def saving(segments: Segments, labelled: Segments, promise: Promise, *, signal: str) -> float:
    """The share of segments that would go out unread if a signal decided under a promise.

    The promise gives its level, confidence and severity, not its lines.
    """
    of_labelled = labelled.column(signal)
    known = ~np.isnan(of_labelled)
    if not known.any():
        return 0.0
    found = threshold_with_guarantee(
        -of_labelled[known],
        labelled.faulty(promise.severity)[known],
        risk=promise.missed,
        confidence=promise.confidence,
    )
    return 0.0 if found is None else float((segments.column(signal) > -found).mean())


def promise_table(segments: Segments, labelled: Segments, promise: Promise) -> Table:
    """How many segments would go out unread under other promises."""
    levels = sorted({*_IN_TABLE, promise.missed})
    rows = [
        SignalRow(
            signal=f"at most {100 * level:g}%",
            aggregation=None,
            metrics=(_saved(segments, labelled, _at(promise, level), promise.signal),),
        )
        for level in levels
    ]
    return plain_table(
        "promises",
        "What other promises would save",
        rows,
        rows_are="promise",
        note=f"Decided by {promise.signal}.",
    )


def signal_table(segments: Segments, labelled: Segments, promise: Promise) -> Table:
    """How many would under this promise, if other signals decided."""
    rows = [
        SignalRow(
            signal=signal,
            aggregation=None,
            metrics=(_saved(segments, labelled, promise, signal),),
        )
        for signal in _shared(segments, labelled)
    ]
    return plain_table(
        "signals",
        "What other signals would save",
        rows,
        note=f"At most {100 * promise.missed:g}% missed. A promise holds for a signal that is "
        "named before one looks: to decide by another one (--signal), label segments anew.",
    )


def saving_figure(segments: Segments, labelled: Segments, promise: Promise) -> Figure:
    """Both at once."""
    levels = np.array(sorted({*_PROMISES, promise.missed}))
    panels = [
        Panel(
            label=signal,
            x=levels,
            y=np.array(
                [
                    saving(segments, labelled, _at(promise, float(level)), signal=signal)
                    for level in levels
                ]
            ),
        )
        for signal in _shared(segments, labelled)[:_MOST_SIGNALS]
    ]
    return Figure(
        name="saving",
        kind=FigureKind.SAVING,
        title="What a promise costs",
        caption="Share of the segments that go out unread, by how many of these may have "
        f"{promise.errors}, with {promise.confidence:.0%} confidence.",
        x_label="promised: share with an error, at most",
        y_label="go out unread",
        panels=tuple(panels),
    )


def _shared(segments: Segments, labelled: Segments) -> list[str]:
    return [signal for signal in segments.signals if signal in labelled.signals]


def _at(promise: Promise, level: float) -> Promise:
    return promise.model_copy(update={"missed": level})


def _saved(segments: Segments, labelled: Segments, promise: Promise, signal: str) -> Metric:
    share = saving(segments, labelled, promise, signal=signal)
    return Metric(name="go out unread", value=share, count=len(segments.rows))


def plain_table(name: str, title: str, rows: Sequence[SignalRow], **told: str) -> Table:
    """A table of counts and shares, in which no row is best; ``told`` are fields of it."""
    columns = frozenset(metric.name for row in rows for metric in row.metrics)
    return Table(
        name=name,
        title=title,
        rows=tuple(rows),
        unranked=columns,
        has_verdict=False,
        note=told.get("note", ""),
        rows_are=told.get("rows_are", "signal"),
    )
