"""Axes of values over several orders of magnitude, such as ranks, whichever way they point."""

import math

import numpy as np
from matplotlib.axes import Axes

from headwise.evaluation.statistics.results import Floats, Panel
from headwise.report.text import MINUS

_ENOUGH = 100.0


def spans_decades(x: Floats) -> bool:
    """Whether finite values ``(P,)`` are better shown by their order of magnitude.

    That is so if all are at least 1, or all at most -1, and the largest is a hundred times the
    smallest in size.
    """
    if not len(x):
        return False
    sizes = np.abs(x)
    one_sided = bool(x.min() > 0 or x.max() < 0)
    return one_sided and bool(sizes.min() >= 1.0 and sizes.max() >= _ENOUGH * sizes.min())


def to_decades(x: Floats) -> Floats:
    """Sign times decimal logarithm of the size, ``(P,)``; keeps the order on either side of 0."""
    placed: Floats = np.sign(x) * np.log10(np.abs(x))
    return placed


def label_decades(axes: Axes, placed: Floats) -> None:
    """Label an x axis of what :func:`to_decades` gave with the values themselves."""
    ticks = list(range(math.floor(float(placed.min())), math.ceil(float(placed.max())) + 1))
    axes.set_xticks(ticks, [_power(tick, negative=placed.min() < 0) for tick in ticks])


def _power(tick: int, *, negative: bool) -> str:
    size = 10 ** abs(tick)
    text = f"{size // 1000}k" if size >= 1000 else str(size)
    return f"{MINUS}{text}" if negative else text


def finite_points(panel: Panel) -> tuple[Floats, Floats, Floats]:
    """Both coordinates and the weights, each ``(Q,)``, of those points that are finite.

    Points without a weight weigh one.
    """
    weight = np.ones_like(panel.x, dtype=np.float64) if panel.weight is None else panel.weight
    keep = np.isfinite(panel.x) & np.isfinite(panel.y) & np.isfinite(weight)
    return panel.x[keep], panel.y[keep], weight[keep]
