"""One page being followed: its Python shares names, its commands run in order, in one folder."""

import ast
import contextlib
import io
import os
import re
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

from page_blocks import Block, Page, blocks_of
from page_commands import Command, commands_of
from running import Started, started
from shown_output import ANYTHING, is_shown
from sybil import Document, Example, Region, Sybil

from headwise.cli.main import main

ADDRESS = re.compile(r"(?:127\.0\.0\.1|localhost):8000\b")
SHOWN_VALUE = re.compile(r"# ?> ?")
_SECONDS = 300
# Done, and done but for some rows
_GOOD_CODES = (0, 3)


@dataclass(frozen=True)
class Difference:
    """What a page shows and what was printed, and where the page shows it."""

    start: int
    end: int
    shown: str
    printed: str


@dataclass
class PageRun:
    """Run the blocks of a page; differences of outputs are collected.

    Attributes:
        folder: Where its commands run, with the files that a reader would have.
        gemma: Whether blocks that need Gemma run.
    """

    path: Path
    folder: Path
    gemma: bool = False
    differences: list[Difference] = field(default_factory=list)

    def failures(self) -> list[str]:
        """Follow the page; what went wrong, each with its line."""
        page = Page.read(self.path)
        outputs = page.outputs()
        failures = []
        with ExitStack() as stack:
            self._stack, self._server = stack, None

            def parse(document: Document) -> Iterator[Region]:
                for block in blocks_of(document):
                    runs = block.runs and (self.gemma or not block.with_gemma)
                    if runs or block.file:
                        parsed = (block, outputs.get(block.line))
                        yield Region(block.start, block.end, parsed, self._evaluate)

            document = Sybil([parse]).parse(self.path)
            document.namespace["__name__"] = "__main__"
            for example in document.examples():
                try:
                    example.evaluate()
                except AssertionError as failure:
                    failures.append(str(failure))
        return failures

    def _evaluate(self, example: Example) -> str | None:
        block, output = example.parsed
        if block.file:
            target = self.folder / block.file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, "utf-8")
            return None
        before = len(self.differences)
        try:
            if block.language == "python":
                printed = self._python(block, example.namespace)
            else:
                printed = self._commands(block, ends_well=output is None)
        except _CommandError as failure:
            return str(failure)
        except Exception:  # noqa: BLE001
            return traceback.format_exc(limit=-4)
        if output is not None:
            self._compare(output.start, output.end, output.text, printed)
        found = self.differences[before:]
        lines = [example.document.text.count("\n", 0, one.start) + 1 for one in found]
        return "\n".join(
            f"line {line} shows:\n{one.shown}\nprinted was:\n{one.printed}"
            for line, one in zip(lines, found, strict=True)
        )

    def _compare(self, start: int, end: int, shown: str, printed: str) -> None:
        if self._server is not None:
            printed = printed.replace(self._server, "127.0.0.1:8000")
        if not is_shown(shown, printed):
            self.differences.append(Difference(start, end, shown, printed))

    def _python(self, block: Block, names: dict[str, Any]) -> str:
        """Run statements one by one; values under which a comment shows them are compared."""
        text = self._addressed(block.text)
        lines = text.splitlines(keepends=True)
        starts = [sum(map(len, lines[:number])) for number in range(len(lines) + 1)]
        tree = ast.parse(text, str(block.page))
        shown_lines = {n for n, line in enumerate(lines) if SHOWN_VALUE.match(line)}
        printed = io.StringIO()
        for statement in tree.body:
            first = last = statement.end_lineno or 0
            while last in shown_lines:
                shown_lines.discard(last)
                last += 1
            with contextlib.redirect_stdout(printed):
                value = self._statement(statement, block, names, evaluated=last > first)
            if last > first:
                shown = "\n".join(SHOWN_VALUE.sub("", line, count=1) for line in lines[first:last])
                start, end = (block.start + starts[number] for number in (first, last))
                self._compare(start, end, shown, repr(value))
        if shown_lines:
            line = block.line + 1 + min(shown_lines)
            raise _CommandError(f"line {line}: `# >` is not under an expression that stands alone.")
        return printed.getvalue()

    def _statement(
        self, statement: ast.stmt, block: Block, names: dict[str, Any], *, evaluated: bool
    ) -> Any:
        ast.increment_lineno(statement, block.line)
        if evaluated and isinstance(statement, ast.Expr):
            return eval(compile(ast.Expression(statement.value), str(block.page), "eval"), names)
        if evaluated:
            line = statement.lineno
            raise _CommandError(f"line {line}: `# >` shows the value of an expression.")
        exec(compile(ast.Module([statement], []), str(block.page), "exec"), names)
        return None

    def _commands(self, block: Block, *, ends_well: bool) -> str:
        """Run commands in order.

        Raises:
            _CommandError: If one fails and its page shows no error.
        """
        printed = []
        for command in commands_of(block):
            code, output = self._command(Command(self._addressed(command.text), command.line))
            printed.append(output if output.endswith("\n") or not output else f"{output}\n")
            if code not in _GOOD_CODES and (ends_well or "Error" not in output):
                raise _CommandError(
                    f"line {command.line}: `{command.text}` ended with {code}:\n{output}"
                )
        return "".join(printed)

    def _command(self, command: Command) -> tuple[int, str]:
        words = command.words
        if words[:2] == ["headwise", "serve"]:
            return 0, self._serve(words[2:])
        if words[0] == "headwise" and command.is_plain:
            return run_headwise(words[1:])
        bin_folder = Path(sys.executable).parent
        result = subprocess.run(
            ["bash", "-c", command.text],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
            text=True,
            check=False,
            env=os.environ | {"PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"},
        )
        return result.returncode, result.stdout

    def _serve(self, arguments: list[str]) -> str:
        """Start the page's server, once, on a port that is free; its log until it is ready."""
        if self._server is not None:
            return ""
        server = started("serve", *arguments, "--port", "0", cwd=self.folder)
        running: Started = self._stack.enter_context(server)
        deadline = time.monotonic() + _SECONDS
        while (ready := re.search(r"Ready after.*?http://([\d.]+:\d+)", log_of(running))) is None:
            if running.end(0.1) is not None or time.monotonic() > deadline:
                raise _CommandError(log_of(running))
        self._server = ready[1]
        return log_of(running)

    def _addressed(self, text: str) -> str:
        return text if self._server is None else ADDRESS.sub(self._server, text)


