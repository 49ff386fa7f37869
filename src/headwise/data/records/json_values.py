"""Values of rows that come from outside, and how errors speak of them."""

import math
import re
from collections.abc import Iterable
from typing import TypeVar

from headwise.errors import InputError

T = TypeVar("T")

_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")

_CALLED = {int: "an integer", str: "a string", list: "a list", dict: "an object"}


def kind_of(value: object) -> str:
    """The kind of a value, as an error names it."""
    return "null" if value is None else type(value).__name__


def listed(names: Iterable[str]) -> str:
    """Names of columns, as an error lists them."""
    return ", ".join(f"`{name}`" for name in names) or "none"


def expect(value: object, kind: type[T], what: str, called: str | None = None) -> T:
    """A value of a row, which must be of a kind; a truth value is no integer.

    ``what`` the value is begins an error; ``called`` says what it must be beyond its kind.

    Raises:
        InputError: If it is of another kind.
    """
    if type(value) is not kind:
        raise InputError(f"{what} must be {called or _CALLED[kind]}, got {kind_of(value)}.")
    return value


def parse_number(value: object) -> float | None:
    """A finite number that stands in a row, as a value or as text; ``None`` if there is none.

    There is none if it is ``None``, NaN, or a text that is empty or ``nan`` in any case. A text
    may have a comma as its decimal point, as spreadsheets in many countries write it.

    Raises:
        ValueError: If it is something else, such as a truth value, an infinity or a word.
    """
    if isinstance(value, str):
        value = value.strip()
        if _THOUSANDS.fullmatch(value):
            raise ValueError(
                f"{value!r} is one number or a thousand times it; write it without a comma"
            )
        if _DECIMAL_COMMA.fullmatch(value):
            value = value.replace(",", ".")
    if value is None or value == "":
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
