"""Options that name several of a closed set."""

from enum import StrEnum
from typing import TypeVar

E = TypeVar("E", bound=StrEnum)


def choices(names: str, kind: type[E], *, option: str) -> tuple[E, ...]:
    """Read names with commas between them.

    Args:
        names: What the user gave.
        kind: The set.
        option: The option, for the message.

    Raises:
        ValueError: If there is no name, or one is not in the set; the message lists it.
    """
    given = [name.strip() for name in names.split(",") if name.strip()]
    known = {member.value: member for member in kind}
    wrong = next((name for name in given if name not in known), None)
    if wrong is not None or not given:
        raise ValueError(
            f"{option} must name one or more of {', '.join(known)}, got {wrong or names!r}."
        )
    return tuple(known[name] for name in dict.fromkeys(given))
