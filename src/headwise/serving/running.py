"""Running the app: a socket, uvicorn, its workers, and the line that says that it is ready."""

import json
import logging
import os
import signal
import socket
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from http.client import HTTPException

import uvicorn
from uvicorn.supervisors import Multiprocess

from headwise.errors import ServingError
from headwise.serving.logs import log_config
from headwise.serving.settings import EVERYWHERE, ServerSettings

_LOG = logging.getLogger("headwise.serving")
_FACTORY = "headwise.serving:create_app"
# After requests in work have ended or were cut off: connections that still take what was sent
_CLOSING_SECONDS = 3
# A worker that imports PyTorch is busy, not dead
_WORKER_SECONDS = 60
_POLL_SECONDS = 0.1


def serve(settings: ServerSettings, *, host: str, port: int, workers: int = 1) -> None:
    """Serve until SIGTERM or SIGINT, then let requests in work end.

    Args:
        settings: Of the app.
        host: Address or name to listen at.
        port: To listen at; 0 takes a free one.
        workers: Processes, each with models of its own.

    Raises:
        ServingError: If the address cannot be listened at.
    """
    listening = _bind(host, port)
    port = listening.getsockname()[1]
    settings.to_environment()
    start = _Start(host, port)
    threading.Thread(target=start.watch, daemon=True).start()

    def end(*_: object) -> None:
        if not start.failed:
            sys.exit(0)

    # Before uvicorn takes them, and when it raises them again at its end: who was asked to stop
    # and did has done well, and does not end with the signal's number
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    configuration = uvicorn.Config(
        _FACTORY,
        factory=True,
        host=host,
        port=port,
        workers=workers,
        access_log=False,  # the app's own has what uvicorn cannot know
        server_header=False,
        log_config=log_config(settings.log_format),
        timeout_graceful_shutdown=_CLOSING_SECONDS,
        timeout_worker_healthcheck=_WORKER_SECONDS,
    )
    if workers == 1:
        uvicorn.Server(configuration).run(sockets=[listening])
    else:
        # Each computes with its share of the cores: with all of them, threads wait for each other
        os.environ.setdefault("OMP_NUM_THREADS", str(max(1, _cores() // workers)))
        with tempfile.TemporaryDirectory(prefix="headwise-metrics-") as folder:
            os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", folder)
            Multiprocess(configuration, sockets=[listening]).run()
    if start.failed:
        raise ServingError(start.failed)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(2048)
    except OSError as error:
        raise ServingError(
            f"The server cannot listen at {host}, port {port}: {error.strerror}. Give another "
            "--port (0 takes a free one) or --host (127.0.0.1: this machine alone)."
        ) from None
    listening.set_inheritable(True)
    return listening


class _Start:
    """Waits until the app says that its models are loaded, and names the page."""

    def __init__(self, host: str, port: int) -> None:
        shown = "127.0.0.1" if host in EVERYWHERE else host
        self._address = f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"
        self.failed = ""

    def watch(self) -> None:
        """Ask until it is ready, or cannot be; then the server is told to stop."""
        start = time.monotonic()
        # A proxy of the environment is for other machines
        ask = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        while True:
            time.sleep(_POLL_SECONDS)
            try:
                ask.open(f"{self._address}/ready", timeout=10).close()
            except urllib.error.HTTPError as answer:
                with answer:
                    said = json.loads(answer.read())
                if said["status"] == "failed":
                    self.failed = said["error"]["message"]
                    os.kill(os.getpid(), signal.SIGTERM)
                    return
            except (OSError, HTTPException):
                pass  # not there yet
            else:
                break
        seconds, address = time.monotonic() - start, self._address
        _LOG.info("Ready after %.1f s. Page: %s/  API: %s/docs", seconds, address, address)
