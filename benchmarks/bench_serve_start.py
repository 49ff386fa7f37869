"""How long `headwise serve` takes from its start to its first scored pair, bundled models.

Wall time, which other programs lengthen, and seconds of a processor, which they do less. The first
start may have Python compile what it imports, and is left out.
"""

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing

import psutil

from comparison import device_line

BAR = 10.0
PAIR = {"source": "A dog runs.", "hypothesis": "Ein Hund läuft."}


def start(environment: dict[str, str]) -> tuple[float, float, float]:
    """Seconds until the server is ready, those of a processor, and those of the first answer."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "headwise", "serve", "--port", str(port)]
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while True:
            assert process.poll() is None, "the server ended"
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=60).close()
                break
            except OSError:
                time.sleep(0.05)
        ready = time.perf_counter() - began
        times = psutil.Process(process.pid).cpu_times()
        asked = time.perf_counter()
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/v1/score",
            json.dumps(PAIR).encode(),
            {"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=60).close()
        return ready, times.user + times.system, time.perf_counter() - asked
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    print(device_line(), f"load {os.getloadavg()[0]:.1f}")
    environment = dict(os.environ)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    runs = [start(environment) for _ in range(options.repeats + 1)][1:]
    for ready, processor, first in runs:
        print(f"ready {ready:5.1f} s   processor {processor:5.1f} s   first pair {first:5.3f} s")
    best = min(ready for ready, _, _ in runs)
    print(f"ready after {best:.1f} s (bar {BAR:g} s)")
    sys.exit(0 if best < BAR else 1)


if __name__ == "__main__":
    main()
