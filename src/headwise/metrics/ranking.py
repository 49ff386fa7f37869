"""How well a score separates two groups."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import roc_auc_score


def roc_auc(positive: ArrayLike, negative: ArrayLike) -> float | None:
    """Probability that a positive outranks a negative, ties counted half.

    Args:
        positive: Scores of the group that should score high, ``(P,)``, finite.
        negative: Scores of the group that should score low, ``(N,)``, finite.

    Returns:
        The area under the ROC curve in [0, 1], 0.5 for chance; ``None`` if a group is empty,
        since nothing is ranked then.

    Raises:
        ValueError: If a group is not a flat sequence of finite numbers.

    References:
        Hanley & McNeil 1982, Radiology 143 (the area as a probability).
    """
    groups = [_scores(positive, name="positive"), _scores(negative, name="negative")]
    if not all(len(group) for group in groups):
        return None
    labels = np.repeat([1, 0], [len(group) for group in groups])
    return float(roc_auc_score(labels, np.concatenate(groups)))


def _scores(values: ArrayLike, *, name: str) -> np.ndarray:
    scores = np.asarray(values, dtype=np.float64)
    if scores.ndim != 1:
        raise ValueError(f"`{name}` must be a flat sequence of scores, got shape {scores.shape}.")
    if not (finite := np.isfinite(scores)).all():
        at = int(np.flatnonzero(~finite)[0])
        raise ValueError(f"`{name}` must hold finite scores only, got {scores[at]} at index {at}.")
    return scores
