"""Which class is taken for which, as a table and as a figure."""

from collections.abc import Sequence

import numpy as np

from headwise.evaluation.entailment.judged_pairs import (
    CLASS_NAMES,
    Indices,
    JudgedArrays,
    JudgedInference,
)
from headwise.evaluation.statistics.results import (
    Figure,
    FigureKind,
    Mistake,
    Panel,
    SignalRow,
    Table,
)
from headwise.heads import NLI_LABELS
from headwise.metrics import Metric
from headwise.metrics.classification import confusion_matrix


def confusion_table(judged: JudgedArrays) -> Table:
    """Counts of answers, a row a gold class."""
    counts = _matrix(judged.predicted, judged.gold)
    columns = tuple(f"answered_{name}" for name in CLASS_NAMES)
    return Table(
        name="confusion",
        title="Answers to pairs of each class",
        note="Number of pairs, abstentions included.",
        rows=tuple(
            SignalRow(
                signal=name,
                aggregation=None,
                metrics=tuple(
                    Metric(name=column, value=float(value), count=int(row.sum()))
                    for column, value in zip(columns, row, strict=True)
                ),
            )
            for name, row in zip(CLASS_NAMES, counts, strict=True)
        ),
        unranked=frozenset(columns),
        rows_are="gold",
    )


def confusion_figure(judged: JudgedArrays) -> Figure:
    """Heat maps of all answers and, where the model abstains on some, of those that it gives."""
    panels = [_panel("all pairs", judged.predicted, judged.gold)]
    given = judged.answered
    if given.any() and not given.all():
        panels.append(_panel("answered", judged.predicted[given], judged.gold[given]))
    return Figure(
        name="confusion",
        kind=FigureKind.CONFUSION,
        title="Confusion of classes",
        caption="Share of each gold class that gets each answer, and the number of pairs; right "
        "answers lie on the diagonal."
        + (" At the right without the pairs on which the model abstains." if panels[1:] else ""),
        x_label="answer",
        y_label="gold",
        panels=tuple(panels),
        classes=CLASS_NAMES,
    )


def _matrix(predicted: Indices, gold: Indices) -> Indices:
    return confusion_matrix(predicted, gold, classes=len(CLASS_NAMES))


def _panel(label: str, predicted: Indices, gold: Indices) -> Panel:
    counts = _matrix(predicted, gold)
    of_gold, of_answer = np.indices(counts.shape)
    return Panel(
        label=label,
        x=of_answer.ravel().astype(np.float64),
        y=of_gold.ravel().astype(np.float64),
        weight=counts.ravel().astype(np.float64),
    )


_SHOWN = 20


def surest_mistakes(
    inferences: Sequence[JudgedInference], judged: JudgedArrays
) -> tuple[Mistake, ...]:
    """The twenty wrong answers of the highest probability, one a group."""
    wrong = np.flatnonzero(~judged.correct)
    order = wrong[np.argsort(-judged.confidence[wrong], kind="stable")]
    _, first = np.unique(judged.groups[order], return_index=True)
    return tuple(
        Mistake(
            premise=inferences[i].premise,
            hypothesis=inferences[i].hypothesis,
            gold=str(inferences[i].label),
            predicted=str(NLI_LABELS[judged.predicted[i]]),
            confidence=float(judged.confidence[i]),
            uncertainty=float(judged.uncertainty[i]),
            abstained=inferences[i].abstain,
        )
        for i in order[np.sort(first)][:_SHOWN]
    )
