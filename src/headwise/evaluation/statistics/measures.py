"""The columns that a table can have: a metric, and how its interval is found."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from headwise.evaluation.statistics.columns import SignalColumn
from headwise.metrics import (
    Metric,
    Weighted,
    average_precision,
    brier,
    expected_calibration_error,
    f1,
    log_loss,
    matthews,
    over_confidence,
    pearson,
    rejection_ratio,
    risk_coverage_area,
    roc_auc,
    spearman,
    undefined,
    under_confidence,
    weighted_average_precision,
    weighted_f1,
    weighted_matthews,
    weighted_mean,
    weighted_pearson,
    weighted_rejection_ratio,
    weighted_risk_coverage_area,
    weighted_roc_auc,
    weighted_spearman,
)
from headwise.metrics.kendall_interval import kendall_with_interval
from headwise.metrics.pairwise_accuracy import pairwise_accuracy, weighted_pairwise_accuracy

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Groups = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A column of a table.

    Attributes:
        name: Name of the metric.
        measure: The metric of one signal.
        weighted: The same under the weights of a resample; ``None`` where the metric brings an
            interval of its own or has none.
        of_ranks: Whether only the order of the values counts, so that signals on different
            scales can be exchanged for a permutation test.
        ranked: Whether one value of the column is better than another by itself.
    """

    name: str
    measure: Callable[[SignalColumn], Metric]
    weighted: Callable[[SignalColumn], Weighted] | None = None
    of_ranks: bool = False
    ranked: bool = True


def correlation_measures(
    gold: Floats, *, groups: Groups, sources: Groups, seed: int
) -> tuple[Measure, ...]:
    """Agreement with gold numbers.

    Args:
        gold: The higher the better, ``(n,)``.
        groups: Texts that are resampled together, by number, ``(n,)``.
        sources: Number of each text's source, ``(n,)``; pairs are compared within a source.
        seed: Of the subsamples behind Kendall's interval.
    """
    found = [
        Measure(
            name="pearson",
            measure=lambda c: pearson(c.values, gold),
            weighted=lambda c: weighted_pearson(c.values, gold),
        ),
        Measure(
            name="spearman",
            measure=lambda c: spearman(c.values, gold),
            weighted=lambda c: weighted_spearman(c.values, gold),
            of_ranks=True,
        ),
        Measure(
            name="kendall",
            measure=lambda c: kendall_with_interval(c.values, gold, groups=groups, seed=seed),
        ),
        Measure(
            name="prr",
            measure=lambda c: rejection_ratio(c.values, gold),
            weighted=lambda c: weighted_rejection_ratio(c.values, gold),
            of_ranks=True,
        ),
    ]
    if len(np.unique(sources)) < len(sources):
        # A resample of groups that cut through sources would hold halves of pairs
        whole = len(np.unique(np.stack([sources, groups]), axis=1)[0]) == len(np.unique(sources))
        found.append(
            Measure(
                name="acc_eq",
                measure=lambda c: pairwise_accuracy(c.values, gold, sources).metric,
                weighted=(
                    lambda c: weighted_pairwise_accuracy(
                        pairwise_accuracy(c.values, gold, sources), sources
                    )
                )
                if whole
                else None,
            )
        )
    return tuple(found)


def confidence_measures(gold: Floats) -> tuple[Measure, ...]:
    """Shares of texts that score below or above their gold, both scaled onto [0, 1].

    They describe, and have no interval: the scale hangs on the most extreme texts, and which
    those are is chance, however many texts there are.
    """
    return (
        Measure(
            name="under_confidence",
            measure=lambda c: under_confidence(c.values, gold),
            ranked=False,
        ),
        Measure(
            name="over_confidence",
            measure=lambda c: over_confidence(c.values, gold),
            ranked=False,
        ),
    )


def separation_measures(
    correct: Bools, *, positive: Literal["correct", "wrong"]
) -> tuple[Measure, ...]:
    """How well right items are told from wrong ones.

    Args:
        correct: Which items are right, ``(N,)``.
        positive: Which of them average precision looks for: ``correct`` or ``wrong``.
    """
    return (
        Measure(
            name="roc_auc",
            measure=lambda c: roc_auc(c.values, correct),
            weighted=lambda c: weighted_roc_auc(c.values, correct),
            of_ranks=True,
        ),
        Measure(
            name="average_precision",
            measure=lambda c: average_precision(c.values, correct, positive=positive),
            weighted=lambda c: weighted_average_precision(c.values, correct, positive=positive),
            of_ranks=True,
        ),
    )


def rejection_measures(correct: Bools) -> tuple[Measure, ...]:
    """What is gained by answering only where the score is high."""
    losses = (~correct).astype(np.float64)
    return (
        Measure(
            name="aurc",
            measure=lambda c: risk_coverage_area(c.values, losses),
            weighted=lambda c: weighted_risk_coverage_area(c.values, losses),
            of_ranks=True,
        ),
    )


def probability_measures(correct: Bools) -> tuple[Measure, ...]:
    """Whether probabilities mean what they say; undefined for signals that are none.

    The calibration error has no interval: chance alone makes it larger than it is, more so in
    resamples, and the more so the better a signal is calibrated.
    """
    labels = correct.astype(np.float64)

    def for_probabilities(
        name: str, measure: Callable[[Floats, Bools], Metric]
    ) -> Callable[[SignalColumn], Metric]:
        def checked(column: SignalColumn) -> Metric:
            if not column.is_probability:
                return undefined(
                    name,
                    "The signal is no probability.",
                    count=len(column.values),
                    higher_is_better=False,
                )
            return measure(column.values, correct)

        return checked

    def clipped(values: Floats) -> Floats:
        smallest = np.finfo(np.float64).eps
        kept = np.clip(values, smallest, 1 - smallest)
        losses: Floats = -np.where(correct, np.log(kept), np.log1p(-kept))
        return losses

    return (
        Measure(
            name="brier",
            measure=for_probabilities("brier", brier),
            weighted=lambda c: weighted_mean((c.values - labels) ** 2),
        ),
        Measure(
            name="log_loss",
            measure=for_probabilities("log_loss", log_loss),
            weighted=lambda c: weighted_mean(clipped(c.values)),
        ),
        Measure(
            name="ece",
            measure=for_probabilities("ece", expected_calibration_error),
        ),
    )


def decision_measures(flags: Callable[[SignalColumn], Bools], wrong: Bools) -> tuple[Measure, ...]:
    """How good the decisions are that a threshold makes.

    Args:
        flags: Which items of a signal lie below its threshold, ``(N,)``.
        wrong: Which items the gold calls wrong, ``(N,)``.
    """
    return (
        Measure(
            name="mcc",
            measure=lambda c: matthews(flags(c), wrong),
            weighted=lambda c: weighted_matthews(flags(c), wrong),
        ),
        Measure(
            name="f1_wrong",
            measure=lambda c: f1(flags(c), wrong, of="wrong"),
            weighted=lambda c: weighted_f1(flags(c), wrong, of="wrong"),
        ),
        Measure(
            name="f1_right",
            measure=lambda c: f1(flags(c), wrong, of="right"),
            weighted=lambda c: weighted_f1(flags(c), wrong, of="right"),
        ),
    )
