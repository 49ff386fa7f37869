"""Thresholds on an uncertainty: the model answers where the uncertainty lies below.

Items of one uncertainty are answered together or not at all.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headwise.metrics.inputs import Floats
from headwise.metrics.selective import answered_count

# Tests begin with so many answers that this many errors would be expected at the risk; with
# fewer, a single unlucky error among the surest answers would end the search. Of few items, with
# a quarter of them; of many with a twentieth, so that more items make a test surer
_ERRORS_AT_START, _OF_FEW, _OF_MANY = 10.0, 1 / 4, 1 / 20
# How many more items are imagined, and by what factor their number grows
_MOST_TIMES, _STEP = 10_000.0, 1.05
# Fewer items do not tell how often such items err
_FEWEST_SEEN = 20


def threshold_for_coverage(uncertainty: ArrayLike, *, coverage: float) -> float:
    """A threshold that answers the fewest items that make up a share.

    Args:
        uncertainty: Of each item, ``(n,)``, finite.
        coverage: Share of items to answer at least, in (0, 1].

    Returns:
        The threshold.

    Raises:
        ValueError: If there are no items, or ``coverage`` is out of range.
    """
    if not 0.0 < coverage <= 1.0:
        raise ValueError(f"`coverage` must lie in (0, 1], got {coverage}.")
    values, ends = _steps(uncertainty)
    wanted = answered_count(len(values), coverage)
    return _after(values, int(ends[np.searchsorted(ends, wanted)]))


def threshold_for_risk(uncertainty: ArrayLike, wrong: ArrayLike, *, risk: float) -> float | None:
    """The threshold that answers most while the share of errors among answers keeps a bound.

    The bound holds for these items; for a promise about others see
    :func:`threshold_with_guarantee`.

    Args:
        uncertainty: Of each item, ``(n,)``, finite.
        wrong: Whether the model is wrong about it, ``(n,)``.
        risk: Share of errors among answers at most, in (0, 1).

    Returns:
        The threshold; ``None`` if no threshold keeps the bound.

    Raises:
        ValueError: If there are no items, lengths differ, or ``risk`` is out of range.

    References:
        Geifman & El-Yaniv 2017, arXiv 1705.08500, section 2.
    """
    values, ends, errors = _answered(uncertainty, wrong, risk=risk)
    good = np.flatnonzero(errors <= risk * ends)
    return _after(values, int(ends[good[-1]])) if len(good) else None


def threshold_with_guarantee(
    uncertainty: ArrayLike, wrong: ArrayLike, *, risk: float, confidence: float = 0.95
) -> float | None:
    """A threshold whose error rate among answers, on new items, keeps a bound.

    Thresholds are tested in the order of rising coverage, each by the exact binomial test of
    "the error rate is above the risk", until one is not rejected. With the given probability over
    the draw of these items, the error rate of the returned threshold is at most the risk, if
    items are independent and of the new ones' kind, did not take part in training or choosing the
    model, and the error rate does not fall as more is answered. Items that err together, such as
    pairs of one premise, count for less than as many independent ones: the promise is then weaker.

    Args:
        uncertainty: Of each item, ``(n,)``, finite.
        wrong: Whether the model is wrong about it, ``(n,)``.
        risk: Bound on the error rate among answers, in (0, 1).
        confidence: Probability that the bound holds, in (0, 1).

    Returns:
        The threshold; ``None`` if the items do not suffice for any.

    Raises:
        ValueError: If there are no items, lengths differ, or a share is out of range.

    References:
        Angelopoulos et al. 2021, arXiv 2110.01052 (fixed sequence testing); Geifman & El-Yaniv
        2017, arXiv 1705.08500 (a guaranteed risk).
    """
    check_share(confidence, name="confidence")
    values, ends, errors = _answered(uncertainty, wrong, risk=risk)
    last = last_proven(errors, ends, len(values), risk=risk, confidence=confidence)
    return None if last is None else _after(values, int(ends[last]))


def last_proven(
    errors: NDArray[np.int64],
    answered: NDArray[np.int64],
    count: int,
    *,
    risk: float,
    confidence: float,
) -> int | None:
    """How far thresholds can be lowered, each tested in turn, until one is not proven to be good.

    Args:
        errors: Errors among the answers that each threshold gives, ``(t,)``.
        answered: How many answers it gives, ``(t,)``, rising.
        count: How many items there are, ``n``.
        risk: Bound on the error rate among answers, in (0, 1).
        confidence: Probability that it holds for all thresholds up to the one returned, in (0, 1).

    Returns:
        Index of the last one; ``None`` if not even the first can be proven.

    References:
        Angelopoulos et al. 2021, arXiv 2110.01052 (fixed sequence testing).
    """
    first = _first_test(answered, count, risk=risk, confidence=confidence)
    from scipy.stats import binom  # half a second, which nobody pays who asks for no promise

    p_values = binom.cdf(errors[first:], answered[first:], risk)
    # A product, for testing ends at the first threshold that is not rejected
    rejected = int(np.cumprod(p_values <= 1.0 - confidence).sum())
    return first + rejected - 1 if rejected else None


def items_needed(
    uncertainty: ArrayLike, wrong: ArrayLike, *, risk: float, confidence: float = 0.95
) -> int | None:
    """About how many items of this kind a promise would take, where these are too few.

    It is how many times as many would let :func:`threshold_with_guarantee` begin, if they erred as
    often as those of the same rank here: as the surest twenty, where it would begin before them,
    and with half an error more in one item more (Jeffreys), for none among a few may be luck.

    Args:
        uncertainty: Of each item, ``(n,)``, finite.
        wrong: Whether the model is wrong about it, ``(n,)``.
        risk: Bound on the error rate among answers, in (0, 1).
        confidence: Probability that the bound holds, in (0, 1).

    Returns:
        A number of items; ``None`` if ten thousand times as many would not do, since the surest
        items err too often.

    Raises:
        ValueError: As :func:`threshold_with_guarantee`.
    """
    check_share(confidence, name="confidence")
    values, ends, errors = _answered(uncertainty, wrong, risk=risk)
    from scipy.stats import binom

    count, times = len(values), 1.0
    seen = min(int(np.searchsorted(ends, _FEWEST_SEEN)), len(ends) - 1)
    while times <= _MOST_TIMES:
        more = times * ends
        first = _first_test(more, times * count, risk=risk, confidence=confidence)
        if first < len(more):
            told = max(first, seen)
            rate = (errors[told] + 0.5) / (ends[told] + 1.0)
            found = binom.cdf(np.ceil(rate * more[first]), np.floor(more[first]), risk)
            if found <= 1.0 - confidence:
                return math.ceil(times * count)
        times *= _STEP
    return None


def _first_test(ends: NDArray[Any], count: float, *, risk: float, confidence: float) -> int:
    """The first of the thresholds that answer so many of ``count`` items that testing begins."""
    fewest = np.log(1.0 - confidence) / np.log(1.0 - risk)  # of which none may be wrong
    start = max(fewest, min(_ERRORS_AT_START / risk, _OF_FEW * count), _OF_MANY * count)
    return int(np.searchsorted(ends, start))


def check_share(share: float, *, name: str) -> None:
    """Refuse a number that does not lie between 0 and 1.

    Raises:
        ValueError: If it does not; the message calls it ``name``.
    """
    if not 0.0 < share < 1.0:
        raise ValueError(f"`{name}` must lie in (0, 1), got {share}.")


def _answered(
    uncertainty: ArrayLike, wrong: ArrayLike, *, risk: float
) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    """Sorted values, numbers of answers that a threshold can give, and errors among them."""
    check_share(risk, name="risk")
    errors = np.asarray(wrong, bool)
    unsorted = np.asarray(uncertainty, np.float64)
    if errors.shape != unsorted.shape:
        raise ValueError(
            f"`uncertainty` and `wrong` must be of one shape, got {unsorted.shape} and "
            f"{errors.shape}."
        )
    values, ends = _steps(unsorted)
    sums = np.cumsum(errors[np.argsort(unsorted, kind="stable")])
    return values, ends, sums[ends - 1]


def _steps(uncertainty: ArrayLike) -> tuple[Floats, NDArray[np.int64]]:
    """Values in rising order, and how many items lie at or below each distinct one."""
    values = np.sort(np.asarray(uncertainty, np.float64))
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise ValueError(
            f"`uncertainty` must be flat, finite and not empty, got shape {values.shape}."
        )
    return values, np.append(np.flatnonzero(np.diff(values)) + 1, len(values))


def _after(values: Floats, count: int) -> float:
    """A threshold above the ``count`` lowest values and not above the next one."""
    last = values[count - 1]
    return between(last, values[count] if count < len(values) else max(1.0, last) + 1e-6)


def between(last: float, following: float) -> float:
    """A threshold above one value and not above the next."""
    # Models compare in float32, where no number may lie between neighbours
    middle = float(np.float32((last + following) / 2))
    return middle if last < middle <= following else float(following)