class _CommandError(Exception):
    """What the failure of a block says."""


def log_of(server: Started) -> str:
    """All that a server has written."""
    return server.output + server.messages


def run_headwise(arguments: list[str]) -> tuple[int, str]:
    """Run the command in this process: its exit code, and what it writes, in order."""
    written = io.TextIOWrapper(io.BytesIO(), "utf-8", newline="\n", write_through=True)
    code: Any = 0
    with (
        patch.object(sys, "argv", ["headwise", *arguments]),
        _started_as_a_script(),
        contextlib.redirect_stdout(written),
        contextlib.redirect_stderr(written),
    ):
        try:
            main()
        except SystemExit as stop:
            code = stop.code
    return int(code or 0), written.buffer.getvalue().decode("utf-8")  # type: ignore[attr-defined]


@contextlib.contextmanager
def _started_as_a_script() -> Iterator[None]:
    """Let messages name the command, and not pytest, as what was started."""
    own = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = own


def refreshed(page: Path, differences: list[Difference]) -> str:
    """The text of a page with what was printed in the place of what differs from it.

    Of long numbers four decimals are kept, and no times.
    """
    text = page.read_text("utf-8")
    for one in sorted(differences, key=lambda one: one.start, reverse=True):
        new = "".join(f"{line.rstrip()}\n" for line in one.printed.splitlines()).lstrip("\n")
        new = re.sub(r"\d\.\d{7,}(?!\d*e)", lambda number: f"{float(number[0]):.4f}", new)
        new = re.sub(r"\b\d+\.\d+ s\b", f"{ANYTHING} s", new).rstrip("\n") + "\n"
        if SHOWN_VALUE.match(text, one.start):
            new = "".join(f"# > {line}\n" for line in new.splitlines())
        text = text[: one.start] + new + text[one.end :]
    return text
