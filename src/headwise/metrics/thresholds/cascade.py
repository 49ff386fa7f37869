"""One threshold for all stages of a cascade: the first stage whose quality reaches it answers."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headwise.metrics.inputs import Floats
from headwise.metrics.thresholds.abstention import between, check_share, last_proven

# Where a stage that always answers is the only one that can be proven
_ABOVE_ALL = 1.0 + 1e-6


def answering_stage(quality: ArrayLike, *, threshold: float) -> NDArray[np.int64]:
    """The stage that answers each item.

    Args:
        quality: Of each stage's answer, ``(n, k)``; NaN where a stage has none, infinite for a
            stage that always answers.
        threshold: From which quality on an answer is given.

    Returns:
        Indices of stages, ``(n,)``; ``k`` where none answers.
    """
    accepted = _qualities(quality) >= threshold
    stage: NDArray[np.int64] = np.where(
        accepted.any(axis=1), accepted.argmax(axis=1), accepted.shape[1]
    )
    return stage


def cascade_steps(
    quality: ArrayLike, wrong: ArrayLike
) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    """Every threshold that makes a difference, from the strictest on.

    Args:
        quality: As in :func:`answering_stage`.
        wrong: Whether each stage's answer is wrong, ``(n, k)``.

    Returns:
        Qualities in falling order, each the threshold at which answers of that quality are given,
        how many answers that makes, and how many of these are wrong; all ``(t,)``. It is
        infinite at first if a stage always answers.

    Raises:
        ValueError: If shapes differ, there are no items, or no stage has a quality.
    """
    values = _qualities(quality)
    errors = np.asarray(wrong, bool)
    if errors.shape != values.shape:
        raise ValueError(
            f"`quality` and `wrong` must be of one shape, got {values.shape} and {errors.shape}."
        )
    count, stages = values.shape
    flat = values.ravel()
    order = np.argsort(-flat, kind="stable")
    order = order[flat[order] > -np.inf]
    if not len(order):
        raise ValueError("No stage has a quality for any item.")
    answers = np.zeros(len(order), np.int64)
    mistakes = np.zeros(len(order), np.int64)
    current = np.full(count, stages)
    for place, cell in enumerate(order):
        item, stage = divmod(int(cell), stages)
        before = current[item]
        if stage >= before:
            continue  # an earlier stage answers it already
        current[item] = stage
        answers[place] = before == stages
        mistakes[place] = int(errors[item, stage]) - (
            int(errors[item, before]) if before < stages else 0
        )
    # Items of one quality are answered together
    sorted_values = flat[order]
    last = np.append(sorted_values[1:] != sorted_values[:-1], True)
    return sorted_values[last], np.cumsum(answers)[last], np.cumsum(mistakes)[last]


def cascade_threshold_with_guarantee(
    quality: ArrayLike, wrong: ArrayLike, *, risk: float, confidence: float = 0.95
) -> float | None:
    """The lowest threshold whose share of wrong answers, on new items, keeps a bound.

    Thresholds are tested from the strictest on, as in
    :func:`~headwise.metrics.thresholds.abstention.threshold_with_guarantee`, of which this is the
    form for several stages: lowering the threshold answers more items, and answers some by an
    earlier stage that a later one answered before. Under the same conditions, with the given
    probability at most a share ``risk`` of the answers to new items are wrong.

    Args:
        quality: Of each stage's answer, ``(n, k)``, as in :func:`answering_stage`.
        wrong: Whether each stage's answer is wrong, ``(n, k)``.
        risk: Bound on the share of wrong answers, in (0, 1).
        confidence: Probability that the bound holds, in (0, 1).

    Returns:
        The threshold; ``None`` if the items do not suffice for any.

    Raises:
        ValueError: If shapes differ, there are no items, or a share is out of range.

    References:
        Angelopoulos et al. 2021, arXiv 2110.01052 (fixed sequence testing); Chen et al. 2023,
        arXiv 2305.05176 (cascades of language models).
    """
    check_share(risk, name="risk")
    check_share(confidence, name="confidence")
    values, answers, errors = cascade_steps(quality, wrong)
    count = len(_qualities(quality))
    last = last_proven(errors, answers, count, risk=risk, confidence=confidence)
    if last is None:
        return None
    lowest = float(values[last])
    if last + 1 == len(values):
        return lowest if np.isfinite(lowest) else _ABOVE_ALL
    excluded = float(values[last + 1])
    return between(excluded, lowest if np.isfinite(lowest) else max(_ABOVE_ALL, excluded + 1e-6))


def _qualities(quality: ArrayLike) -> NDArray[Any]:
    values = np.asarray(quality, np.float64)
    if values.ndim != 2 or not values.size:
        raise ValueError(f"`quality` must be (n, k) and not empty, got shape {values.shape}.")
    return np.where(np.isnan(values), -np.inf, values)
