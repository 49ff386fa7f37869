"""Writes the pages of the reference: a page a room, with every public name once.

``python tools/write_reference.py`` writes ``docs/reference/``; a test says when to run it again.
"""

from collections import defaultdict
from pathlib import Path

import griffe

from public_names import ROOT, load, shown

PAGES = ROOT / "docs" / "reference"
FRONT_DOOR = "headwise"
# What a room needs to be a page; single files of the hall share one
HALL = "hall"


def pages(package: griffe.Module) -> dict[str, str]:
    """The text of each page, by the name of its file."""
    rooms: dict[str, list[str]] = defaultdict(list)
    for path in shown(package):
        room, *rest = path.split(".")[1:]
        inner = package.members.get(room)
        is_room = rest and isinstance(inner, griffe.Module) and inner.is_init_module
        rooms[room if is_room else HALL].append(path)
    written = {f"{room}.md": _page(package, room, paths) for room, paths in rooms.items()}
    return written | {"index.md": _index(package, rooms)}


def _page(package: griffe.Module, room: str, paths: list[str]) -> str:
    lines = [f"# {room}" if room == HALL else f"# headwise.{room}", ""]
    if room == HALL:
        lines += ["What every room may use, and which uses none.", ""]
    by_module: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        by_module[path.rpartition(".")[0]].append(path)
    for module, names in sorted(by_module.items()):
        lines += _module(package, module, is_room=module == f"headwise.{room}")
        for name in names:
            lines += [f"::: {name}", ""]
    return "\n".join(lines)


def _module(package: griffe.Module, module: str, *, is_room: bool) -> list[str]:
    found = package if module == FRONT_DOOR else package[module.removeprefix("headwise.")]
    docstring = found.docstring.value if found.docstring else ""
    # The first paragraph, in Markdown's own form
    said = " ".join(docstring.split("\n\n")[0].split()).replace("``", "`")
    return [*([] if is_room else [f"## {module}", ""]), said, ""]


def _index(package: griffe.Module, rooms: dict[str, list[str]]) -> str:
    lines = [
        "# Reference",
        "",
        "Every public name, from the docstrings: a page a room. [Architecture](../architecture.md)",
        "says what a room is and which may use which.",
        "",
        "## The front door",
        "",
        "`from headwise import ...` has the names that most people need:",
        "",
        "| name | what |",
        "| --- | --- |",
    ]
    places = {object_.path: path for path, object_ in shown(package).items()}
    for export in sorted(map(str, package.exports or ())):
        member = package.members[export]
        object_ = member.final_target if isinstance(member, griffe.Alias) else member
        if isinstance(object_, griffe.Module):
            object_ = object_.members[export]
        place = places[object_.path]
        room = place.split(".")[1]
        page = f"{room if room in rooms else HALL}.md"
        lines.append(f"| [`{export}`]({page}#{place}) | {_first_line(object_)} |")
    lines += ["", "## The rooms", "", "| room | holds | names |", "| --- | --- | --- |"]
    for room, paths in rooms.items():
        if room == HALL:
            holds = "errors, and what every room may use"
        else:
            holds = _module(package, f"headwise.{room}", is_room=True)[0]
        lines.append(f"| [{room}]({room}.md) | {holds} | {len(paths)} |")
    return "\n".join([*lines, ""])


def _first_line(object_: griffe.Object | griffe.Alias) -> str:
    docstring = object_.docstring.value if object_.docstring else ""
    return docstring.split("\n")[0].replace("``", "`").replace("|", "\\|")


def main() -> None:
    """Write the pages, and remove those of rooms that are gone."""
    written = pages(load())
    PAGES.mkdir(exist_ok=True)
    for path in set(PAGES.glob("*.md")) - {PAGES / name for name in written}:
        path.unlink()
    for name, text in written.items():
        Path(PAGES / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
