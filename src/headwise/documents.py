"""Read JSON and YAML that come from outside: values, or an error that says what is wrong.

Whatever a document holds, reading it takes bounded memory and ends in a value or a
:class:`~headwise.errors.DataError`.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import yaml

from headwise.errors import DataError

# Python can read JSON a little deeper than it can write it again; nothing of ours comes near this.
MAX_NESTING = 64
# Configs, run files and lists of parts have kilobytes; a file of another kind would fill memory
MAX_BYTES = 64 * 2**20
# Aliases let a few lines of YAML stand for more values than any memory holds
_MAX_VALUES = 2**20


def parse_json(text: str, *, allow_nan: bool = False) -> Any:
    """The value of a JSON text, whose objects have every key once.

    Args:
        text: The text.
        allow_nan: Whether numbers may be NaN or infinite, as Python writes them.

    Raises:
        DataError: If it is no JSON, a key stands twice, it is nested more than
            :data:`MAX_NESTING` levels deep, or an integer has more digits than Python converts.
    """
    finite: dict[str, Any] = {} if allow_nan else _FINITE
    try:
        value = json.loads(text, object_pairs_hook=_object, **finite)
    except json.JSONDecodeError as error:
        where = "the line" if "\n" not in text else f"line {error.lineno}"
        raise DataError(
            f"Invalid JSON at character {error.colno} of {where}: {error.msg}."
        ) from None
    except RecursionError:
        raise _too_deep("JSON") from None
    except DataError:
        raise
    except ValueError as error:  # such as an integer of more digits than Python converts
        raise DataError(f"Invalid JSON: {error}.") from None
    # Counting brackets is quick, and rules out most texts
    if text.count("[") + text.count("{") > MAX_NESTING:
        _check_extent(value, "JSON")
    return value


def read_json(path: Path, *, allow_nan: bool = False) -> Any:
    """The value of a JSON file in UTF-8; ``allow_nan`` is as for :func:`parse_json`.

    Raises:
        FileNotFoundError: If there is no such file.
        DataError: If it cannot be read, is longer than :data:`MAX_BYTES`, or as
            :func:`parse_json` does; it names the file.
    """
    return _read(path, lambda text: parse_json(text, allow_nan=allow_nan))


def read_object(path: Path, *, allow_nan: bool = False) -> dict[str, Any]:
    """The object of a JSON file, as :func:`read_json` reads it.

    Raises:
        FileNotFoundError: If there is no such file.
        DataError: If it holds something else, or as :func:`read_json` does.
    """
    found = read_json(path, allow_nan=allow_nan)
    if not isinstance(found, dict):
        raise DataError(f"{path} must hold an object, got {found!r:.60}.")
    return found


def parse_yaml(text: str) -> Any:
    """The value of a YAML text of plain values, whose mappings have every key once.

    Raises:
        DataError: If it is no YAML, holds anything else, a key stands twice, it is nested more than
            :data:`MAX_NESTING` levels deep, or its aliases stand for too many values.
    """
    try:
        value = yaml.load(text, _UniqueKeys)
    except RecursionError:
        raise _too_deep("YAML") from None
    except DataError:
        raise
    except Exception as error:  # noqa: BLE001 - a tag on a value of another kind fails in any way
        said = str(error) or type(error).__name__
        raise DataError(f"Invalid YAML: {said}.") from None
    _check_extent(value, "YAML")
    return value


def read_yaml(path: Path) -> Any:
    """The value of a YAML file in UTF-8; ``None`` if it is empty.

    Raises:
        FileNotFoundError: If there is no such file.
        DataError: If it cannot be read, is longer than :data:`MAX_BYTES`, or as
            :func:`parse_yaml` does; it names the file.
    """
    return _read(path, parse_yaml)


def _read(path: Path, parse: Callable[[str], Any]) -> Any:
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise DataError(f"{path} cannot be read: it is not a file.")
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise DataError(f"it is longer than {MAX_BYTES:,} bytes")
        return parse(content.decode("utf-8-sig"))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is damaged: byte 0x{content[error.start]:02x} at position {error.start + 1} "
            "is not UTF-8."
        ) from None
    except DataError as error:
        raise DataError(f"{path} is damaged: {str(error).removesuffix('.')}.") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        _refuse_repeated(name for name, _ in pairs)
    return found


def _refuse_repeated(names: Iterable[Any]) -> None:
    """Refuse a key that stands twice: the last one would win in silence."""
    seen: set[Any] = set()
    for name in names:
        if name in seen:
            raise DataError(f"{name!r:.80} stands there twice; one of the two must go.")
        seen.add(name)


class _UniqueKeys(yaml.SafeLoader):
    """Safe YAML whose mappings have every key once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        _refuse_repeated(self.construct_object(key, deep=True) for key, _ in node.value)
        return super().construct_mapping(node, deep=deep)


def _refuse_constant(name: str) -> None:
    raise DataError(f"{name} is no number; a finite one is needed.")


def _finite_number(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise DataError(f"{text:.40} is too large for a number.")
    return number


_FINITE = {"parse_constant": _refuse_constant, "parse_float": _finite_number}


def _check_extent(value: Any, kind: str) -> None:
    """Refuse values that are nested too deep, or too many once aliases are followed."""
    level, values = [value], 0
    for _ in range(MAX_NESTING + 1):
        level = [one for one in level if isinstance(one, dict | list)]
        if not level:
            return
        values += sum(map(len, level))
        if values > _MAX_VALUES:
            raise DataError(f"The {kind} stands for more than {_MAX_VALUES:,} values.")
        level = [
            child for one in level for child in (one.values() if isinstance(one, dict) else one)
        ]
    raise _too_deep(kind)


def _too_deep(kind: str) -> DataError:
    return DataError(f"The {kind} is nested more than {MAX_NESTING} levels deep; flatten it.")
