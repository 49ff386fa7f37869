"""Settings as plain values and back, with errors in plain words."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

T = TypeVar("T")


def to_plain_values(kind: TypeAdapter[T], settings: T) -> dict[str, Any]:
    """Settings as names and values that a YAML file can hold.

    Args:
        kind: What the settings are.
        settings: The settings.
    """
    values: dict[str, Any] = kind.dump_python(settings, mode="json")
    return values


def flattened(values: Mapping[str, Any], *, between: str = " ", before: str = "") -> dict[str, Any]:
    """Values without mappings in them: a part's name stands behind that of the whole."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat |= flattened(value, between=between, before=f"{before}{name}{between}")
        else:
            flat[before + name] = value
    return flat


# In our own words, which name the setting first
_BOUNDS = {
    "greater_than_equal": ("must be at least", "ge"),
    "greater_than": ("must be more than", "gt"),
    "less_than_equal": ("must be at most", "le"),
    "less_than": ("must be less than", "lt"),
}


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
        found = map(_in_words, error.errors(include_url=False))
        raise ValueError("; ".join(found) + ".") from None


def _in_words(error: ErrorDetails) -> str:
    # Members of a union have a part of their own, which is no name
    where = ".".join(str(part) for part in error["loc"] if str(part).isidentifier())
    got = f", got {error['input']!r:.60}"
    if error["type"] in _BOUNDS:
        words, bound = _BOUNDS[error["type"]]
        limit = error["ctx"][bound]
        is_positive = error["type"] == "greater_than" and limit == 0
        return f"`{where}` {'must be positive' if is_positive else f'{words} {limit}'}{got}"
    said = error["msg"].removeprefix("Value error, ").removesuffix(".")
    # What our own checks say names the value already
    return f"{where}: {said}{got}" if where else said
