"""How a number is written for a reader: one dash, one minus, one sign of infinity everywhere."""

import math

MINUS = "\N{MINUS SIGN}"
UNDEFINED = "\N{EN DASH}"
# What a float32 score can be trusted to hold, and what a reader can compare.
_MOST_DIGITS = 6
_SCIENTIFIC = 1e7


def number(value: float | None, decimals: int = 3) -> str:
    """A number with a true minus, grouped thousands, and a dash for what is not defined.

    Args:
        value: The number, ``None`` or NaN if there is none.
        decimals: Digits after the point; large numbers get fewer, six digits in all, and from
            ten million on a power of ten.
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
