"""Small evaluations with every kind of number, comparison and figure."""

from collections.abc import Callable

import numpy as np
import pytest

from headwise.data.records.scored import ScoredHypothesis, ScoredToken
from headwise.data.records.signals import Signal
from headwise.evaluation.statistics.results import (
    Comparison,
    Disagreement,
    Evaluation,
    Figure,
    FigureKind,
    Panel,
    SignalRow,
    Table,
)
from headwise.metrics import Metric, undefined

BOOTSTRAP = "bootstrap, 1,000 resamples of 50 groups"
TEST = "paired bootstrap, 1,000 resamples, Holm-adjusted, level 0.05"


def a_row(signal: str, *metrics: Metric, aggregation: str | None = None) -> SignalRow:
    return SignalRow(signal=signal, aggregation=aggregation, metrics=metrics)


def against_best(
    metric: str, best: str, other: str, *, distinguishable: bool, test: str = TEST
) -> Comparison:
    return Comparison(
        metric=metric,
        best=best,
        other=other,
        difference=0.0123,
        low=-0.004,
        high=0.029,
        p_value=0.0004 if distinguishable else 0.2,
        test=test,
        distinguishable=distinguishable,
    )


@pytest.fixture
def table() -> Table:
    """Three signals: a value with an interval, one without, and one that is undefined."""

    def roc(value: float) -> Metric:
        found = Metric(name="roc_auc", value=value, count=1000)
        return found.within(value - 0.01, value + 0.012, interval=BOOTSTRAP)

    def ece(value: float) -> Metric:
        return Metric(name="ece", value=value, count=998, higher_is_better=False)

    rows = (
        a_row("sigmoid", roc(0.87), ece(0.05)),
        a_row("softmax", roc(0.883), ece(-0.00001)),
        a_row(
            "entropy",
            roc(0.7),
            undefined("ece", "It is no probability.", count=1000, higher_is_better=False),
        ),
    )
    comparisons = (
        against_best("roc_auc", "softmax", "sigmoid", distinguishable=False),
        against_best("roc_auc", "softmax", "entropy", distinguishable=True),
    )
    return Table(name="t", title="Tokens", note="A note.", rows=rows, comparisons=comparisons)


@pytest.fixture
def make_figure() -> Callable[..., Figure]:
    def build(kind: FigureKind, *panels: Panel, name: str = "figure") -> Figure:
        return Figure(
            name=name,
            kind=kind,
            title="A figure",
            caption="What it shows.",
            x_label="score",
            y_label="gold",
            panels=panels,
        )

    return build


@pytest.fixture
def disagreement() -> Disagreement:
    tokens = (
        ScoredToken(text="Ein", token_id=1, start=0, end=3, sigmoid=1.0),
        ScoredToken(text="Hund", token_id=2, start=4, end=8, sigmoid=0.0),
        ScoredToken(text="läuft", token_id=3, start=9, end=14, sigmoid=0.75),
    )
    scored = ScoredHypothesis("A dog runs", "Ein Hund läuft.", tokens, (), (Signal.SIGMOID,))
    return Disagreement(
        scored=scored,
        signal=Signal.SIGMOID,
        score=0.58333,
        gold=1.0,
        verdict="Scored too low.",
        marks=((2, 8), (14, 99)),
    )


@pytest.fixture
def evaluation(
    table: Table, make_figure: Callable[..., Figure], disagreement: Disagreement
) -> Evaluation:
    x = np.linspace(0, 1, 20)
    return Evaluation(
        protocol="error-detection",
        title="Tiny model",
        settings={"model": "tiny-en-de", "texts": 12_000, "paired": True, "level": 0.05},
        tables=(table,),
        figures=(
            make_figure(FigureKind.SCATTER, Panel(label="sigmoid", x=x, y=x), name="scatter"),
            make_figure(FigureKind.RISK_COVERAGE, Panel(label="sigmoid", x=x, y=x), name="risk"),
        ),
        disagreements=(disagreement,),
        notes=("Beware of this.", "And of that."),
    )


@pytest.fixture
def empty_evaluation() -> Evaluation:
    return Evaluation(protocol="spans", title="Nothing", settings={}, tables=())
