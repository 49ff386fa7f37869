"""How a number is written for a reader: one dash, one minus, one sign of infinity everywhere."""

import math
from collections.abc import Iterable

MINUS = "\N{MINUS SIGN}"
UNDEFINED = "\N{EN DASH}"
# What a float32 score can be trusted to hold, and what a reader can compare
_MOST_DIGITS = 6
_SCIENTIFIC = 1e7


def number(value: float | None, decimals: int = 3) -> str:
    """A number with a true minus, grouped thousands, and a dash for ``None`` and NaN.

    Large numbers get fewer decimals, six digits in all, and from ten million on a power of ten.
    """
    if value is None or math.isnan(value):
        return UNDEFINED
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    if abs(value) >= _SCIENTIFIC:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa}e{int(exponent)}".replace("-", MINUS)
    whole_digits = len(str(int(abs(value))))
    shown = f"{value:,.{min(decimals, max(_MOST_DIGITS - whole_digits, 0))}f}"
    if not shown.strip("-0.,"):
        shown = shown.lstrip("-")  # what rounds to zero has no sign
    return shown.replace("-", MINUS)


def decimals_for(values: Iterable[float | None]) -> int:
    """Decimals, 0 to 6, that suit a column: three significant digits of its largest number.

    Between 0.01 and 10, where most metrics lie, that is three decimals. Numbers below 10 have
    at least two, however large others are. Counts, whole numbers of which one is 10 or more,
    have none. Numbers that are not finite do not count.
    """
    sizes = [abs(v) for v in values if v is not None and math.isfinite(v)]
    largest = max(sizes, default=0.0)
    if largest == 0.0 or 0.01 <= largest < 10.0:
        return 3
    if largest >= 10.0 and all(size.is_integer() for size in sizes):
        return 0
    decimals = min(max(2 - math.floor(math.log10(largest)), 0), _MOST_DIGITS)
    return max(decimals, 2) if min(sizes) < 10.0 else decimals


def single(value: float) -> str:
    """A number that stands alone: whole ones without decimals, large ones with one."""
    if not math.isfinite(value) or value.is_integer():
        return number(value, 0)
    return number(value, 3 if abs(value) < 100 else 1)


def interval(low: float | None, high: float | None, decimals: int = 3) -> str | None:
    """Both ends of an interval in brackets, or ``None`` if one is not known."""
    if low is None or high is None:
        return None
    return f"[{number(low, decimals)}, {number(high, decimals)}]"


def p_value(value: float | None) -> str:
    """A p-value as papers write it: ``p = 0.032``, ``p < 0.001``; ``None`` and NaN: undefined."""
    if value is None or math.isnan(value):
        return "p undefined"
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def setting(value: str | int | float | bool) -> str:
    """A setting as a reader meets it: yes and no, grouped thousands, no needless zeros."""
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}" if abs(value) >= 10_000 else str(value)
        case float():
            return f"{value:.6g}"
        case _:
            return str(value)


# Control characters would steer a terminal or vanish from HTML. Each becomes one visible
# character, so that offsets into the text stay what they were.
_VISIBLE_CONTROLS = {
    **{code: 0x2400 + code for code in range(0x20)},
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
    ord("\n"): ord("\n"),
    ord("\r"): ord(" "),
    ord("\t"): ord(" "),
}


def printable(text: str) -> str:
    """The text with every control character made visible, one for one; line feeds stay."""
    return text.translate(_VISIBLE_CONTROLS)
