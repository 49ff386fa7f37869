"""How many files one pair crosses from ``headwise score`` to its written row."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from typer.testing import CliRunner

import headwise
from headwise.cli.main import app
from headwise.data.jobs import timed_windows

PACKAGE = Path(headwise.__file__).parent

# What was measured when this was set: each is a file to open for whoever follows a pair
FILES = 25


@contextmanager
def files_of_a_window(number: int) -> Iterator[list[str]]:
    """Collect the files of the package that the pairs of one window of a job cross.

    Counted is each file with a function that is called or resumed, in any thread, from the moment
    that the window begins to be read until the next one does; by then its rows are written. The
    functions that wait meanwhile count as well, from the command inwards: the pairs came through
    their hands.

    Args:
        number: Which window, counted from 0. From 1 on, nothing is set up any more.

    Yields:
        The files in the order in which they are met, complete when the block ends.
    """
    files: dict[str, None] = {}
    windows = 0

    def note(frame: FrameType, event: str, _: Any) -> None:
        nonlocal windows
        if event != "call":
            return
        if frame.f_code is timed_windows.__code__:
            windows += 1
            if windows == number + 1:
                waiting = callers(frame)
                for code in reversed(waiting):
                    add(code)
        if windows == number + 1:
            add(frame.f_code)

    def callers(frame: FrameType | None) -> list[CodeType]:
        found = []
        while frame is not None:
            found.append(frame.f_code)
            if frame.f_code.co_filename.endswith("cli/score.py"):
                break
            frame = frame.f_back
        return found

    def add(code: CodeType) -> None:
        path = Path(code.co_filename)
        if path.is_relative_to(PACKAGE):
            files[path.relative_to(PACKAGE).as_posix()] = None

    met: list[str] = []
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield met
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]
        met += files


def test_a_pair_crosses_few_files(tmp_path: Path) -> None:
    source, output = tmp_path / "pairs.tsv", tmp_path / "scored.jsonl"
    rows = [f"A dog runs {n} times.\tEin Hund läuft {n} Mal.\n" for n in range(200)]
    source.write_text("source\thypothesis\n" + "".join(rows), encoding="utf-8")
    with files_of_a_window(1) as files:
        result = CliRunner().invoke(app, ["score", str(source), "-o", str(output)])
    assert result.exit_code == 0, result.output
    assert len(output.read_text("utf-8").splitlines()) == len(rows)
    assert {"cli/score.py", "quality/scorer.py", "data/writers/lines.py"} <= set(files)
    assert len(files) <= FILES, files
