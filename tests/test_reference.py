"""The reference shows every public name once, and each says what it is and what it takes."""

import ast
import re
from pathlib import Path

import griffe
import pytest

from gaps import undocumented
from public_names import ROOT, exports, load, shown
from write_reference import PAGES, pages


@pytest.fixture(scope="module")
def package() -> griffe.Module:
    return load()


def test_the_pages_show_every_name_once(package: griffe.Module) -> None:
    written = {path.name: path.read_text("utf-8") for path in PAGES.glob("*.md")}
    assert written == pages(package), "run `python tools/write_reference.py`"
    directives = re.findall(r"^::: (\S+)$", "\n".join(written.values()), re.MULTILINE)
    assert sorted(directives) == sorted(set(directives))
    # What several packages list is one object, and has one place
    found = {package[path.removeprefix("headwise.")].canonical_path for path in directives}
    assert found == set(exports(package)) | found
    assert len(directives) == len(exports(package)) > 400


def test_every_page_has_a_place_in_the_navigation() -> None:
    listed = re.findall(r"[\w/-]+\.md$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE)
    there = {path.relative_to(ROOT / "docs").as_posix() for path in ROOT.glob("docs/**/*.md")}
    assert set(listed) == there
    assert len(listed) == len(there)


def test_nothing_public_is_undocumented(package: griffe.Module) -> None:
    assert undocumented(shown(package)) == []


def test_the_check_finds_what_is_missing() -> None:
    code = '''
def one(given, said, *, named, **rest):
    """Has ``said``.

    Args:
        named: Is named.
    """

class Two:
    """Fields.

    Attributes:
        known: Is known.
    """
    known: int = 0
    unknown: int = 0

    @property
    def size(self): ...

    def fit(self, given):
        """Arguments are those of :func:`one`."""
'''
    with griffe.temporary_visited_module(code, docstring_parser="google") as module:
        assert undocumented({name: module[name] for name in ("one", "Two")}) == [
            "module.Two: unknown",
            "module.Two.fit: given",
            "module.Two.size: no docstring",
            "module.one: given, rest",
        ]


def test_guides_import_public_names_alone(package: griffe.Module) -> None:
    public = {f"{m.path}.{name}" for listed in exports(package).values() for m, name in listed}
    guides = [*ROOT.glob("docs/**/*.md"), ROOT / "README.md"]
    assert sum(_imports(path) <= public for path in guides) == len(guides) > 30


def _imports(page: Path) -> set[str]:
    """What the Python blocks of a page import of headwise."""
    blocks = re.findall(r"^```py\w*\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    nodes = [node for block in blocks for node in ast.walk(ast.parse(block))]
    return {
        f"{node.module}.{alias.name}"
        for node in nodes
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("headwise")
        for alias in node.names
    }
