"""The columns of the tables about a classifier that may abstain."""

from collections.abc import Mapping
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from headwise.evaluation.entailment.judged_pairs import (
    Bools,
    Floats,
    Indices,
    JudgedArrays,
)
from headwise.evaluation.statistics.columns import SignalColumn
from headwise.evaluation.statistics.measures import Measure, rejection_measures, separation_measures
from headwise.metrics import (
    Metric,
    Weighted,
    f1,
    precision,
    recall,
    weighted_class_f1,
    weighted_class_precision,
    weighted_class_recall,
    weighted_f1,
    weighted_macro_f1,
    weighted_mean,
    weighted_ratio,
)
from headwise.metrics.classification import (
    accuracy,
    class_f1,
    class_precision,
    class_recall,
    macro_f1,
)
from headwise.metrics.selective import (
    answer_accuracy,
    answer_risk,
    answered_share,
    selective_accuracy,
    selective_accuracy_name,
    weighted_selective_accuracy,
)

COVERAGES = (0.8, 0.9)

Found = TypeVar("Found", covariant=True)


class _OfClass(Protocol[Found]):
    """A metric of one class, plain or weighted."""

    def __call__(
        self, predicted: ArrayLike, gold: ArrayLike, *, of: int, classes: int
    ) -> Found: ...


def answer_measures(gold: Indices, *, classes: int) -> tuple[Measure, ...]:
    """How good answers are; the values of a column are class indices.

    Args:
        gold: Class index that would be right, ``(N,)``.
        classes: How many classes there are.
    """

    def answers(column: SignalColumn) -> Indices:
        return column.values.astype(np.int64)

    return (
        Measure(
            name="accuracy",
            measure=lambda c: accuracy(answers(c), gold, classes=classes),
            weighted=lambda c: weighted_mean((answers(c) == gold).astype(np.float64)),
        ),
        Measure(
            name="macro_f1",
            measure=lambda c: macro_f1(answers(c), gold, classes=classes),
            weighted=lambda c: weighted_macro_f1(answers(c), gold, classes=classes),
        ),
    )


def class_measures(
    predicted: Indices, gold: Indices, *, index_of: Mapping[str, int]
) -> tuple[Measure, ...]:
    """How well each class is found; a column stands for the class of its name.

    Args:
        predicted: Class index of each answer, ``(N,)``.
        gold: Class index that would be right, ``(N,)``.
        index_of: Class indices by name.
    """
    size = len(index_of)

    def of_class(name: str, plain: _OfClass[Metric], weighted: _OfClass[Weighted]) -> Measure:
        return Measure(
            name=name,
            measure=lambda c: plain(predicted, gold, of=index_of[c.signal], classes=size),
            weighted=lambda c: weighted(predicted, gold, of=index_of[c.signal], classes=size),
            ranked=False,
        )

    return (
        of_class("precision", class_precision, weighted_class_precision),
        of_class("recall", class_recall, weighted_class_recall),
        of_class("f1", class_f1, weighted_class_f1),
    )


def abstention_measures(correct: Bools) -> tuple[Measure, ...]:
    """How well a confidence tells right answers from wrong ones.

    Args:
        correct: Which answers are right, ``(N,)``.
    """
    return (
        *rejection_measures(correct),
        *(_selective(correct, coverage) for coverage in COVERAGES),
        *separation_measures(correct, positive="wrong"),
    )


def _selective(correct: Bools, coverage: float) -> Measure:
    return Measure(
        name=selective_accuracy_name(coverage),
        measure=lambda c: selective_accuracy(c.values, correct, coverage=coverage),
        weighted=lambda c: weighted_selective_accuracy(c.values, correct, coverage=coverage),
        of_ranks=True,
    )


def abstaining_measures(correct: Bools) -> tuple[Measure, ...]:
    """How good decisions to answer are; the values of a column are 1 for an answer, else 0.

    Args:
        correct: Which answers are, or would be, right, ``(N,)``.
    """
    wrong = ~correct
    right, errors = correct.astype(np.float64), wrong.astype(np.float64)

    def silent(column: SignalColumn) -> Bools:
        found: Bools = column.values < 0.5
        return found

    return (
        Measure(
            name="coverage",
            measure=lambda c: answered_share(c.values),
            weighted=lambda c: weighted_mean(c.values),
            ranked=False,
        ),
        Measure(
            name="selective_accuracy",
            measure=lambda c: answer_accuracy(c.values, correct),
            weighted=lambda c: weighted_ratio(c.values * right, c.values),
        ),
        Measure(
            name="selective_risk",
            measure=lambda c: answer_risk(c.values, correct),
            weighted=lambda c: weighted_ratio(c.values * errors, c.values),
        ),
        Measure(
            name="precision",
            measure=lambda c: precision(silent(c), wrong),
            weighted=lambda c: weighted_ratio((1.0 - c.values) * errors, 1.0 - c.values),
        ),
        Measure(
            name="recall",
            measure=lambda c: recall(silent(c), wrong),
            weighted=lambda c: weighted_ratio((1.0 - c.values) * errors, errors),
        ),
        Measure(
            name="f1_wrong",
            measure=lambda c: f1(silent(c), wrong, of="wrong"),
            weighted=lambda c: weighted_f1(silent(c), wrong, of="wrong"),
        ),
    )


def slice_measures(judged: JudgedArrays) -> tuple[Measure, ...]:
    """Means over slices; the values of a column are 1 for the pairs of the slice, else 0.

    Args:
        judged: Judged pairs.
    """
    described = {
        "accuracy": judged.correct.astype(np.float64),
        "mean_confidence": judged.confidence,
        "coverage": judged.answered.astype(np.float64),
    }
    if judged.answered.all():
        del described["coverage"]
    return (
        Measure(name="pairs", measure=_size, ranked=False),
        *(_slice_mean(name, values) for name, values in described.items()),
    )


def _size(column: SignalColumn) -> Metric:
    return Metric(name="pairs", value=float(column.values.sum()), count=len(column.values))


def _slice_mean(name: str, values: Floats) -> Measure:
    def mean(column: SignalColumn) -> Metric:
        members = column.values > 0.5
        value = float(values[members].mean())
        return Metric(name=name, value=value, count=int(members.sum()))

    return Measure(
        name=name,
        measure=mean,
        weighted=lambda c: weighted_ratio(c.values * values, c.values),
        ranked=False,
    )
