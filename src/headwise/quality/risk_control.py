"""Conformal risk control: a threshold that keeps a promise about data not yet seen.

A unit (a text, or all texts of a source) has a loss in [0, 1] that does not rise with the
threshold: the share of its wrong tokens that are not flagged. If units, those at hand and the next
one, are exchangeable, the expected loss of the next one at the chosen threshold is at most the
level. The promise is about the mean over data to calibrate on and new texts, not about each text.

References:
    Angelopoulos et al. 2022, arXiv 2208.02814, Eq. 4 and Theorem 1, with B = 1.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

# What sums of floating point numbers may be off by
_ROUNDING = 1e-12


def controlled(mean_losses: ArrayLike, *, units: int, level: float) -> int | None:
    """The first threshold that controls the risk: ``(n * mean loss + 1) / (n + 1) <= level``.

    Args:
        mean_losses: Mean loss of n units at each of G rising thresholds, never rising, ``(G,)``.
        units: n.
        level: Bound on the expected loss of the next unit, in (0, 1).

    Returns:
        The index of the threshold; ``None`` if none will do, as with fewer than
        :func:`units_needed` units.

    Raises:
        ValueError: If the level is not in (0, 1), or losses rise or leave [0, 1].

    References:
        Angelopoulos et al. 2022, arXiv 2208.02814, Eq. 4.
    """
    losses = np.asarray(mean_losses, np.float64)
    _check_level(level)
    if losses.ndim != 1 or not ((losses >= -_ROUNDING) & (losses <= 1.0 + _ROUNDING)).all():
        raise ValueError("`mean_losses` must be flat and lie in [0, 1].")
    if np.any(np.diff(losses) > _ROUNDING):
        raise ValueError("`mean_losses` must not rise from one threshold to the next.")
    if units < 1:
        return None
    bounds = (units * losses + 1.0) / (units + 1.0)
    good = bounds <= level + _ROUNDING
    return int(np.argmax(good)) if good.any() else None


def units_needed(level: float) -> int:
    """The fewest units with which a risk can be controlled: ``1 / (n + 1) <= level``.

    Raises:
        ValueError: If the level is not in (0, 1).
    """
    _check_level(level)
    return max(math.ceil(1.0 / level - 1.0 - 1e-9), 1)


def _check_level(level: float) -> None:
    if not 0.0 < level < 1.0:
        raise ValueError(f"`level` must lie in (0, 1), got {level}.")
