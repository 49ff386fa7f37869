"""The points of a panel that can be drawn."""

import numpy as np

from headwise.evaluation.results import Floats, Panel


def finite_points(panel: Panel) -> tuple[Floats, Floats, Floats]:
    """Coordinates and weights of a panel without those that are not finite.

    Args:
        panel: A panel of P points.

    Returns:
        First coordinates, second coordinates and weights, each ``(Q,)`` with Q <= P. Points
        without a weight weigh one.
    """
    weight = np.ones_like(panel.x, dtype=np.float64) if panel.weight is None else panel.weight
    keep = np.isfinite(panel.x) & np.isfinite(panel.y) & np.isfinite(weight)
    return panel.x[keep], panel.y[keep], weight[keep]
