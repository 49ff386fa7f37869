"""Settings from plain values, with errors in plain words."""

from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")


def from_plain_values(kind: TypeAdapter[T], values: dict[str, Any]) -> T:
    """Check values and make settings of them.

    Args:
        kind: What the settings are.
        values: Names and values, as options or a YAML file have them.

    Raises:
        ValueError: If a name or a value is none of theirs; the message says which.
    """
    try:
        return kind.validate_python(values)
    except ValidationError as error:
        found = []
        for one in error.errors(include_url=False):
            where = ".".join(map(str, one["loc"]))
            # What our own checks say names the value already
            said = one["msg"].removeprefix("Value error, ").removesuffix(".")
            found.append(f"{where}: {said}, got {one['input']!r:.60}" if where else said)
        raise ValueError("; ".join(found) + ".") from None
