"""Platt's line against weighted logistic regression."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from headwise.metrics.platt_scaling import platt_line


def regression(scores: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """On each item twice: as positive with its smoothed label, as negative with the rest of 1."""
    positive, negative = labels.sum(), (~labels).sum()
    t = np.where(labels, (positive + 1) / (positive + 2), 1 / (negative + 2))
    fitted = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000).fit(
        np.tile(scores, 2)[:, None],
        np.repeat([1, 0], len(scores)),
        sample_weight=np.concatenate([t, 1 - t]),
    )
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(("count", "share"), [(30, 0.5), (1000, 0.03)])
def test_the_line_is_logistic_regression(sign: float, count: int, share: float) -> None:
    random = np.random.default_rng(count)
    labels = random.random(count) < share
    scores = sign * (random.normal(size=count) + labels) + 3.0
    assert platt_line(scores, labels) == pytest.approx(regression(scores, labels), rel=1e-4)


def test_classes_that_do_not_overlap_give_a_finite_slope() -> None:
    scores, labels = np.arange(40.0), np.arange(40) >= 20
    slope, intercept = platt_line(scores, labels)
    assert (slope, intercept) == pytest.approx(regression(scores, labels), rel=1e-4)
    assert 0.0 < slope < 10.0


def test_equal_scores_give_the_share_of_positives() -> None:
    labels = np.arange(12) < 3
    slope, intercept = platt_line(np.full(12, 7.0), labels)
    share = 1 / (1 + np.exp(-(7.0 * slope + intercept)))
    assert share == pytest.approx((3 * 4 / 5 + 9 / 11) / 12, abs=1e-6)
