"""What is drawn of signals and gold."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headwise.evaluation.statistics.columns import RANDOM, SignalColumn
from headwise.evaluation.statistics.results import Figure, FigureKind, Panel
from headwise.metrics import reliability_curve, risk_coverage_curve
from headwise.metrics.inputs import Floats

# A line of a curve that has more points than this looks the same
_CURVE_POINTS = 500


def one_per_signal(columns: Sequence[SignalColumn]) -> list[SignalColumn]:
    """The first column of every signal, the random baseline left out."""
    first: dict[str, SignalColumn] = {}
    for column in columns:
        first.setdefault(column.signal, column)
    return [column for column in first.values() if column.signal != RANDOM]


def scatter(columns: Sequence[SignalColumn], gold: Floats, *, gold_name: str) -> Figure:
    """Score against gold, a panel a signal."""
    return Figure(
        name="scatter",
        kind=FigureKind.SCATTER,
        title="Score against gold",
        caption=f"One point a text; {_aggregation(columns)} of its tokens against {gold_name}.",
        x_label="score",
        y_label=gold_name,
        panels=tuple(Panel(label=c.signal, x=c.values, y=gold) for c in one_per_signal(columns)),
    )


def system_scatter(
    columns: Sequence[SignalColumn], gold: Floats, systems: NDArray[np.int64], *, gold_name: str
) -> Figure:
    """Mean score of each system against its mean gold, a panel a signal; all are ``(n,)``."""
    texts = np.bincount(systems)

    def means(values: Floats) -> Floats:
        found: Floats = np.bincount(systems, weights=values) / texts
        return found

    return Figure(
        name="systems",
        kind=FigureKind.SCATTER,
        title="Systems: mean score against mean gold",
        caption=f"One point a system: mean score of its texts against their mean {gold_name}.",
        x_label="mean score",
        y_label=f"mean {gold_name}",
        panels=tuple(
            Panel(label=c.signal, x=means(c.values), y=means(gold)) for c in one_per_signal(columns)
        ),
    )


def histogram(columns: Sequence[SignalColumn], wrong: NDArray[np.bool_], *, of: str) -> Figure:
    """Scores of right and of wrong items, a panel a signal."""
    return Figure(
        name=f"histogram-{of}",
        kind=FigureKind.HISTOGRAM,
        title=f"Scores of right and wrong {of}",
        caption=f"The less the two overlap, the better a threshold can find the wrong {of}.",
        x_label="score",
        y_label=f"share of {of}",
        panels=tuple(
            Panel(label=c.signal, x=c.values, y=wrong.astype(np.float64))
            for c in one_per_signal(columns)
        ),
    )


def risk_coverage(columns: Sequence[SignalColumn], losses: Floats, *, of: str, risk: str) -> Figure:
    """Mean loss of what is kept when the lowest scores are set aside.

    Losses, ``(N,)``, lie in [0, 1] or have the gold's unit; ``of`` says what the items are, in the
    plural, and ``risk`` what the losses are.
    """
    panels = [_risk_line(c.signal, c.values, losses) for c in one_per_signal(columns)]
    # The best and the most ignorant order there can be
    panels.append(_risk_line("oracle", -losses, losses))
    panels.append(_risk_line("random", np.zeros_like(losses), losses))
    return Figure(
        name=f"risk-coverage-{of}",
        kind=FigureKind.RISK_COVERAGE,
        title=f"Risk and coverage of {of}",
        caption=f"Risk ({risk}) of the {of} that are kept when those with the lowest scores are "
        "set aside; lower is better.",
        x_label=f"coverage (share of {of} kept)",
        y_label=f"risk ({risk})",
        panels=tuple(panels),
    )


def reliability(
    columns: Sequence[SignalColumn], correct: NDArray[np.bool_], *, of: str
) -> Figure | None:
    """Probabilities against what came true; ``None`` if no signal is a probability."""
    panels = []
    for column in one_per_signal([column for column in columns if column.is_probability]):
        curve = reliability_curve(column.values, correct)
        panels.append(
            Panel(
                label=column.signal,
                x=curve.predicted,
                y=curve.correct,
                weight=curve.count.astype(np.float64),
            )
        )
    if not panels:
        return None
    return Figure(
        name=f"reliability-{of}",
        kind=FigureKind.RELIABILITY,
        title=f"Reliability of {of}",
        caption=f"Share of right {of} among those of about the same score; on the diagonal a "
        "score is the probability of being right.",
        x_label="mean score of the bin",
        y_label=f"share of right {of}",
        panels=tuple(panels),
    )


def _risk_line(label: str, values: Floats, losses: Floats) -> Panel:
    curve = risk_coverage_curve(values, losses)
    coverage, risk = curve.coverage, curve.risk
    if len(coverage) > _CURVE_POINTS:
        kept = np.unique(np.linspace(0, len(coverage) - 1, _CURVE_POINTS).round().astype(np.int64))
        coverage, risk = coverage[kept], risk[kept]
    return Panel(label=label, x=coverage, y=risk)


def _aggregation(columns: Sequence[SignalColumn]) -> str:
    return next((c.aggregation for c in columns if c.aggregation is not None), "score")
