"""Sizes and shares that heads are built with, checked."""

import operator
from typing import SupportsIndex

from torch import nn


def whole_number(name: str, value: SupportsIndex, *, least: int = 1) -> int:
    """Read a size; NumPy's integers are as good as Python's.

    Args:
        name: What the caller calls it.
        value: What was given.
        least: The smallest size that is allowed.

    Raises:
        ValueError: If it is no whole number, or below ``least``.
    """
    try:
        # True is a whole number to Python, and surely a mistake
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or number < least:
        raise ValueError(f"`{name}` must be a whole number of at least {least}, got {value!r}.")
    return number


def dropout_layer(share: float) -> nn.Dropout:
    """Make dropout that leaves something.

    Raises:
        ValueError: If ``share`` is not in [0, 1).
    """
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0.0 <= share < 1.0:
        raise ValueError(f"`dropout` must be a number in [0, 1), got {share!r}.")
    return nn.Dropout(share)
