"""Check what callers hand in, and say which part of it is wrong."""

import math
from collections.abc import Iterable
from numbers import Integral
from typing import TypeVar, get_args

from headwise.errors import InputError, TextError

Good = TypeVar("Good")
Choice = TypeVar("Choice")


def text_list(texts: object, *, name: str) -> list[str]:
    """Make a list of texts out of any collection of them.

    Raises:
        TextError: If it is one text, or no collection.
    """
    if not isinstance(texts, (str, bytes)) and isinstance(texts, Iterable):
        try:
            return list(texts)
        except TypeError:  # an array without a dimension says that it can be iterated over
            pass
    raise TextError(f"`{name}` must be a list of texts, got {type(texts).__name__}.")


def one_of(given: Choice, choices: object, *, name: str) -> Choice:
    """Refuse what is none of the values of a ``Literal`` (`ValueError`)."""
    if given not in get_args(choices):
        raise ValueError(f"`{name}` must be one of {', '.join(get_args(choices))}, got {given!r}.")
    return given


def at_least_one(number: object, *, name: str) -> None:
    """Refuse what is no whole number of at least 1 (`ValueError`)."""
    if not isinstance(number, Integral) or number < 1:
        raise ValueError(f"`{name}` must be a whole number of at least 1, got {number!r}.")


def not_nan(number: float | None, *, name: str) -> None:
    """Refuse what nothing compares with (`ValueError`)."""
    if number is not None and math.isnan(number):
        raise ValueError(f"`{name}` must be a number, got {number!r}.")


def all_good(results: Iterable[Good | InputError], *, name: str | None) -> list[Good]:
    """The results, if there is no error among them.

    ``name`` is what the caller calls the list, for the error; ``None`` if the input was no list.

    Raises:
        InputError: The first error; its message names the input's place.
    """
    good: list[Good] = []
    for index, result in enumerate(results):
        if isinstance(result, InputError):
            raise result if name is None else type(result)(f"{name}[{index}]: {result}")
        good.append(result)
    return good


def is_pair(given: object) -> bool:
    """Whether something is two things side by side; a text is not, though it may have two letters.

    What the two are, the encoder says.
    """
    return isinstance(given, (tuple, list)) and len(given) == 2


def broadcast_pairs(premises: object, hypotheses: object) -> tuple[list[tuple[str, str]], bool]:
    """Lay premises and hypotheses side by side; one text goes with all on the other side.

    With the pairs comes whether both sides were one text.

    Raises:
        ValueError: If two lists differ in length.
        TextError: If a side is neither text nor a list of texts.
    """
    if isinstance(premises, str) and isinstance(hypotheses, str):
        return [(premises, hypotheses)], True
    if isinstance(premises, str):
        return [(premises, text) for text in text_list(hypotheses, name="hypotheses")], False
    if isinstance(hypotheses, str):
        return [(text, hypotheses) for text in text_list(premises, name="premises")], False
    left = text_list(premises, name="premises")
    right = text_list(hypotheses, name="hypotheses")
    if len(left) != len(right):
        raise ValueError(
            f"`premises` and `hypotheses` must have the same length, got {len(left)} and "
            f"{len(right)}; give one text instead of a list to pair it with all of the other side."
        )
    return list(zip(left, right, strict=True)), False
