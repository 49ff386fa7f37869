"""How good decisions are: items that are flagged, against items that are wrong.

A flag is a claim that an item is wrong. Wrong items are therefore the positive ones.
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from headwise.metrics import weighted_rows as rows
from headwise.metrics.inputs import Bools, Floats, checked_labels, same_length
from headwise.metrics.metric import NO_ITEMS
from headwise.metrics.resampled import ResampledMetric, Statistic, ratio


@ResampledMetric
def matthews(flagged: ArrayLike, wrong: ArrayLike) -> Statistic:
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
    flags, errors = _checked(flagged, wrong)
    needed = {
        NO_ITEMS: np.ones_like(flags),
        "No item is flagged.": flags,
        "All items are flagged.": ~flags,
        "No item is wrong.": errors,
        "All items are wrong.": ~errors,
    }
    columns = [column.astype(np.float64) for column in (flags, errors, flags & errors)]

    def coefficient(weights: Floats) -> Floats:
        items = rows.totals(weights)
        marked, bad, caught = (rows.products(weights, column) for column in columns)
        # The root of a square is exact, so that flags that are all right reach 1
        spread = np.sqrt((marked * (items - marked)) * (bad * (items - bad)))
        return np.clip(rows.quotient(caught * items - marked * bad, spread), -1.0, 1.0)

    reason = next((why for why, found in needed.items() if not found.any()), None)
    return Statistic(name="mcc", values=coefficient, count=len(flags), reason=reason)


@ResampledMetric
def f1(flagged: ArrayLike, wrong: ArrayLike, *, of: Literal["wrong", "right"]) -> Statistic:
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
    claimed, present = _checked(flagged, wrong)
    reason = "No item is wrong or flagged."
    if of == "right":
        claimed, present = ~claimed, ~present
        reason = "All items are wrong and flagged."
    whole = claimed.astype(np.float64) + present
    return ratio(f"f1_{of}", 2.0 * (claimed & present), whole, reason=reason)


@ResampledMetric
def precision(flagged: ArrayLike, wrong: ArrayLike) -> Statistic:
    """Share of flagged items that are wrong, ``precision`` in [0, 1].

    Arguments and errors are those of `matthews`; undefined if no item is flagged.
    """
    flags, errors = _checked(flagged, wrong)
    return ratio("precision", flags & errors, flags, reason="No item is flagged.")


@ResampledMetric
def recall(flagged: ArrayLike, wrong: ArrayLike) -> Statistic:
    """Share of wrong items that are flagged, ``recall`` in [0, 1].

    Arguments and errors are those of `matthews`; undefined if no item is wrong.
    """
    flags, errors = _checked(flagged, wrong)
    return ratio("recall", flags & errors, errors, reason="No item is wrong.")


def _checked(flagged: ArrayLike, wrong: ArrayLike) -> tuple[Bools, Bools]:
    flags, errors = checked_labels(flagged, name="flagged"), checked_labels(wrong, name="wrong")
    same_length(flagged=flags, wrong=errors)
    return flags, errors
