"""The logistic curve that turns scores into probabilities."""

import numpy as np
from numpy.typing import NDArray

MINIMUM_OF_CLASS = 10
"""Fewer items of a class than this say nothing about probabilities."""


def platt_line(scores: NDArray[np.float64], labels: NDArray[np.bool_]) -> tuple[float, float]:
    """The line whose sigmoid has the least cross-entropy against smoothed labels.

    Of n positive labels each counts as ``(n + 1) / (n + 2)``, of n negative ones as
    ``1 / (n + 2)``, so that classes that do not overlap give a finite slope.

    Args:
        scores: Any finite numbers, ``(n,)``.
        labels: Which of them are positive, ``(n,)``.

    Returns:
        Slope and intercept; the slope is negative if higher scores go with negative labels.

    References:
        Platt 1999, Probabilistic Outputs for Support Vector Machines, section 2.2.
    """
    from scipy.optimize import minimize
    from scipy.special import expit, log_expit

    positive, negative = int(labels.sum()), int((~labels).sum())
    targets = np.where(labels, (positive + 1.0) / (positive + 2.0), 1.0 / (negative + 2.0))
    # Standardised, as the steps of BFGS depend on the scale; equal scores have no spread
    center, spread = scores.mean(), scores.std() or 1.0
    unit = (scores - center) / spread

    def loss(line: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = line[0] * unit + line[1]
        value = -np.mean(targets * log_expit(z) + (1.0 - targets) * log_expit(-z))
        residual = expit(z) - targets
        return float(value), np.array([np.mean(residual * unit), np.mean(residual)])

    # As in Platt: a flat line at the smoothed log-odds of the labels
    start = np.array([0.0, np.log((positive + 1.0) / (negative + 1.0))])
    slope, intercept = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-9}).x
    return float(slope / spread), float(intercept - slope * center / spread)
