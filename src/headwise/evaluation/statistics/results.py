"""What an evaluation found: tables, comparisons, figures and examples, as plain records."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headwise.data.records.pairs import Reject
from headwise.data.records.scored import ScoredHypothesis
from headwise.data.records.signals import Signal
from headwise.metrics import Metric

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRow:
    """One signal in a table; its metrics are in the order of the table's columns."""

    signal: str
    aggregation: str | None
    metrics: tuple[Metric, ...]

    @property
    def label(self) -> str:
        """The name under which comparisons speak of the row."""
        return self.signal if self.aggregation is None else f"{self.signal} {self.aggregation}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The best row of a column against another row.

    Attributes:
        difference: Value of the best minus value of the other.
        low: Lower end of the difference's confidence interval, if the test gives one.
        p_value: Probability of a difference at least as large if there were none, adjusted for
            the number of comparisons in the column; ``None`` where the test is undefined.
        test: How it was found, for a reader.
        distinguishable: Whether the rows differ at the level of the table.
    """

    metric: str
    best: str
    other: str
    difference: float
    low: float | None
    high: float | None
    p_value: float | None
    test: str
    distinguishable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Signals side by side.

    Attributes:
        name: Short name for files and JSON, such as ``tokens-plausible``.
        note: What the gold is, what is resampled, what to beware of.
        rows: Signals, all with the same metrics.
        comparisons: The best row of each column against each other row.
        unranked: Columns that describe, and in which no value is best.
        rows_are: What a row stands for, in the singular.
        has_verdict: Whether the first column says which row is best.
    """

    name: str
    title: str
    note: str
    rows: tuple[SignalRow, ...]
    comparisons: tuple[Comparison, ...] = ()
    unranked: frozenset[str] = frozenset()
    rows_are: str = "signal"
    has_verdict: bool = True

    def like_best(self, row: SignalRow, metric: str) -> bool:
        """Whether a test found nothing that tells a row from the best one of a column."""
        return any(
            c.metric == metric
            and c.other == row.label
            and c.p_value is not None
            and not c.distinguishable
            for c in self.comparisons
        )

    def is_best(self, row: SignalRow, metric: str) -> bool:
        """Whether a row has the best value of a column that is compared."""
        return any(c.metric == metric and c.best == row.label for c in self.comparisons)


class FigureKind(StrEnum):
    """How the panels of a figure are to be drawn.

    Attributes:
        SCATTER: A panel a signal: x is the score, y the gold of each text.
        HISTOGRAM: A panel a signal: x is the score, y is 1 for wrong items and 0 for right ones.
        RISK_COVERAGE: A line a panel, all in one: x is the coverage in (0, 1], y the risk.
        RELIABILITY: A line a panel, all in one: x is the mean predicted probability of a bin, y
            the share of right items in it, the weight its number of items.
        SAVING: A line a panel, all in one: x is what is promised at most, y what is
            saved.
        CONFUSION: A panel a set of answers: x is the predicted class, y that of the gold, the
            weight the number of items.
    """

    SCATTER = "scatter"
    HISTOGRAM = "histogram"
    RISK_COVERAGE = "risk-coverage"
    RELIABILITY = "reliability"
    SAVING = "saving"
    CONFUSION = "confusion"


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """The points of one signal, ``(P,)``; each stands for ``weight`` items, or else for one."""

    label: str
    x: Floats
    y: Floats
    weight: Floats | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What is drawn; how, is for `plots` to say.

    Attributes:
        name: Short name for files, such as ``scatter``.
        caption: What can be seen, in one or two sentences.
        x_label: Name and unit of the first coordinate.
        y_label: Name and unit of the second.
        classes: Names of the classes by index, where coordinates are classes.
    """

    name: str
    kind: FigureKind
    title: str
    caption: str
    x_label: str
    y_label: str
    panels: tuple[Panel, ...]
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """A text about which signal and gold disagree most.

    Attributes:
        scored: The text with its scores; its tokens are shaded by ``signal`` if it has any.
        verdict: What is wrong with the score, in one sentence.
        marks: Ranges of characters that the gold calls wrong.
    """

    scored: ScoredHypothesis
    signal: Signal | None
    score: float
    gold: float
    verdict: str
    marks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A pair that a model is wrong about.

    Attributes:
        confidence: The model's probability of the predicted class, in [0, 1].
        uncertainty: The one that the model abstains by, in [0, 1].
    """

    premise: str
    hypothesis: str
    gold: str
    predicted: str
    confidence: float
    uncertainty: float
    abstained: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Everything that a protocol found.

    Attributes:
        settings: What it was run with, for a reader, in order.
        disagreements: Texts to look at, the worst first.
        mistakes: Pairs to look at, the worst first.
        notes: What a reader has to know to read the tables right.
        protocol: The protocol's name.
        title: What a report has above it.
        tables: One a question, the main one first.
        figures: What is drawn.
    """

    protocol: str
    title: str
    settings: Mapping[str, str | int | float | bool]
    tables: tuple[Table, ...]
    figures: tuple[Figure, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """The results for JSON: everything but figures and examples."""
        return {
            "protocol": self.protocol,
            "title": self.title,
            "settings": dict(self.settings),
            "notes": list(self.notes),
            "tables": {table.name: _table_dict(table) for table in self.tables},
        }


def _table_dict(table: Table) -> dict[str, Any]:
    return {
        "title": table.title,
        "note": table.note,
        "rows": [
            {
                "signal": row.signal,
                "aggregation": row.aggregation,
                "metrics": {metric.name: metric.as_dict() for metric in row.metrics},
            }
            for row in table.rows
        ],
        "comparisons": [
            {name: getattr(comparison, name) for name in Comparison.__slots__}
            for comparison in table.comparisons
        ],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an evaluation found.

    Attributes:
        evaluation: What was found.
        rejects: Rows that could not be read or scored.
    """

    evaluation: Evaluation
    rejects: tuple[Reject, ...] = ()
