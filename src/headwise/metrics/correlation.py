"""How well scores follow a graded gold."""

import numpy as np
from numpy.typing import ArrayLike

from headwise.metrics import weighted_rows as rows
from headwise.metrics.inputs import Floats, checked_pair, unit_scaled
from headwise.metrics.metric import NO_ITEMS, Metric, undefined
from headwise.metrics.resampled import ResampledMetric, Statistic
from headwise.metrics.weighted_rows import TieGroups

# Values that differ by less than this share of the largest differ by rounding only, and their
# correlation would be that of rounding errors. SciPy warns at about the same size.
_ROUNDING = 1e-13
# A variance that is a smaller share of the squares than this has lost six of its 16 digits
_CANCELLED = 1e-6
# Scaled values that should be equal, such as 0.3 and 30 of 100, differ by a few 1e-16
_EQUAL = 1e-12


@ResampledMetric
def pearson(scores: ArrayLike, gold: ArrayLike) -> Statistic:
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
    first, second = checked_pair(scores, gold)
    scaled_x, scaled_y = unit_scaled(first)[0], unit_scaled(second)[0]
    x, y = _centred(scaled_x), _centred(scaled_y)
    terms = (x, y, x * x, y * y, x * y)

    def in_two_passes(weights: Floats) -> float:
        drawn = weights > 0
        sides = []
        for values in (scaled_x[drawn], scaled_y[drawn]):
            if not len(values) or np.ptp(values) <= _ROUNDING * np.abs(values).max():
                return np.nan
            centred = values - np.average(values, weights=weights[drawn])
            sides.append(centred / np.abs(centred).max())
        a, b = sides
        together, a_spread, b_spread = (
            float((weights[drawn] * term).sum()) for term in (a * b, a * a, b * b)
        )
        return together / float(np.sqrt(a_spread) * np.sqrt(b_spread))

    def coefficient(weights: Floats) -> Floats:
        items = rows.totals(weights)
        x_mean, y_mean, xx, yy, xy = (
            rows.quotient(rows.products(weights, term), items) for term in terms
        )
        x_spread, y_spread = xx - x_mean**2, yy - y_mean**2
        spread = np.sqrt(np.maximum(x_spread, 0)) * np.sqrt(np.maximum(y_spread, 0))
        values = rows.quotient(xy - x_mean * y_mean, spread)
        # Rare: all the spread was in items that were not drawn
        kept = (x_spread > _CANCELLED * xx) & (y_spread > _CANCELLED * yy)
        for row in np.flatnonzero(~kept):
            values[row] = in_two_passes(weights[row])
        return np.clip(values, -1.0, 1.0)

    return Statistic(
        name="pearson",
        values=coefficient,
        count=len(first),
        reason=_degenerate(first, second, rounding=_ROUNDING),
    )


def _centred(values: Floats) -> Floats:
    # Squares of deviations must neither cancel, as beside a common offset, nor underflow
    if not len(values):
        return values
    return unit_scaled(values - values.mean())[0]


@ResampledMetric
def spearman(scores: ArrayLike, gold: ArrayLike) -> Statistic:
    """Correlation of ranks, ties having their mean rank.

    Items of one value and weight w that follow items of weight v have rank v + (w + 1) / 2.

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
    first, second = checked_pair(scores, gold)
    x, y = TieGroups.of(first), TieGroups.of(second)
    x_group, y_group = x.group_of[x.order], y.group_of[x.order]

    def coefficient(weights: Floats) -> Floats:
        ordered = rows.gathered(weights, x.order)  # (B, n)
        x_ranks, x_spread = _centred_ranks(x.sums(ordered))
        y_ranks, y_spread = _centred_ranks(y.sums(rows.gathered(weights, y.order)))
        ordered *= rows.gathered(x_ranks, x_group) if x.tied else x_ranks
        together = rows.products(ordered, rows.gathered(y_ranks, y_group))
        return np.clip(rows.quotient(together, np.sqrt(x_spread) * np.sqrt(y_spread)), -1.0, 1.0)

    reason = _degenerate(first, second)
    return Statistic(name="spearman", values=coefficient, count=len(first), reason=reason)


def _centred_ranks(weights: Floats) -> tuple[Floats, Floats]:
    # Ranks of groups less the mean rank, (B, U), and the sum of their squares over items, (B,)
    halves = weights * 0.5
    ranks = rows.running_sums(weights)
    ranks -= halves
    ranks -= ranks[:, -1:] / 2 + halves[:, -1:] / 2  # half of the total weight
    halves *= ranks
    return ranks, 2 * rows.products(halves, ranks)


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
    pair = checked_pair(scores, gold)
    if reason := _degenerate(*pair):
        return undefined("kendall", reason, count=len(pair[0]))
    from scipy.stats import kendalltau  # 0.7 s, which those who score do not need

    value = float(kendalltau(*pair, variant="b").statistic)
    return Metric(name="kendall", value=value, count=len(pair[0]))


def _degenerate(scores: Floats, gold: Floats, *, rounding: float = 0.0) -> str | None:
    """Why there is no correlation, if there is none."""
    if len(scores) < 2:
        return f"A correlation needs at least two items, got {len(scores)}."
    for values, subject in ((scores, "All scores"), (gold, "All gold values")):
        scaled, _ = unit_scaled(values)
        if np.ptp(scaled) <= rounding * np.abs(scaled).max():
            return f"{subject} are the same."
    return None


def under_confidence(scores: ArrayLike, gold: ArrayLike) -> Metric:
    """Share of items whose scaled score lies below their scaled gold.

    Scores and gold are each scaled to [0, 1] by their minimum and maximum over the items. Scaled
    values within 1e-12 of each other are equal, and count neither here nor as over-confidence.

    Args:
        scores: Scores, ``(n,)``, finite.
        gold: Gold, ``(n,)``, finite.

    Returns:
        ``under_confidence`` in [0, 1], lower is better; undefined if the scores or the gold are
        constant, since they have no scale then.

    Raises:
        ValueError: If an argument is not a flat sequence of finite numbers, or the lengths differ.

    References:
        Dinh & Niehues 2026, arXiv 2601.00680.
    """
    return _share("under_confidence", scores, gold, sign=-1)


def over_confidence(scores: ArrayLike, gold: ArrayLike) -> Metric:
    """Share of items whose scaled score lies above their scaled gold, ``over_confidence``.

    Arguments, scales, errors and reference are those of `under_confidence`.
    """
    return _share("over_confidence", scores, gold, sign=1)


def _share(name: str, scores: ArrayLike, gold: ArrayLike, *, sign: int) -> Metric:
    values, truth = checked_pair(scores, gold)
    count = len(values)
    if not count:
        return undefined(name, NO_ITEMS, count=0, higher_is_better=False)
    for subject, side in (("scores", values), ("gold values", truth)):
        if side.min() == side.max():
            reason = f"All {subject} are the same."
            return undefined(name, reason, count=count, higher_is_better=False)
    value = float(np.mean(gap_signs(values, truth) == sign))
    return Metric(name=name, value=value, count=count, higher_is_better=False)


def gap_signs(scores: Floats, gold: Floats) -> Floats:
    """Where each score lies, both scaled onto [0, 1]: 1 above its gold, -1 below, 0 on it.

    Neither side is constant, ``(n,)``.
    """
    difference = _scaled(scores) - _scaled(gold)
    return np.where(np.abs(difference) > _EQUAL, np.sign(difference), 0.0)


def _scaled(values: Floats) -> Floats:
    unit, _ = unit_scaled(values)
    return np.asarray((unit - unit.min()) / np.ptp(unit))
