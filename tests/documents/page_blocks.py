"""The fenced blocks of README and docs, and what comments in front of them say.

Run as a script it counts them: collected, run, not run and why.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from sybil import Document
from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer

ROOT = Path(__file__).parents[2]
RUN_LANGUAGES = ("python", "bash")
_MARK = r"[ \t]*<!-- (.+?) -->[ \t]*\n"
_MARKS_BEFORE = re.compile(rf"(?:^{_MARK})*\Z", re.MULTILINE)
_PAGE_MARK = re.compile(r"^<!-- not run on this page: (.*?) ?-->$", re.MULTILINE)
_LEXER = RawFencedCodeBlockLexer(re.compile(r"(?P<language>[^\n]*)\n"))
_KNOWN_MARKS = re.compile(r"not run: \S.*|output|runs with gemma|file: \S+")


def pages() -> list[Path]:
    """Pages whose blocks run: all but the tutorials, which have a test of their own."""
    docs = ROOT / "docs"
    found = [page for page in docs.rglob("*.md") if docs / "tutorials" not in page.parents]
    return [ROOT / "README.md", *sorted(found)]


def read_pages() -> list[Path]:
    """Pages whose commands are read and not run: for developers, or with data of others."""
    rooms = [ROOT / "benchmarks", *ROOT.glob("recipes/*/"), *ROOT.glob("integrations/*/")]
    readmes = [room / "README.md" for room in rooms]
    return [ROOT / "CONTRIBUTING.md", *sorted(page for page in readmes if page.is_file())]


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        line: Of its opening fence.
        start, end: Characters of its text in the page.
        marks: What comments on the lines before it say.
        page_reason: Why commands of its page do not run.
    """

    page: Path
    language: str
    text: str
    line: int
    start: int
    end: int
    marks: tuple[str, ...]
    page_reason: str | None = None

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def is_output(self) -> bool:
        return "output" in self.marks

    @property
    def with_gemma(self) -> bool:
        return "runs with gemma" in self.marks

    @property
    def file(self) -> str | None:
        """Name under which a reader would have the block as a file."""
        return self._after("file: ")

    @property
    def reason(self) -> str | None:
        """Why it does not run."""
        return self._after("not run: ") or (self.page_reason if self.language == "bash" else None)

    @property
    def can_run(self) -> bool:
        return self.language in RUN_LANGUAGES and self.file is None

    @property
    def runs(self) -> bool:
        return self.can_run and self.reason is None

    @property
    def unknown_marks(self) -> list[str]:
        return [mark for mark in self.marks if not _KNOWN_MARKS.fullmatch(mark)]

    @property
    def is_wrong_python(self) -> bool:
        if self.language != "python":
            return False
        try:
            ast.parse(self.text)
        except SyntaxError:
            return True
        return False

    def _after(self, name: str) -> str | None:
        found = [mark.removeprefix(name) for mark in self.marks if mark.startswith(name)]
        return found[0] if found else None


@dataclass(frozen=True)
class Page:
    """A page and its blocks."""

    path: Path
    content: str

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read it."""
        return cls(path, path.read_text("utf-8"))

    @cached_property
    def blocks(self) -> list[Block]:
        """All fenced blocks, in order."""
        return list(blocks_of(Document(self.content, str(self.path))))

    def outputs(self) -> dict[int, Block]:
        """Blocks of what was printed, by the line of the block that prints it."""
        return {
            before.line: block
            for before, block in zip(self.blocks, self.blocks[1:], strict=False)
            if block.is_output
        }


def blocks_of(document: Document) -> Iterator[Block]:
    """The blocks of a document of Sybil's."""
    text, page = document.text, Path(document.path)
    of_page = _PAGE_MARK.search(text)
    for region in sorted(_LEXER(document), key=lambda region: region.start):
        source = region.lexemes["source"]
        before = _MARKS_BEFORE.search(text, 0, text.rfind("\n", 0, region.start) + 1)
        assert before is not None
        start = region.start + source.offset
        yield Block(
            page=page,
            language=region.lexemes["language"].strip(),
            text=source.text,
            line=text.count("\n", 0, region.start) + 1,
            start=start,
            end=text.rfind("\n", start - 1, region.end) + 1,
            marks=tuple(re.findall(_MARK, before[0])),
            page_reason=of_page[1] if of_page else None,
        )


def summary() -> str:
    """How many blocks there are, how many run, and why the others do not."""
    blocks = [block for path in pages() for block in Page.read(path).blocks]
    run = [block for block in blocks if block.can_run]
    reasons = Counter(block.reason for block in run if block.reason)
    gemma = sum(block.runs and block.with_gemma for block in run)
    lines = [
        f"{len(blocks)} blocks on {len(pages())} pages: {len(run)} of Python and commands, "
        f"{sum(block.is_output for block in blocks)} of their outputs, "
        f"{sum(not (block.can_run or block.is_output) for block in blocks)} of other text",
        f"{sum(block.runs for block in run)} run, {gemma} of them where Gemma is; "
        f"{reasons.total()} do not, each with its reason:",
        *(f"  {count:3} {reason}" for reason, count in reasons.most_common()),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    import sys

    sys.stdout.write(summary() + "\n")
