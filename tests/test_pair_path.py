"""Which files of the package one pair crosses from ``headwise score`` to its written row."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from types import FrameType
from typing import Any

from typer.testing import CliRunner

import headwise
from headwise.cli.main import app
from headwise.data.jobs import timed_windows

PACKAGE = Path(headwise.__file__).parent

# The rebuilt house had 22; six more came with which segments to check and with prompts and texts
# that are checked by name, two with batches that requests share and that are scored side by
# side, and one with what quality is made of. Each is a file to open for whoever follows a pair
FILES = 32
STAGES = {"data/readers": "read", "backbones": "score", "heads": "score", "data/writers": "write"}


@contextmanager
def path_of_a_window(number: int) -> Iterator[list[str]]:
    """Follow the pairs of one window of a job through the files of the package.

    A file is noted when a function in it is called or resumed, in any thread, from the moment that
    the window begins to be read until the next one does; by then its rows are written. First come
    the files of the functions that wait meanwhile, from the command inwards: the pairs come
    through their hands.

    Args:
        number: Which window, counted from 0. From 1 on, nothing is set up any more.

    Yields:
        The files in the order in which they are entered, complete when the block ends.
    """
    path: list[str] = []
    windows = 0

    def note(frame: FrameType, event: str, _: Any) -> None:
        nonlocal windows
        if event != "call":
            return
        if frame.f_code is timed_windows.__code__:
            windows += 1
            if windows == number + 1:
                path.extend(reversed(list(waiting(frame.f_back))))
        if windows == number + 1 and (file := file_of(frame)) is not None:
            path.append(file)

    def waiting(frame: FrameType | None) -> Iterator[str]:
        while frame is not None:
            if (file := file_of(frame)) is not None:
                yield file
            if file == "cli/score.py":
                return
            frame = frame.f_back

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield path
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]


def file_of(frame: FrameType) -> str | None:
    path = Path(frame.f_code.co_filename)
    return path.relative_to(PACKAGE).as_posix() if path.is_relative_to(PACKAGE) else None


def stage_of(file: str) -> str | None:
    return next((stage for folder, stage in STAGES.items() if file.startswith(folder)), None)


def test_a_pair_crosses_few_files_and_each_stage_once(tmp_path: Path) -> None:
    source, output = tmp_path / "pairs.tsv", tmp_path / "scored.jsonl"
    rows = [f"A dog runs {n} times.\tEin Hund läuft {n} Mal.\n" for n in range(200)]
    source.write_text("source\thypothesis\n" + "".join(rows), encoding="utf-8")
    with path_of_a_window(1) as path:
        result = CliRunner().invoke(app, ["score", str(source), "-o", str(output)])
    assert result.exit_code == 0, result.output
    assert len(output.read_text("utf-8").splitlines()) == len(rows)
    files = list(dict.fromkeys(path))
    assert files[0] == "cli/score.py"
    assert {"quality/scorer.py", "data/writers/lines.py"} <= set(files)
    assert len(files) <= FILES, files
    stages = [stage for file in path if (stage := stage_of(file)) is not None]
    assert [stage for stage, _ in groupby(stages)] == ["read", "score", "write"]
