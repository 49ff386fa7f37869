"""Values of rows that come from outside, and how errors speak of them."""

import math


def kind_of(value: object) -> str:
    """The kind of a value, as an error names it."""
    return "null" if value is None else type(value).__name__


def parse_number(value: object) -> float | None:
    """A number that stands in a row, as a value or as text.

    Args:
        value: A number; a text that is one; or ``None``, NaN, or a text that is empty or ``nan``
            in any case, which all say that there is none.

    Returns:
        The number, finite; ``None`` if there is none.

    Raises:
        ValueError: If it is something else, such as a truth value, an infinity or a word.
    """
    if value is None:
        return None
    if isinstance(value, str):
        value = value.strip()
        if not value:
            return None
    # Python reads 1_000 as a number, which no other program does
    if not isinstance(value, (str, int, float)) or isinstance(value, bool) or "_" in str(value):
        raise ValueError(f"a number is needed, got {value!r}")
    try:
        number = float(value)
    except (ValueError, OverflowError):  # an integer can have hundreds of digits
        raise ValueError(f"a number is needed, got {value!r}") from None
    if math.isinf(number):
        raise ValueError(f"a finite number is needed, got {value!r}")
    return None if math.isnan(number) else number
