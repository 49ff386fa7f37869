"""The command as a user meets it: in a process of its own, with exit codes and messages."""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from headwise.cli.main import main

# Importing PyTorch and Transformers takes seconds, so that one process does it for all commands:
# it never runs anything itself, and each command is a fork of it
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(
    [
        *("headwise.cli.train.commands", "headwise.quality", "headwise.entailment"),
        *("headwise.evaluation", "headwise.report", "headwise.training", "headwise.serving.app"),
        *("transformers.models.llama.modeling_llama", "transformers.models.bert.modeling_bert"),
        *("transformers.trainer", "sklearn.isotonic", "pyarrow.parquet"),
    ]
)
_SECONDS = 300


def headwise(
    *arguments: str | Path, cwd: Path, text: str | bytes = b"", code: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run the command and check its exit code; no traceback is ever printed."""
    command = ["headwise", *map(str, arguments)]
    with TemporaryDirectory() as folder:
        streams = [Path(folder, name) for name in ("stdin", "stdout", "stderr")]
        streams[0].write_bytes(text.encode() if isinstance(text, str) else text)
        process = _SERVER.Process(target=_run, args=(command, cwd, streams))
        process.start()
        process.join(_SECONDS)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(command, _SECONDS, stderr=streams[2].read_bytes())
        output, messages = (path.read_bytes().decode() for path in streams[1:])
    assert process.exitcode == code, messages
    assert "Traceback" not in messages
    return subprocess.CompletedProcess(command, process.exitcode, output, messages)


class Started:
    """A command that runs until it is told to stop."""

    def __init__(self, process: Any, streams: list[Path]) -> None:
        self._process, self._streams = process, streams

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self._streams[1].read_text("utf-8")

    @property
    def messages(self) -> str:
        """What it has said on standard error so far."""
        return self._streams[2].read_text("utf-8")

    def send(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self._process.pid, number)

    def end(self, seconds: float = 60) -> int | None:
        """Its exit code, once it has ended; ``None`` if it does not within so long."""
        self._process.join(seconds)
        code: int | None = self._process.exitcode
        return code


@contextmanager
def started(*arguments: str | Path, cwd: Path) -> Iterator[Started]:
    """Start the command beside the test; it is killed if it still runs at the end."""
    command = ["headwise", *map(str, arguments)]
    streams = [cwd / name for name in ("stdin", "stdout", "stderr")]
    for stream in streams:
        stream.write_bytes(b"")
    process = _SERVER.Process(target=_run, args=(command, cwd, streams))
    process.start()
    try:
        yield Started(process, streams)
    finally:
        if process.exitcode is None:
            process.kill()
            process.join()


def _run(command: list[str], cwd: Path, streams: list[Path]) -> None:
    """Be the command, with files for its three streams."""
    os.chdir(cwd)
    os.environ |= {"NO_COLOR": "1", "COLUMNS": "100", "HF_HUB_OFFLINE": "1"}
    flags = (os.O_RDONLY, *[os.O_WRONLY | os.O_CREAT | os.O_APPEND] * 2)
    for descriptor, (path, flag) in enumerate(zip(streams, flags, strict=True)):
        os.dup2(os.open(path, flag), descriptor)
    sys.stdin = os.fdopen(0, encoding="utf-8")
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", buffering=1, closefd=False)
    sys.argv = command
    main()
