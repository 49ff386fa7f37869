"""What promises save: by the signal at hand, by others, at other levels."""

from collections.abc import Sequence

import numpy as np

from headwise.evaluation.statistics.counts import plain_table
from headwise.evaluation.statistics.results import Figure, FigureKind, Panel, SignalRow, Table
from headwise.evaluation.triage.promise import Promise
from headwise.evaluation.triage.segments import Segments
from headwise.metrics import Metric
from headwise.metrics.thresholds.abstention import threshold_with_guarantee

# Shares of errors that may be missed, for the curve and, the larger steps, for the table
_PROMISES = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3)
_IN_TABLE = (0.01, 0.02, 0.05, 0.1, 0.2)
# More signals than this no figure shows
_MOST_SIGNALS = 8


def savings(
    segments: Segments,
    labelled: Segments,
    promise: Promise,
    *,
    signal: str,
    levels: Sequence[float],
) -> list[float]:
    """The shares of segments that would go out unread if a signal decided, by what is promised.

    Args:
        segments: To decide about.
        labelled: Segments whose errors are known.
        promise: Gives confidence and severity.
        signal: What decides.
        levels: Shares of errors that may be missed, each in (0, 1).
    """
    values, wrong = labelled.column(signal), labelled.faulty(promise.severity)
    known = ~np.isnan(values)
    if not known.any():
        return [0.0] * len(levels)
    found = (
        threshold_with_guarantee(
            -values[known], wrong[known], risk=level, confidence=promise.confidence
        )
        for level in levels
    )
    scores = segments.column(signal)
    return [0.0 if line is None else float((scores > -line).mean()) for line in found]


def promise_table(segments: Segments, labelled: Segments, promise: Promise) -> Table:
    """How many segments would go out unread under other promises."""
    levels = sorted({*_IN_TABLE, promise.missed})
    saved = savings(segments, labelled, promise, signal=promise.signal, levels=levels)
    rows = [
        _row(f"at most {100 * level:g}%", share, segments)
        for level, share in zip(levels, saved, strict=True)
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
    rows = []
    for signal in _shared(segments, labelled):
        levels = [promise.missed]
        (share,) = savings(segments, labelled, promise, signal=signal, levels=levels)
        rows.append(_row(signal, share, segments))
    return plain_table(
        "signals",
        "What other signals would save",
        rows,
        note=f"At most {100 * promise.missed:g}% missed. A promise holds for a signal that is "
        "named before one looks: to decide by another one (--signal), label segments anew.",
    )


def saving_figure(segments: Segments, labelled: Segments, promise: Promise) -> Figure:
    """Both at once."""
    levels = sorted({*_PROMISES, promise.missed})
    panels = [
        Panel(
            label=signal,
            x=np.array(levels),
            y=np.array(savings(segments, labelled, promise, signal=signal, levels=levels)),
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


def _row(name: str, share: float, segments: Segments) -> SignalRow:
    metric = Metric(name="go out unread", value=share, count=len(segments.rows))
    return SignalRow(signal=name, aggregation=None, metrics=(metric,))
