"""Decisions by thresholds that were chosen on other texts, or by one that was given."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from headwise.data.records.signals import Signal
from headwise.evaluation.statistics.columns import SignalColumn
from headwise.metrics.inputs import Bools, Floats

FOLDS = 5


def cross_fitted_flags(
    values: Floats,
    wrong: Bools,
    groups: NDArray[np.int64],
    *,
    seed: int = 0,
    criterion: Literal["mcc", "f1"] = "mcc",
) -> Bools:
    """Flag items below a threshold; that of each fifth of the groups is chosen on the others.

    A threshold that was chosen on the items it judges would look better than it is. It is chosen
    for Matthews correlation, or for F1 of wrong items. Higher values are better; items of one group
    stay in one fold. Arrays are ``(N,)``.
    """
    names, numbers = np.unique(groups, return_inverse=True)
    # Folds of groups: texts of one source on both sides would tell the threshold what it judges
    folds = np.random.default_rng(seed).permutation(len(names)) % min(FOLDS, len(names))
    fold_of = folds[numbers]
    flags = np.zeros(len(values), dtype=np.bool_)
    for fold in range(int(folds.max(initial=0)) + 1):
        inside = fold_of == fold
        # A single group has nothing but itself to choose on
        others = ~inside if not inside.all() else inside
        flags[inside] = values[inside] < _best_threshold(
            values[others], wrong[others], criterion=criterion
        )
    return flags


def decided_flags(
    column: SignalColumn,
    wrong: Bools,
    groups: NDArray[np.int64],
    *,
    threshold: float | None = None,
    seed: int = 0,
    criterion: Literal["mcc", "f1"] = "mcc",
) -> Bools:
    """Flags of a signal whose confidence lies below a threshold; without one, cross-fitted ones.

    A threshold is one on the confidence of our signals; for other columns it means nothing, and
    they are cross-fitted all the same.
    """
    name = column.signal.removeprefix("-")
    if threshold is None or name not in set(Signal):
        return cross_fitted_flags(column.values, wrong, groups, seed=seed, criterion=criterion)
    signal = Signal(name)
    own = signal.oriented(column.values)  # turned round twice, they are what they were
    levels = (signal.confidence(float(value)) for value in own)
    return np.array([level is not None and level < threshold for level in levels], dtype=np.bool_)


def _best_threshold(values: Floats, wrong: Bools, *, criterion: Literal["mcc", "f1"]) -> float:
    """The threshold under which flags agree best with what is wrong; minus infinity flags none."""
    order = np.argsort(values, kind="stable")
    ordered, bad = values[order], wrong[order]
    total, positives = len(bad), int(bad.sum())
    if positives in (0, total):
        return -np.inf if positives == 0 else np.inf
    # A threshold stands between two different values: below it lie `flagged` items
    cuts = np.flatnonzero(np.diff(ordered) > 0)
    if criterion == "f1":
        cuts = np.append(cuts, total - 1)  # to flag everything may be the best
    if not len(cuts):
        return -np.inf
    flagged = (cuts + 1).astype(np.float64)
    found = np.cumsum(bad)[cuts].astype(np.float64)
    if criterion == "f1":
        quality = 2 * found / (flagged + positives)
    else:
        spread = flagged * (total - flagged) * positives * (total - positives)
        quality = (found * total - flagged * positives) / np.sqrt(spread)
    best = cuts[int(np.argmax(quality))]
    # The upper of the two values: what lies below it is flagged, and nothing is rounded
    return float(ordered[best + 1]) if best + 1 < total else np.inf
