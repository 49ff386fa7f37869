"""How well probabilities of being right say how often that is so."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headwise.metrics import weighted_rows as rows
from headwise.metrics.inputs import (
    Bools,
    Floats,
    checked_labels,
    checked_probabilities,
    same_length,
)
from headwise.metrics.metric import NO_ITEMS
from headwise.metrics.resampled import ResampledMetric, Statistic, mean
from headwise.metrics.weighted_rows import TieGroups


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityCurve:
    """Claimed and true share of right items, in b bins that hold at least one item each.

    Attributes:
        predicted: Mean probability of each bin, rising, ``(b,)``.
        correct: Share of right items of each bin, ``(b,)``.
        count: Number of items of each bin, ``(b,)``.
    """

    predicted: Floats
    correct: Floats
    count: NDArray[np.int64]


@ResampledMetric
def brier(probabilities: ArrayLike, correct: ArrayLike) -> Statistic:
    """Mean squared difference of the probability and 1 for a right, 0 for a wrong item.

    Args:
        probabilities: Probability that each item is right, in [0, 1], ``(n,)``.
        correct: Which items are right, ``(n,)``, booleans or 0 and 1.

    Returns:
        ``brier`` in [0, 1], lower is better; undefined if there are no items.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ.

    References:
        Brier 1950, Monthly Weather Review 78.
    """
    claims, labels = _checked(probabilities, correct)
    return mean("brier", (claims - labels) ** 2, higher_is_better=False)


@ResampledMetric
def log_loss(probabilities: ArrayLike, correct: ArrayLike) -> Statistic:
    """Mean negative natural logarithm of the probability of what is true.

    Probabilities are clipped to [2.2e-16, 1 - 2.2e-16], the machine epsilon of float64, so a
    claim that is certain and false costs 36.04 and not infinity.

    Args:
        probabilities: Probability that each item is right, in [0, 1], ``(n,)``.
        correct: Which items are right, ``(n,)``, booleans or 0 and 1.

    Returns:
        ``log_loss`` in nats, at least 0, lower is better; undefined if there are no items.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ.

    References:
        Good 1952, Journal of the Royal Statistical Society B 14.
    """
    claims, labels = _checked(probabilities, correct)
    smallest = np.finfo(np.float64).eps
    kept = np.clip(claims, smallest, 1 - smallest)
    losses = -np.where(labels, np.log(kept), np.log1p(-kept))
    return mean("log_loss", losses, higher_is_better=False)


def reliability_curve(
    probabilities: ArrayLike,
    correct: ArrayLike,
    *,
    bins: int = 15,
    strategy: Literal["uniform", "quantile"] = "uniform",
) -> ReliabilityCurve:
    """Mean probability and share of right items, bin by bin.

    A probability on the edge of two bins is in the lower one, as in Guo et al. and scikit-learn
    (torchmetrics has it in the upper one); 0 is in the first bin.

    Args:
        probabilities: Probability that each item is right, in [0, 1], ``(n,)``.
        correct: Which items are right, ``(n,)``, booleans or 0 and 1.
        bins: How many bins, at least 1.
        strategy: ``uniform`` for bins of one width, ``quantile`` for bins of about as many items
            each; many equal probabilities share a bin, so there may be fewer bins.

    Returns:
        The curve, without empty bins; no points for no items.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ; if
            there is no such strategy, or less than one bin.

    References:
        Guo et al. 2017, arXiv 1706.04599, section 2.
    """
    claims, labels = _checked(probabilities, correct)
    index = _bin_of(claims, bins, strategy)
    count = np.bincount(index, minlength=bins)
    filled = count > 0
    return ReliabilityCurve(
        predicted=np.bincount(index, weights=claims, minlength=bins)[filled] / count[filled],
        correct=np.bincount(index, weights=labels, minlength=bins)[filled] / count[filled],
        count=count[filled],
    )


@ResampledMetric
def expected_calibration_error(
    probabilities: ArrayLike,
    correct: ArrayLike,
    *,
    bins: int = 15,
    strategy: Literal["uniform", "quantile"] = "uniform",
) -> Statistic:
    """Mean gap of claimed and true share of right items, over bins.

    The bins are those of `reliability_curve`, weighted by their number of items. The number
    depends on the bins: compare only values of the same ones. In resamples the bins stay where
    they are. Chance makes the error larger than it is, and that of a resample larger once more,
    most where calibration is best: an interval from resamples lies too high.

    Args:
        probabilities: Probability that each item is right, in [0, 1], ``(n,)``.
        correct: Which items are right, ``(n,)``, booleans or 0 and 1.
        bins: How many bins, at least 1.
        strategy: As with `reliability_curve`.

    Returns:
        ``ece``, with bins of about as many items each ``ece_equal_mass``, in [0, 1], lower is
        better; undefined if there are no items.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ; if
            there is no such strategy, or less than one bin.

    References:
        Guo et al. 2017, arXiv 1706.04599, Eq. 3; Nixon et al. 2019, arXiv 1904.01685 (bins of
        equal mass).
    """
    claims, labels = _checked(probabilities, correct)
    binned = TieGroups.of(_bin_of(claims, bins, strategy).astype(np.float64))
    gaps = (claims - labels)[binned.order]

    def error(weights: Floats) -> Floats:
        ordered = rows.gathered(weights, binned.order)
        return rows.quotient(rows.totals(np.abs(binned.sums(ordered * gaps))), rows.totals(weights))

    return Statistic(
        name="ece" if strategy == "uniform" else "ece_equal_mass",
        values=error,
        count=len(claims),
        reason=None if len(claims) else NO_ITEMS,
        higher_is_better=False,
    )


def _bin_of(
    claims: Floats, bins: int, strategy: Literal["uniform", "quantile"]
) -> NDArray[np.intp]:
    """The bin of each item, in [0, bins), ``(n,)``."""
    if bins < 1:
        raise ValueError(f"`bins` must be at least 1, got {bins}.")
    edges = np.linspace(0.0, 1.0, bins + 1)
    if strategy == "quantile":
        edges = np.percentile(claims, 100 * edges) if len(claims) else edges
    elif strategy != "uniform":
        raise ValueError(f"`strategy` must be 'uniform' or 'quantile', got {strategy!r}.")
    return np.searchsorted(edges[1:-1], claims)


def _checked(probabilities: ArrayLike, correct: ArrayLike) -> tuple[Floats, Bools]:
    claims = checked_probabilities(probabilities, name="probabilities")
    labels = checked_labels(correct, name="correct")
    same_length(probabilities=claims, correct=labels)
    return claims, labels
