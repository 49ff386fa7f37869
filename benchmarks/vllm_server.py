"""A server of vLLM for tests and benchmarks: on a CPU, small, with the bundled model."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import psutil

from headwise.bundled.names import bundled_folder

MODEL = "tiny-en-de"
POOLING = (
    *("--runner", "pooling", "--convert", "embed", "--pooler-config", '{"task": "token_embed"}'),
    *("--io-processor-plugin", "headwise"),
    *("--additional-config", '{"headwise": {"head": "tiny-en-de"}}'),
)
_SERVED = (
    *("--model", str(bundled_folder(MODEL)), "--served-model-name", MODEL, "--dtype", "float32"),
    *("--host", "127.0.0.1"),
)
_SMALL = {
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
}
_STARTING, _SHOWN = 540.0, 4000


class Server(NamedTuple):
    """A server that answers.

    Attributes:
        port: Where.
        pid: Of the process that started the others.
    """

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """What its processes have had of the machine's cores so far."""
        first = psutil.Process(self.pid)
        times = [one.cpu_times() for one in (first, *first.children(recursive=True))]
        return sum(one.user + one.system for one in times)


@contextmanager
def serving(*arguments: str, threads: int = 1) -> Iterator[Server]:
    """A server in processes of its own, once it answers.

    Args:
        arguments: Of vLLM, beside the model's.
        threads: That its engine computes with.

    Raises:
        RuntimeError: If it ends before it answers; the message is what it wrote.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", *_SERVED, *arguments]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            env=os.environ | _SMALL | {"OMP_NUM_THREADS": str(threads)},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            deadline = time.monotonic() + _STARTING
            while not _answers(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise RuntimeError(log.read().decode("utf-8", "replace")[-_SHOWN:])
                time.sleep(1)
            yield Server(port, process.pid)
        finally:
            _end(process)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=10):
            return True
    except OSError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a server and the engine that it started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)
