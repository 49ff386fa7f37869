"""Numbers in digits, which any text may hold, and an edit of one."""

import random
import re

from headwise.training.corruption.synthetic_errors import Edit

_NUMBER = re.compile("[0-9]+")


def count_numbers(text: str) -> int:
    """How many runs of digits a text has; *3.5* and *10:30* have two, *20th* has one."""
    return sum(1 for _ in _NUMBER.finditer(text))


def other_number(text: str, rng: random.Random) -> Edit | None:
    """Change a run of digits; it keeps its length. ``None`` if there is none."""
    found = list(_NUMBER.finditer(text))
    if not found:
        return None
    match = rng.choice(found)
    old = new = match.group()
    while new == old:
        first = rng.choice("0123456789" if old[0] == "0" else "123456789")
        new = first + "".join(rng.choices("0123456789", k=len(old) - 1))
    start, end = match.span()
    return Edit(text[:start] + new + text[end:], start, end)
