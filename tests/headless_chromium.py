"""A headless Chromium to look at pages with."""

import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# Chromium reads commands from file descriptor 3 and answers on 4.
_AT_3_AND_4 = """
import fcntl, os, sys
pipes = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
os.dup2(pipes[0], 3)
os.dup2(pipes[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""

_NAMES = ("chromium", "chromium-browser", "google-chrome")


def found_chromium() -> str:
    """The path of a Chromium; a test that needs one is skipped where there is none."""
    executable = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if executable is None:
        pytest.skip(f"No Chromium on the PATH; looked for {', '.join(_NAMES)}.")
    return executable


class Chromium:
    """A headless Chromium, steered through a pair of pipes in its DevTools protocol."""

    def __init__(self, executable: str, profile: Path) -> None:
        inbound, self._commands = os.pipe()
        self._replies, outbound = os.pipe()
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-c", _AT_3_AND_4, str(inbound), str(outbound), executable),
                *("--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"),
                *("--disable-background-networking", "--disable-sync", "--no-first-run"),
                *(
                    "--disable-dev-shm-usage",
                    "--window-size=1000,1600",
                    f"--user-data-dir={profile}",
                    "about:blank",
                ),
            ],
            pass_fds=(inbound, outbound),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(inbound)
        os.close(outbound)
        self._numbers = itertools.count(1)
        self._buffer = b""
        self._session: str | None = None
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=page, flatten=True)
        self._session = attached["sessionId"]

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a DevTools command and wait for its result."""
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            reply = self._read()
            if reply.get("id") == number:
                assert "error" not in reply, reply["error"]
                result: dict[str, Any] = reply["result"]
                return result

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression; a promise is waited for."""
        reply = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in reply, reply["exceptionDetails"]
        return reply["result"].get("value")

    def open(self, path: Path) -> None:
        """Load a file and wait until its script has run and the first sentences are drawn."""
        self.call("Page.navigate", url=path.as_uri())
        self.evaluate(
            "new Promise((done) => { const wait = () => document.querySelector('html.live')"
            " ? setTimeout(done, 100) : setTimeout(wait, 20); wait(); })"
        )

    def move_mouse(self, selector: str) -> None:
        """Move the mouse to the middle of an element."""
        x, y = self.evaluate(
            f"(({{x, y, width, height}}) => [x + width / 2, y + height / 2])"
            f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        )
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def press(self, key: str) -> None:
        """Press a key that types no character."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def close(self) -> None:
        """End the browser."""
        self._process.terminate()
        self._process.wait()
        os.close(self._commands)
        os.close(self._replies)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            received = os.read(self._replies, 1 << 16)
            assert received, "Chromium ended unexpectedly."
            self._buffer += received
        line, self._buffer = self._buffer.split(b"\0", 1)
        message: dict[str, Any] = json.loads(line)
        return message
