"""The public names of headwise, read from its source: what ``__all__`` lists, and its place.

A name that several packages list is shown once, under the innermost of those around the file that
defines it.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import griffe

from field_descriptions import FieldDescriptions

ROOT = Path(__file__).parents[1]

# Modules without `__all__` that the guides import from; their functions and classes are public
MODULES = (
    "headwise.errors",
    "headwise.data.records.pairs",
    "headwise.data.records.signals",
    "headwise.data.readers.inferences",
    "headwise.distributed.datasets",
    "headwise.evaluation.quality.independent_errors",
    "headwise.quality.after_training",
    "headwise.quality.calibrate",
    "headwise.quality.calibration.blend",
    "headwise.quality.calibration.record",
)


def load() -> griffe.Module:
    """The package as griffe reads it, without importing it."""
    # It complains of types that annotations have and docstrings need not
    logging.getLogger("griffe").setLevel(logging.ERROR)
    package = griffe.load(
        "headwise",
        search_paths=[ROOT / "src"],
        docstring_parser="google",
        extensions=griffe.load_extensions(FieldDescriptions),
    )
    assert isinstance(package, griffe.Module)
    return package


def modules_of(module: griffe.Module) -> Iterator[griffe.Module]:
    """A module and all that lie in it."""
    yield module
    for inner in module.modules.values():
        if isinstance(inner, griffe.Module):
            yield from modules_of(inner)


def defined(module: griffe.Module, name: str) -> griffe.Object:
    """What a name of a module stands for, where it is defined."""
    member = module.members[name]
    found = member.final_target if isinstance(member, griffe.Alias) else member
    # `from .max_sim import max_sim`: the function hides the file that it is named after
    return found.members[name] if isinstance(found, griffe.Module) else found


def exports(package: griffe.Module) -> dict[str, list[tuple[griffe.Module, str]]]:
    """By the path that defines them, the modules that list a name, and the name there."""
    found: dict[str, list[tuple[griffe.Module, str]]] = defaultdict(list)
    for module in modules_of(package):
        for export in module.exports or ():
            name = str(export)
            found[defined(module, name).path].append((module, name))
    for path in MODULES:
        module = package[path.removeprefix("headwise.")]
        for name, member in module.members.items():
            known = isinstance(member, griffe.Function | griffe.Class)
            if known and not name.startswith("_"):
                found[member.path].append((module, name))
    return found


def shown(package: griffe.Module) -> dict[str, griffe.Object]:
    """Every public object by the path under which the reference shows it."""
    found = {}
    for path, listed in exports(package).items():
        around = [
            (module, name) for module, name in listed if path.startswith(f"{module.path}.")
        ] or listed
        module, name = max(around, key=lambda one: (one[0].is_init_module, len(one[0].path)))
        member = module.members[name]
        object_ = defined(module, name)
        hidden = member.is_module or (
            isinstance(member, griffe.Alias) and member.final_target.is_module
        )
        found[object_.path if hidden else f"{module.path}.{name}"] = object_
    return dict(sorted(found.items()))


def parameters(docstring: griffe.Docstring | None) -> set[str]:
    """Names that a docstring's sections of arguments and attributes speak of."""
    kinds = {"parameters", "other parameters", "attributes"}
    return {
        item.name.lstrip("*")
        for section in (docstring.parsed if docstring else ())
        if section.kind.value in kinds
        for item in section.value
    }
