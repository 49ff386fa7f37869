"""How numbers are written: the same digits in the page, in Markdown and in a terminal."""

import math
from collections.abc import Iterable

from headwise.quality.number_text import number

_MOST_DECIMALS = 6


def decimals_for(values: Iterable[float | None]) -> int:
    """Decimals that suit a whole column: three significant digits of its largest number.

    Between 0.01 and 10, where most metrics lie, that is three decimals. Numbers below 10 have
    at least two, however large others are. Counts, whole numbers of which one is 10 or more,
    have none.

    Args:
        values: The numbers of the column; those that are not finite do not count.

    Returns:
        A number of decimals from 0 to 6.
    """
    sizes = [abs(v) for v in values if v is not None and math.isfinite(v)]
    largest = max(sizes, default=0.0)
    if largest == 0.0 or 0.01 <= largest < 10.0:
        return 3
    if largest >= 10.0 and all(size.is_integer() for size in sizes):
        return 0
    decimals = min(max(2 - math.floor(math.log10(largest)), 0), _MOST_DECIMALS)
    return max(decimals, 2) if min(sizes) < 10.0 else decimals


def single(value: float) -> str:
    """A number that stands alone: whole ones without decimals, large ones with one.

    Args:
        value: The number.
    """
    if not math.isfinite(value) or value.is_integer():
        return number(value, 0)
    return number(value, 3 if abs(value) < 100 else 1)


def interval(low: float | None, high: float | None, decimals: int = 3) -> str | None:
    """Both ends of an interval in brackets, or ``None`` if one is not known.

    Args:
        low: Lower end.
        high: Upper end.
        decimals: Digits after the point.
    """
    if low is None or high is None:
        return None
    return f"[{number(low, decimals)}, {number(high, decimals)}]"


def p_value(value: float | None) -> str:
    """A p-value as papers write it, such as ``p = 0.032`` or ``p < 0.001``.

    Args:
        value: The probability, ``None`` or NaN if the test is undefined.
    """
    if value is None or math.isnan(value):
        return "p undefined"
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def setting(value: str | int | float | bool) -> str:
    """A setting as a reader meets it: yes and no, grouped thousands, no needless zeros.

    Args:
        value: The setting.
    """
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}" if abs(value) >= 10_000 else str(value)
        case float():
            return f"{value:.6g}"
        case _:
            return str(value)
