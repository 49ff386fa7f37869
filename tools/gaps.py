"""What of the public names has no docstring, and which parameters are not documented.

A parameter is documented by a section of arguments or attributes, by a sentence that has it in
backquotes, as in ``text[start:end]``, by the method that is overridden, or where the docstring
leads: "Arguments are those of :func:`other`."
"""

import re
from collections.abc import Iterator

import griffe

from public_names import load, parameters, shown

# What calls a method by its place says what these are
SAID_ELSEWHERE = {"self", "cls"}


def undocumented(objects: dict[str, griffe.Object]) -> list[str]:
    """A line for each name without a docstring and each parameter that no docstring speaks of."""
    found = {}
    for object_ in objects.values():
        for path, missing in _gaps(object_):
            found[path] = missing
    return [f"{path}: {', '.join(missing)}" for path, missing in sorted(found.items())]


def _gaps(object_: griffe.Object) -> Iterator[tuple[str, list[str]]]:
    missing = [] if object_.docstring else ["no docstring"]
    if isinstance(object_, griffe.Function):
        missing += _parameter_gaps(object_)
    elif isinstance(object_, griffe.Class):
        missing += _class_gaps(object_)
        # What it inherits of classes that are not public themselves is public here
        for class_ in (object_, *object_.mro()):
            for name, member in class_.members.items():
                is_method = isinstance(member, griffe.Function) or "property" in member.labels
                if is_method and isinstance(member, griffe.Object) and not name.startswith("_"):
                    yield from _gaps(member)
    if missing:
        yield object_.path, missing


def _parameter_gaps(function: griffe.Function) -> list[str]:
    said = _said_of(function) | SAID_ELSEWHERE
    names = [
        parameter.name.lstrip("*")
        for parameter in function.parameters
        if not (parameter.kind is griffe.ParameterKind.var_keyword and _passes_on(function))
    ]
    return [name for name in names if not name.startswith("_") and name not in said]


def _passes_on(function: griffe.Function) -> bool:
    """Whether "arguments are those of" another function, which has the names of all."""
    said = function.docstring.value if function.docstring else ""
    return re.search(r"[Aa]rguments\s+are\s+those\s+of\s+:?\w*:?`", said) is not None


def _said_of(function: griffe.Function) -> set[str]:
    """What a method's docstring says, and those of what it overrides."""
    said = _said_by(function)
    if isinstance(function.parent, griffe.Class):
        for base in function.parent.mro():
            overridden = base.members.get(function.name)
            if isinstance(overridden, griffe.Function):
                said |= parameters(overridden.docstring)
    return said


def _said_by(object_: griffe.Object) -> set[str]:
    """What a docstring says, and those that it leads to, one after another."""
    said, seen, open_ = _own(object_), {object_.path}, [object_]
    while open_:
        one = open_.pop()
        for name in _references(one):
            other = _found(one, name.removeprefix("headwise."))
            if other and other.path not in seen:
                said |= _own(other)
                seen.add(other.path)
                open_.append(other)
    return said


def _own(object_: griffe.Object) -> set[str]:
    return parameters(object_.docstring) | _names(object_)


def _names(object_: griffe.Object) -> set[str]:
    """Words in backquotes, as in ``size``, `size` and ``text[start:end]``."""
    said = object_.docstring.value if object_.docstring else ""
    quoted = re.findall(r"`([^`]+)`", said)
    return {word for one in quoted for word in re.findall(r"[A-Za-z_]\w*", one)}


def _references(object_: griffe.Object) -> set[str]:
    """What stands in backquotes alone, as in `size` and :func:`~headwise.heads.size`."""
    said = object_.docstring.value if object_.docstring else ""
    return set(re.findall(r"`~?([A-Za-z_][\w.]*)`", said))


def _found(object_: griffe.Object, name: str) -> griffe.Object | None:
    """What a name in a docstring stands for: seen from the class, from the module, or anywhere."""
    parent = object_.parent
    while parent is not None:
        found: griffe.Object | griffe.Alias | None = parent
        for part in name.split("."):
            found = found and found.members.get(part)
            if isinstance(found, griffe.Alias):
                ours = found.target_path.startswith("headwise.")
                found = found.final_target if ours else None
        if isinstance(found, griffe.Function | griffe.Class):
            return found
        parent = parent.parent
    return None


def _class_gaps(class_: griffe.Class) -> list[str]:
    """Parameters of its constructor: an `__init__` of its own, or fields."""
    constructor = class_.members.get("__init__")
    said = _said_by(class_)
    for base in class_.mro():
        said |= _own(base)
    if isinstance(constructor, griffe.Function):
        said |= parameters(constructor.docstring) | SAID_ELSEWHERE
        names = [parameter.name.lstrip("*") for parameter in constructor.parameters]
        return [name for name in names if not name.startswith("_") and name not in said]
    fields = [
        name
        for name, member in class_.members.items()
        if isinstance(member, griffe.Attribute)
        and member.annotation is not None
        and not {"property", "cached"} & member.labels
        and not str(member.annotation).startswith("ClassVar")
        and not member.docstring
        and not name.startswith("_")
    ]
    return [name for name in fields if name not in said]


if __name__ == "__main__":
    lines = undocumented(shown(load()))
    print("\n".join(lines))
    print(sum(line.count(",") + 1 for line in lines), "missing")
