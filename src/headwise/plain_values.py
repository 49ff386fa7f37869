"""Settings as plain values and back, with errors in plain words."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from headwise.documents import read_json
from headwise.errors import DataError
from headwise.files import atomic_path, naming_output

T = TypeVar("T")
R = TypeVar("R", bound=BaseModel)

Share = Annotated[float, Field(gt=0.0, lt=1.0)]
"""A share that is neither nothing nor all."""


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
_WORDS = {
    "missing": "must be given",
    **dict.fromkeys(("extra_forbidden", "unexpected_keyword_argument"), "must go, nobody knows it"),
    **dict.fromkeys(("float_parsing", "float_type"), "must be a number"),
    **dict.fromkeys(("int_parsing", "int_type", "int_from_float"), "must be a whole number"),
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
        raise ValueError(f"{in_words(error)}.") from None


def check_value(kind: TypeAdapter[Any], name: str, value: object) -> None:
    """Check the value of one setting by itself.

    Raises:
        ValueError: If it is none; the message begins with ``name``.
    """
    try:
        kind.validate_python(value)
    except ValidationError as error:
        raise ValueError(f"`{name}` {in_words(error)}.") from None


def save_record(record: BaseModel, path: Path) -> None:
    """Write a record as JSON.

    Raises:
        OutputError: If it cannot be written.
    """
    with naming_output(path), atomic_path(path) as temporary:
        temporary.write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")


def load_record(kind: type[R], path: Path, *, what: str) -> R:
    """A record that was saved as JSON.

    Raises:
        DataError: If there is none, or it is damaged; the message says ``what`` it should be.
    """
    try:
        return kind.model_validate(read_json(path))
    except FileNotFoundError:
        raise DataError(f"There is no file `{path}`.") from None
    except ValidationError as error:
        raise DataError(f"`{path}` is no {what}: {first_problem(error)}.") from None


def first_problem(error: ValidationError) -> str:
    """The first thing that is wrong with values that a program wrote, and where it is."""
    first = error.errors(include_url=False)[0]
    where = ".".join(map(str, first["loc"])) or "the whole"
    return f"{where}: {first['msg']}"


def in_words(error: ValidationError) -> str:
    """What is wrong with values, in the words of those who gave them."""
    return "; ".join(map(_one_in_words, error.errors(include_url=False)))


def _one_in_words(error: ErrorDetails) -> str:
    # Members of a union have a part of their own, which is no name
    where = ".".join(str(part) for part in error["loc"] if str(part).isidentifier())
    got, kind = f", got {error['input']!r:.60}", error["type"]
    if kind in _BOUNDS:
        words, bound = _BOUNDS[kind]
        limit = error["ctx"][bound]
        said = "must be positive" if kind == "greater_than" and not limit else f"{words} {limit}"
    elif kind in _WORDS:
        said = _WORDS[kind]
    else:
        said = error["msg"].removeprefix("Value error, ").removesuffix(".")
        said = said.replace("Input should be", "must be")
        if not where and not said.startswith("must"):
            return said  # what our own checks say of a whole names the value already
    if not where:
        return f"{said}{got}"
    return f"`{where}` {said}{got}" if said.startswith("must") else f"{where}: {said}{got}"
