"""Options of commands from classes: groups that several commands share, and pydantic settings.

A command names a class where it would name many options. Of a group, a plain dataclass of
`typer.Option` fields, it gets the filled dataclass. Of settings, it gets the values that were
given, nested as the class is, to lay over those of a run file.
"""

import functools
import inspect
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import typer

from headwise.choices import Shown

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo


@dataclass(frozen=True, slots=True)
class _Option:
    """A parameter that Typer sees, and the way to its place in what the command gets."""

    path: tuple[str, ...]
    name: str
    annotation: Any
    default: Any = None


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of the classes that its parameters name.

    A parameter whose type is a dataclass is a group, which may hold other groups. One that is
    ``Annotated[dict[str, Any], SomeSettings]`` takes what is given of these settings.
    """
    taken = inspect.signature(command, eval_str=True).parameters.values()
    options = [option for parameter in taken for option in _options(parameter)]
    of_settings = {p.name for p in taken if _settings(p.annotation)}

    @functools.wraps(command)
    def with_classes(**values: Any) -> None:
        nested: dict[str, Any] = {name: {} for name in of_settings}
        for option in options:
            value = values[option.name]
            # Typer gives these where it was given nothing
            if option.path[0] not in of_settings or value not in (None, []):
                _put(nested, option.path, value)
        command(**{p.name: _filled(p.annotation, nested[p.name]) for p in taken})

    shown = [
        inspect.Parameter(
            option.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=option.default,
            annotation=option.annotation,
        )
        for option in options
    ]
    with_classes.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
    with_classes.__annotations__ = {option.name: option.annotation for option in options}
    return with_classes


def check_settings(kind: Any, values: Mapping[str, Any], above: Shown = Shown()) -> None:
    """Check values of settings, each by itself, under the names of their options.

    Args:
        kind: The settings class.
        values: Those that are given, nested as it is.
        above: How the settings look that it is a part of.

    Raises:
        ValueError: If there is no such setting, or a value is none of its own.
    """
    from pydantic import TypeAdapter

    from headwise.plain_values import check_value

    for name, value in values.items():
        if (field := kind.__pydantic_fields__.get(name)) is None:
            raise ValueError(f"There is no setting `{name}`.")
        shown = _shown(field)
        prefix = above.prefix + shown.prefix
        nested = [t for t in _members(field.annotation) if hasattr(t, "__pydantic_fields__")]
        if nested and isinstance(value, dict):
            check_settings(nested[0], value, Shown(prefix=prefix))
        elif not nested:
            called = name if shown.hidden else f"--{_flag(name, shown, prefix)}"
            value_of: Any = Annotated[field.annotation, *field.metadata, shown]
            check_value(TypeAdapter(value_of), called, value)


def _shown(field: "FieldInfo") -> Shown:
    marks = [mark for mark in field.metadata if isinstance(mark, Shown)]
    return marks[-1] if marks else Shown()


def _flag(name: str, shown: Shown, prefix: str) -> str:
    return prefix + (shown.name or name).replace("_", "-")


def _options(parameter: inspect.Parameter) -> Iterator[_Option]:
    """The options of a parameter of the command: its own, a group's, or a settings class's."""
    kind = parameter.annotation
    if settings := _settings(kind):
        yield from _setting_options(settings, (parameter.name,), Shown())
    elif is_dataclass(kind):
        yield from _group_options(kind, (parameter.name,))
    else:
        yield _Option((parameter.name,), parameter.name, kind, parameter.default)


def _group_options(kind: Any, path: tuple[str, ...]) -> Iterator[_Option]:
    for field in fields(kind):
        if is_dataclass(field.type):
            yield from _group_options(field.type, (*path, field.name))
        else:
            default = field.default
            if field.default_factory is not MISSING:
                default = field.default_factory()
            yield _Option((*path, field.name), field.name, field.type, default)


def _setting_options(kind: Any, path: tuple[str, ...], above: Shown) -> Iterator[_Option]:
    for name, field in kind.__pydantic_fields__.items():
        shown = _shown(field)
        if shown.hidden:
            continue
        way, panel, prefix = (*path, name), shown.panel or above.panel, above.prefix + shown.prefix
        nested = [t for t in _members(field.annotation) if hasattr(t, "__pydantic_fields__")]
        if nested:
            yield from _setting_options(nested[0], way, Shown(panel, prefix=prefix))
        else:
            # Joined, since a group may have an option of the same name
            yield _Option(way, "__".join(way), _annotation(name, field, shown, panel, prefix))


def _annotation(name: str, field: "FieldInfo", shown: Shown, panel: str | None, prefix: str) -> Any:
    """Type and `typer.Option` of a setting, ``None`` where it is not given."""
    flag = _flag(name, shown, prefix)
    kind = next(t for t in _members(field.annotation) if t is not type(None))
    if get_origin(kind) in (tuple, list, set, frozenset):
        kind = list[str]
    elif isinstance(kind, type) and issubclass(kind, Enum):
        kind = Literal[tuple(member.value for member in kind)]
    elif kind not in (bool, int, float, str) and get_origin(kind) is not Literal:
        kind = str  # pydantic reads the text
    if kind is bool:
        flag += f"/--{prefix}{shown.off or 'no-' + flag}"
    default = shown.default or _as_text(field.get_default(call_default_factory=False))
    # Bounds that are open at one end are pydantic's alone
    least, most = (
        next((getattr(mark, bound) for mark in field.metadata if hasattr(mark, bound)), None)
        for bound in ("ge", "le")
    )
    option = typer.Option(
        f"--{flag}",
        help=f"{field.description or ''} {f'Default: {default}.' if default else ''}".strip(),
        rich_help_panel=panel,
        min=least,
        max=most,
    )
    return Annotated[kind | None, option]


def _settings(annotation: Any) -> Any:
    """The settings class that a parameter of a command names, or ``None``."""
    marks = getattr(annotation, "__metadata__", ())
    return next((mark for mark in marks if hasattr(mark, "__pydantic_fields__")), None)


def _filled(annotation: Any, value: Any) -> Any:
    """What the command gets: a group as its dataclass, all else as it is."""
    if not is_dataclass(annotation) or not isinstance(annotation, type):
        return value
    return annotation(**{f.name: _filled(f.type, value[f.name]) for f in fields(annotation)})


def _as_text(default: Any) -> str:
    """A default as the help says it; nothing for ``None``, for none of several, and for no."""
    return "" if default is None or default is False or default == () else str(default)


def _members(annotation: Any) -> tuple[Any, ...]:
    is_union = get_origin(annotation) in (Union, types.UnionType)
    return get_args(annotation) if is_union else (annotation,)


def _put(values: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        values = values.setdefault(name, {})
    values[path[-1]] = value
