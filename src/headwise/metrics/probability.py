"""How well probabilities of being right say how often that is so."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headwise.metrics.inputs import (
    Bools,
    Floats,
    checked_labels,
    checked_probabilities,
    same_length,
)
from headwise.metrics.metric import NO_ITEMS, Metric, undefined
from headwise.metrics.resampled import ResampledMetric, Statistic, mean


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
    if bins < 1:
        raise ValueError(f"`bins` must be at least 1, got {bins}.")
    edges = np.linspace(0.0, 1.0, bins + 1)
    if strategy == "quantile":
        edges = np.percentile(claims, 100 * edges) if len(claims) else edges
    elif strategy != "uniform":
        raise ValueError(f"`strategy` must be 'uniform' or 'quantile', got {strategy!r}.")
    index = np.searchsorted(edges[1:-1], claims)
    count = np.bincount(index, minlength=bins)
    filled = count > 0
    return ReliabilityCurve(
        predicted=np.bincount(index, weights=claims, minlength=bins)[filled] / count[filled],
        correct=np.bincount(index, weights=labels, minlength=bins)[filled] / count[filled],
        count=count[filled],
    )


def expected_calibration_error(
    probabilities: ArrayLike, correct: ArrayLike, *, bins: int = 15
) -> Metric:
    """Mean gap of claimed and true share of right items, over bins of one width.

    The bins are those of `reliability_curve`, weighted by their number of items. The number
    depends on the bins: compare only values of the same ones.

    Args:
        probabilities: Probability that each item is right, in [0, 1], ``(n,)``.
        correct: Which items are right, ``(n,)``, booleans or 0 and 1.
        bins: How many bins, at least 1.

    Returns:
        ``ece`` in [0, 1], lower is better; undefined if there are no items.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ; if
            there is less than one bin.

    References:
        Guo et al. 2017, arXiv 1706.04599, Eq. 3.
    """
    curve = reliability_curve(probabilities, correct, bins=bins)
    items = int(curve.count.sum())
    if not items:
        return undefined("ece", NO_ITEMS, count=0, higher_is_better=False)
    gaps = np.abs(curve.predicted - curve.correct)
    value = float(gaps @ curve.count) / items
    return Metric(name="ece", value=value, count=items, higher_is_better=False)


def _checked(probabilities: ArrayLike, correct: ArrayLike) -> tuple[Floats, Bools]:
    claims = checked_probabilities(probabilities, name="probabilities")
    labels = checked_labels(correct, name="correct")
    same_length(probabilities=claims, correct=labels)
    return claims, labels
