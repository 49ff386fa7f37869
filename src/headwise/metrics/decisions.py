"""How good decisions are: items that are flagged, against items that are wrong.

A flag is a claim that an item is wrong. Wrong items are therefore the positive ones.
"""

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from headwise.metrics.inputs import (
    Floats,
    checked_labels,
    same_length,
)
from headwise.metrics.metric import NO_ITEMS, Metric, ratio, undefined
from headwise.metrics.resampled import (
    Weighted,
    checked_weights,
    products,
    quotient,
    totals,
    weighted_ratio,
)


class _Confusion(NamedTuple):
    caught: int
    false_alarms: int
    missed: int
    passed: int

    @property
    def items(self) -> int:
        return sum(self)


def matthews(flagged: ArrayLike, wrong: ArrayLike) -> Metric:
    """Correlation of flags and wrong items.

    Args:
        flagged: Which items are flagged, ``(n,)``, booleans or 0 and 1.
        wrong: Which items are wrong, ``(n,)``, likewise.

    Returns:
        The Matthews correlation coefficient ``mcc`` in [-1, 1], 0 for chance; undefined if all
        items or none are flagged, or all or none are wrong.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ.

    References:
        Matthews 1975, Biochimica et Biophysica Acta 405.
    """
    table = _confusion(flagged, wrong)
    margins = {
        "No item is flagged.": table.caught + table.false_alarms,
        "All items are flagged.": table.missed + table.passed,
        "No item is wrong.": table.caught + table.missed,
        "All items are wrong.": table.false_alarms + table.passed,
    }
    for reason, margin in margins.items():
        if not margin:
            return undefined("mcc", reason if table.items else NO_ITEMS, count=table.items)
    covariance = table.caught * table.passed - table.false_alarms * table.missed
    value = covariance / math.sqrt(math.prod(margins.values()))
    return Metric(name="mcc", value=min(1.0, max(-1.0, value)), count=table.items)


def f1(flagged: ArrayLike, wrong: ArrayLike, *, of: Literal["wrong", "right"]) -> Metric:
    """Harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN).

    Args:
        flagged: Which items are flagged, ``(n,)``, booleans or 0 and 1.
        wrong: Which items are wrong, ``(n,)``, likewise.
        of: Which class is the positive one: ``wrong`` items, found by a flag, or ``right`` items,
            found by the absence of one.

    Returns:
        ``f1_wrong`` or ``f1_right`` in [0, 1]; undefined if the class neither occurs nor is
        claimed.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ.

    References:
        van Rijsbergen 1979, Information Retrieval, chapter 7.
    """
    if of not in ("wrong", "right"):
        raise ValueError(f"`of` must be 'wrong' or 'right', got {of!r}.")
    table = _confusion(flagged, wrong)
    found = table.caught if of == "wrong" else table.passed
    errors = table.false_alarms + table.missed
    reason = "No item is wrong or flagged." if of == "wrong" else "All items are wrong and flagged."
    return ratio(f"f1_{of}", 2 * found, 2 * found + errors, reason=reason, count=table.items)


def precision(flagged: ArrayLike, wrong: ArrayLike) -> Metric:
    """Share of flagged items that are wrong.

    Args:
        flagged: Which items are flagged, ``(n,)``, booleans or 0 and 1.
        wrong: Which items are wrong, ``(n,)``, likewise.

    Returns:
        ``precision`` in [0, 1]; undefined if no item is flagged.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ.
    """
    table = _confusion(flagged, wrong)
    claimed = table.caught + table.false_alarms
    return ratio(
        "precision", table.caught, claimed, reason="No item is flagged.", count=table.items
    )


def recall(flagged: ArrayLike, wrong: ArrayLike) -> Metric:
    """Share of wrong items that are flagged.

    Args:
        flagged: Which items are flagged, ``(n,)``, booleans or 0 and 1.
        wrong: Which items are wrong, ``(n,)``, likewise.

    Returns:
        ``recall`` in [0, 1]; undefined if no item is wrong.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ.
    """
    table = _confusion(flagged, wrong)
    present = table.caught + table.missed
    return ratio("recall", table.caught, present, reason="No item is wrong.", count=table.items)


def _confusion(flagged: ArrayLike, wrong: ArrayLike) -> _Confusion:
    flags, errors = checked_labels(flagged, name="flagged"), checked_labels(wrong, name="wrong")
    count = same_length(flagged=flags, wrong=errors)
    caught = int(np.count_nonzero(flags & errors))
    false_alarms = int(np.count_nonzero(flags)) - caught
    missed = int(np.count_nonzero(errors)) - caught
    # Python's integers, since the product of the margins of a million items overflows 64 bits
    return _Confusion(caught, false_alarms, missed, count - caught - false_alarms - missed)


def weighted_matthews(flagged: ArrayLike, wrong: ArrayLike) -> Weighted:
    """Matthews correlation of what is flagged and what is wrong.

    Args:
        flagged: Which items are flagged, ``(n,)``, booleans or 0 and 1.
        wrong: Which items are wrong, ``(n,)``, likewise.

    Returns:
        The statistic, in [-1, 1]; undefined where all items or none are flagged or wrong.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ.
    """
    flags = checked_labels(flagged, name="flagged")
    errors = checked_labels(wrong, name="wrong")
    count = same_length(flagged=flags, wrong=errors)
    columns = [column.astype(np.float64) for column in (flags, errors, flags & errors)]

    def matthews(weights: Floats) -> Floats:
        checked_weights(weights, count=count)
        items = totals(weights)
        marked, bad, caught = (products(weights, column) for column in columns)
        spread = np.sqrt(marked * (items - marked)) * np.sqrt(bad * (items - bad))
        return np.clip(quotient(caught * items - marked * bad, spread), -1.0, 1.0)

    return matthews


def weighted_f1(flagged: ArrayLike, wrong: ArrayLike, *, of: Literal["wrong", "right"]) -> Weighted:
    """F1 of finding the wrong items, or of leaving the right ones alone.

    Args:
        flagged: Which items are flagged, ``(n,)``, booleans or 0 and 1.
        wrong: Which items are wrong, ``(n,)``, likewise.
        of: Which class is the positive one.

    Returns:
        The statistic, in [0, 1]; undefined where the class neither occurs nor is claimed.

    Raises:
        ValueError: If an argument is not flat, holds other values, or the lengths differ; if
            there is no such class.
    """
    flags = checked_labels(flagged, name="flagged")
    errors = checked_labels(wrong, name="wrong")
    same_length(flagged=flags, wrong=errors)
    if of not in ("wrong", "right"):
        raise ValueError(f"`of` must be 'wrong' or 'right', got {of!r}.")
    claimed, present = (flags, errors) if of == "wrong" else (~flags, ~errors)
    return weighted_ratio(2.0 * (claimed & present), claimed.astype(np.float64) + present)
