"""Which way scores err once scores and gold share a scale."""

import numpy as np
from numpy.typing import ArrayLike

from headwise.metrics.inputs import Floats, checked_scores, same_length, unit_scaled
from headwise.metrics.metric import NO_ITEMS, Metric, undefined

# Scaled values that should be equal, such as 0.3 and 30 of 100, differ by a few 1e-16
_ROUNDING = 1e-12


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
    """Share of items whose scaled score lies above their scaled gold.

    Scores and gold are scaled, and equal, as for `under_confidence`.

    Args:
        scores: Scores, ``(n,)``, finite.
        gold: Gold, ``(n,)``, finite.

    Returns:
        ``over_confidence`` in [0, 1], lower is better; undefined if the scores or the gold are
        constant, since they have no scale then.

    Raises:
        ValueError: If an argument is not a flat sequence of finite numbers, or the lengths differ.

    References:
        Dinh & Niehues 2026, arXiv 2601.00680.
    """
    return _share("over_confidence", scores, gold, sign=1)


def _share(name: str, scores: ArrayLike, gold: ArrayLike, *, sign: int) -> Metric:
    sides = {
        "scores": checked_scores(scores, name="scores"),
        "gold values": checked_scores(gold, name="gold"),
    }
    count = same_length(scores=sides["scores"], gold=sides["gold values"])
    if not count:
        return undefined(name, NO_ITEMS, count=0, higher_is_better=False)
    for subject, values in sides.items():
        if values.min() == values.max():
            reason = f"All {subject} are the same."
            return undefined(name, reason, count=count, higher_is_better=False)
    value = float(np.mean(gap_signs(*sides.values()) == sign))
    return Metric(name=name, value=value, count=count, higher_is_better=False)


def gap_signs(scores: Floats, gold: Floats) -> Floats:
    """On which side of its gold each score lies, both scaled onto [0, 1].

    Args:
        scores: Scores, ``(n,)``, finite and not all the same.
        gold: Gold, ``(n,)``, likewise.

    Returns:
        1 above the gold, -1 below it, 0 on it, ``(n,)``.
    """
    difference = _scaled(scores) - _scaled(gold)
    return np.where(np.abs(difference) > _ROUNDING, np.sign(difference), 0.0)


def _scaled(values: Floats) -> Floats:
    unit, _ = unit_scaled(values)
    return np.asarray((unit - unit.min()) / np.ptp(unit))
