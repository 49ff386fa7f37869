"""Settings as plain values and back, with errors in plain words."""

from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")


def to_plain_values(kind: TypeAdapter[T], settings: T) -> dict[str, Any]:
    """Settings as names and values that a YAML file can hold.

    Args:
        kind: What the settings are.
        settings: The settings.
    """
    values: dict[str, Any] = kind.dump_python(settings, mode="json")
    return values


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
