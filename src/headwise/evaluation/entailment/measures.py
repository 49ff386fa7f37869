"""The columns of the tables about a classifier that may abstain."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from headwise import metrics
from headwise.evaluation.entailment.judged_pairs import Indices, JudgedArrays
from headwise.evaluation.statistics.columns import SignalColumn
from headwise.evaluation.statistics.measures import (
    Measure,
    against,
    rejection_measures,
    separation_measures,
)
from headwise.metrics import Metric, Statistic
from headwise.metrics.inputs import Bools, Floats

COVERAGES = (0.8, 0.9)


def answer_measures(gold: Indices, *, classes: int) -> tuple[Measure, ...]:
    """How good answers are; the values of a column and ``gold``, ``(N,)``, are class indices."""

    def of_answers(metric: Callable[..., Statistic]) -> Measure:
        return Measure(of=lambda c: metric(c.values.astype(np.int64), gold, classes=classes))

    return of_answers(metrics.accuracy.weighted), of_answers(metrics.macro_f1.weighted)


def class_measures(
    predicted: Indices, gold: Indices, *, index_of: Mapping[str, int]
) -> tuple[Measure, ...]:
    """How well each class is found; a column stands for the class of its name.

    Answers and gold are class indices, ``(N,)``.
    """

    def of_class(metric: Callable[..., Statistic]) -> Measure:
        found = partial(metric, predicted, gold, classes=len(index_of))
        return Measure(of=lambda c: found(of=index_of[c.signal]), ranked=False)

    of_one_class = (metrics.class_precision, metrics.class_recall, metrics.class_f1)
    return tuple(of_class(metric.weighted) for metric in of_one_class)


def abstention_measures(correct: Bools) -> tuple[Measure, ...]:
    """How well a confidence tells right answers, ``(N,)``, from wrong ones."""
    at_coverages = (
        partial(metrics.selective_accuracy.weighted, coverage=share) for share in COVERAGES
    )
    return (
        *rejection_measures(correct),
        *(against(correct, metric, of_ranks=True) for metric in at_coverages),
        *separation_measures(correct, positive="wrong"),
    )


def abstaining_measures(correct: Bools) -> tuple[Measure, ...]:
    """How good decisions to answer are; the values of a column are 1 for an answer, else 0.

    ``correct`` says which answers are, or would be, right, ``(N,)``.
    """

    def of_silence(metric: Callable[..., Statistic]) -> Measure:
        """An abstention is a flag: it claims that the answer would be wrong."""
        return Measure(of=lambda column: metric(column.values < 0.5, ~correct))

    return (
        Measure(of=lambda column: metrics.answered_share.weighted(column.values), ranked=False),
        against(correct, metrics.answer_accuracy.weighted),
        against(correct, metrics.answer_risk.weighted),
        of_silence(metrics.precision.weighted),
        of_silence(metrics.recall.weighted),
        of_silence(partial(metrics.f1.weighted, of="wrong")),
    )


def slice_measures(judged: JudgedArrays) -> tuple[Measure, ...]:
    """Means over slices; the values of a column are 1 for the pairs of the slice, else 0."""
    described = {
        "accuracy": judged.correct.astype(np.float64),
        "mean_confidence": judged.confidence,
        "coverage": judged.answered.astype(np.float64),
    }
    if judged.answered.all():
        del described["coverage"]
    return (
        Measure(of=_size, ranked=False),
        *(_slice_mean(name, values) for name, values in described.items()),
    )


def _size(column: SignalColumn) -> Metric:
    return Metric(name="pairs", value=float(column.values.sum()), count=len(column.values))


def _slice_mean(name: str, values: Floats) -> Measure:
    def mean(column: SignalColumn) -> Statistic:
        members = column.values
        return Statistic(
            name=name,
            values=metrics.weighted_ratio(members * values, members),
            count=len(members),
            counted=int(members.sum()),
        )

    return Measure(of=mean, ranked=False)
