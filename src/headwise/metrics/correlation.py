"""How well scores follow a graded gold."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import (
    kendalltau,
    pearsonr,
    spearmanr,
)

from headwise.metrics.inputs import Floats, checked_scores, same_length, unit_scaled
from headwise.metrics.metric import Metric, undefined

# Values that differ by less than this share of the largest differ by rounding only, and their
# correlation would be that of rounding errors. SciPy warns at about the same size.
_ROUNDING = 1e-13


def pearson(scores: ArrayLike, gold: ArrayLike) -> Metric:
    """Linear correlation.

    Args:
        scores: Scores, ``(n,)``, finite.
        gold: Gold, ``(n,)``, finite.

    Returns:
        The coefficient ``pearson`` in [-1, 1]; undefined for fewer than two items, and if the
        scores or the gold are constant up to rounding (a spread of 1e-13 of the largest value).

    Raises:
        ValueError: If an argument is not a flat sequence of finite numbers, or the lengths differ.

    References:
        Pearson 1895, Proceedings of the Royal Society of London 58.
    """
    pair = _checked(scores, gold)
    if reason := _degenerate(*pair, rounding=_ROUNDING):
        return undefined("pearson", reason, count=len(pair[0]))
    value = pearsonr(*(_centred(values) for values in pair)).statistic
    return Metric(name="pearson", value=float(value), count=len(pair[0]))


def spearman(scores: ArrayLike, gold: ArrayLike) -> Metric:
    """Correlation of ranks, ties having their mean rank.

    Args:
        scores: Scores, ``(n,)``, finite.
        gold: Gold, ``(n,)``, finite.

    Returns:
        The coefficient ``spearman`` in [-1, 1]; undefined for fewer than two items, and if the
        scores or the gold are constant.

    Raises:
        ValueError: If an argument is not a flat sequence of finite numbers, or the lengths differ.

    References:
        Spearman 1904, The American Journal of Psychology 15.
    """
    pair = _checked(scores, gold)
    if reason := _degenerate(*pair):
        return undefined("spearman", reason, count=len(pair[0]))
    value = spearmanr(*pair).statistic
    return Metric(name="spearman", value=float(value), count=len(pair[0]))


def kendall(scores: ArrayLike, gold: ArrayLike) -> Metric:
    """Concordant minus discordant pairs, corrected for ties on both sides (tau-b).

    Args:
        scores: Scores, ``(n,)``, finite.
        gold: Gold, ``(n,)``, finite.

    Returns:
        The coefficient ``kendall`` in [-1, 1]; undefined for fewer than two items, and if the
        scores or the gold are constant.

    Raises:
        ValueError: If an argument is not a flat sequence of finite numbers, or the lengths differ.

    References:
        Kendall 1945, Biometrika 33 (the treatment of ties).
    """
    pair = _checked(scores, gold)
    if reason := _degenerate(*pair):
        return undefined("kendall", reason, count=len(pair[0]))
    value = kendalltau(*pair, variant="b").statistic
    return Metric(name="kendall", value=float(value), count=len(pair[0]))


def _checked(scores: ArrayLike, gold: ArrayLike) -> tuple[Floats, Floats]:
    pair = checked_scores(scores, name="scores"), checked_scores(gold, name="gold")
    same_length(scores=pair[0], gold=pair[1])
    return pair


def _degenerate(scores: Floats, gold: Floats, *, rounding: float = 0.0) -> str | None:
    """Why there is no correlation, if there is none."""
    if len(scores) < 2:
        return f"A correlation needs at least two items, got {len(scores)}."
    for values, subject in ((scores, "All scores"), (gold, "All gold values")):
        scaled, _ = unit_scaled(values)
        if np.ptp(scaled) <= rounding * np.abs(scaled).max():
            return f"{subject} are the same."
    return None


def _centred(values: Floats) -> Floats:
    """Deviations from the mean, which keep the digits that a large common offset would cost."""
    scaled, _ = unit_scaled(values)
    return np.asarray(scaled - scaled.mean())
