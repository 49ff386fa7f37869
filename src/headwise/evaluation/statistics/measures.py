"""The columns that a table can have: a metric, and how its interval is found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headwise import metrics
from headwise.evaluation.statistics.columns import SignalColumn
from headwise.metrics import Metric, ResampledMetric, Statistic
from headwise.metrics.inputs import Bools, Floats

Groups = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A column of a table.

    Attributes:
        of: What is measured of a signal: a statistic, whose interval and test the table draws,
            or a metric that brings an interval of its own or has none.
        of_ranks: Whether only the order of the values counts, so that signals on different
            scales can be exchanged for a permutation test.
        ranked: Whether one value of the column is better than another by itself.
    """

    of: Callable[[SignalColumn], Statistic | Metric]
    of_ranks: bool = False
    ranked: bool = True


class _Definition(Protocol):
    """A metric of values against what is true of them, plain or weighted."""

    def __call__(self, values: ArrayLike, truth: ArrayLike, /) -> Statistic | Metric: ...


def against(
    truth: ArrayLike, metric: _Definition, *, of_ranks: bool = False, ranked: bool = True
) -> Measure:
    """A column of a metric that compares the values of a signal with what is true, ``(N,)``."""
    return Measure(of=lambda column: metric(column.values, truth), of_ranks=of_ranks, ranked=ranked)


def correlation_measures(
    gold: Floats, *, groups: Groups, sources: Groups, seed: int
) -> tuple[Measure, ...]:
    """Agreement with gold numbers, ``(n,)``, the higher the better.

    Texts of one of ``groups`` are resampled together, and pairs compared within one of ``sources``,
    both numbers, ``(n,)``; ``seed`` is that of the subsamples behind Kendall's interval.
    """
    # A resample of groups that cut through sources would hold halves of pairs
    whole = len(np.unique(np.stack([sources, groups]), axis=1)[0]) == len(np.unique(sources))

    def pairwise(column: SignalColumn) -> Statistic | Metric:
        found = metrics.pairwise_accuracy(column.values, gold, sources)
        if not whole or found.metric.value is None:
            return found.metric
        weighted = metrics.weighted_pairwise_accuracy(found, sources)
        return Statistic(name="acc_eq", values=weighted, count=len(sources))

    def kendall(column: SignalColumn) -> Metric:
        return metrics.kendall_with_interval(column.values, gold, groups=groups, seed=seed)

    return (
        against(gold, metrics.pearson.weighted),
        against(gold, metrics.spearman.weighted, of_ranks=True),
        Measure(of=kendall),
        against(gold, metrics.rejection_ratio.weighted, of_ranks=True),
        *([Measure(of=pairwise)] if len(np.unique(sources)) < len(sources) else []),
    )


def confidence_measures(gold: Floats) -> tuple[Measure, ...]:
    """Shares of texts that score below or above their gold, both scaled onto [0, 1].

    They describe, and have no interval: the scale hangs on the most extreme texts, and which
    those are is chance, however many texts there are.
    """
    return (
        against(gold, metrics.under_confidence, ranked=False),
        against(gold, metrics.over_confidence, ranked=False),
    )


def system_measures(
    gold: Floats, *, systems: Groups, sources: Groups | None, seed: int
) -> tuple[Measure, ...]:
    """Whether systems, ``(n,)``, are ordered by their scores as by their gold, ``(n,)``.

    ``sources``, ``(n,)``, are those that all systems have; without such there is no SPA, whose
    permutations ``seed`` draws.
    """

    def soft(column: SignalColumn) -> Metric:
        assert sources is not None
        return metrics.soft_pairwise_accuracy(column.values, gold, systems, sources, seed=seed)

    plain = (metrics.system_pairwise_accuracy, metrics.system_pearson, metrics.system_kendall)
    return (
        *(Measure(of=partial(_of_systems, metric, gold, systems)) for metric in plain),
        *([] if sources is None else [Measure(of=soft)]),
    )


def _of_systems(
    metric: ResampledMetric[[ArrayLike, ArrayLike, ArrayLike]],
    gold: Floats,
    systems: Groups,
    column: SignalColumn,
) -> Statistic:
    return metric.weighted(column.values, gold, systems)


def separation_measures(
    correct: Bools, *, positive: Literal["correct", "wrong"]
) -> tuple[Measure, ...]:
    """How well right items, ``(N,)``, are told from wrong ones.

    Average precision looks for ``positive``.
    """
    precision = partial(metrics.average_precision.weighted, positive=positive)
    return (
        against(correct, metrics.roc_auc.weighted, of_ranks=True),
        against(correct, precision, of_ranks=True),
    )


def rejection_measures(correct: Bools) -> tuple[Measure, ...]:
    """What is gained by answering only where the score is high."""
    return (against(~correct, metrics.risk_coverage_area.weighted, of_ranks=True),)


def probability_measures(correct: Bools, columns: Sequence[SignalColumn]) -> tuple[Measure, ...]:
    """Whether probabilities mean what they say; undefined for signals that are none.

    There are no such measures where no signal of the columns is a probability.
    Chance alone makes a calibration error larger than it is, more so in resamples, and the more so
    the better a signal is calibrated: its interval lies too high.
    """
    if not any(column.is_probability for column in columns):
        return ()

    def of_probabilities(name: str, metric: _Definition) -> Measure:
        def of(column: SignalColumn) -> Statistic | Metric:
            if column.is_probability:
                return metric(column.values, correct)
            reason, count = "The signal is no probability.", len(column.values)
            return metrics.undefined(name, reason, count=count, higher_is_better=False)

        return Measure(of=of)

    return (
        of_probabilities("brier", metrics.brier.weighted),
        of_probabilities("log_loss", metrics.log_loss.weighted),
        of_probabilities("ece", metrics.expected_calibration_error.weighted),
        of_probabilities(
            "ece_equal_mass",
            partial(metrics.expected_calibration_error.weighted, strategy="quantile"),
        ),
    )


def decision_measures(flags: Callable[[SignalColumn], Bools], wrong: Bools) -> tuple[Measure, ...]:
    """How good a threshold's decisions are; ``flags`` says which items lie below it, ``(N,)``."""
    return (
        Measure(of=lambda column: metrics.matthews.weighted(flags(column), wrong)),
        Measure(of=lambda column: metrics.f1.weighted(flags(column), wrong, of="wrong")),
        Measure(of=lambda column: metrics.f1.weighted(flags(column), wrong, of="right")),
    )
