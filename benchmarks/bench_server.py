"""The server against the library in one process, and against a server that batches nothing.

64 clients, each with one short pair at a time: pairs a second against `score_many` over the same
pairs, and against a server that runs each pair alone; the server as one process and as two. Then
one client: what the 99th percentile of its requests takes beyond the model's own time. All sides
run in this command, each in a process of its own, in turn.
"""

import argparse
import asyncio
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from comparison import device_line, load_pairs
from headwise.bundled.examples import example_pairs
from http_clients import Answers, ask_all, request_bytes

THROUGHPUT, AGAINST_ALONE, LONE_MS, EQUAL = 0.7, 4.0, 15.0, 1e-6
WORKERS = 2

# A turn takes the tokens of one pair, so that every pair is a batch of its own
ALONE = """
import sys, uvicorn
from unittest.mock import PropertyMock, patch
from headwise.serving import ServerSettings, create_app
from headwise.serving.quality_service import ScoringPairs
patch.object(ScoringPairs, "most_tokens", PropertyMock(return_value=1)).start()
app = create_app(ServerSettings(entailment=None))
uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", access_log=False)
"""
SILENT: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
COMMAND = ("-m", "headwise", "serve", "--entailment", "none", "--port")
IN_PROCESS = """
import json, sys, time
from headwise import QualityEstimator
pairs = [tuple(pair) for pair in json.load(sys.stdin)]
estimator = QualityEstimator.from_pretrained("tiny-en-de")
list(estimator.score_many(pairs[:200]))
started = time.perf_counter()
scores = [scored.score for scored in estimator.score_many(pairs)]
seconds = time.perf_counter() - started
lone = []
for pair in pairs[:int(sys.argv[1])]:
    before = time.perf_counter()
    estimator.score(*pair)
    lone.append(time.perf_counter() - before)
json.dump({"seconds": seconds, "scores": scores, "lone": lone}, sys.stdout)
"""


@contextmanager
def serving(mode: str) -> Iterator[int]:
    """A server in a process of its own, or in several; its port, once it is ready."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["-c", ALONE, str(port)] if mode == "alone" else [*COMMAND, str(port)]
    if mode == "workers":
        command += ["--workers", str(WORKERS)]
    process = subprocess.Popen([sys.executable, *command], **SILENT)
    try:
        warm = [request_bytes("/v1/score", {"source": "A.", "hypothesis": "B."})] * 8
        for _ in range(600):
            assert process.poll() is None, "the server ended"
            try:
                if asyncio.run(ask_all(port, warm, clients=8)).statuses == [200] * 8:
                    break
            except OSError:
                pass
            time.sleep(0.1)
        yield port
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def in_process(pairs: Sequence[tuple[str, str]], lone: int) -> dict[str, Any]:
    """Seconds and scores of `score_many`, and seconds of single calls."""
    done = subprocess.run(
        [sys.executable, "-c", IN_PROCESS, str(lone)],
        input=json.dumps(pairs),
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def over_http(
    port: int, pairs: Sequence[tuple[str, str]], *, clients: int
) -> tuple[float, Answers]:
    """Seconds for all pairs, and what came back."""
    requests = [
        request_bytes("/v1/score", {"source": source, "hypothesis": text, "level": "sentence"})
        for source, text in pairs
    ]
    asyncio.run(ask_all(port, requests[: 4 * clients], clients=clients))  # warm
    started = time.perf_counter()
    answers = asyncio.run(ask_all(port, requests, clients=clients))
    assert set(answers.statuses) == {200}, set(answers.statuses)
    return time.perf_counter() - started, answers


def percentile(seconds: Sequence[float], share: float) -> float:
    """In milliseconds."""
    return 1000 * sorted(seconds)[min(len(seconds) - 1, int(share * len(seconds)))]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=Path, help="TSV of pairs; by default bundled sentences")
    parser.add_argument("--longer", action="store_true", help="one to three sentences a pair")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--lone", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    if options.pairs is not None or options.longer:
        pairs = load_pairs(options.pairs, options.count)
    else:
        sentences = [(one.source or "", one.hypothesis) for one in example_pairs()]
        pairs = [sentences[number % len(sentences)] for number in range(options.count)]
    print(device_line(), f"load {os.getloadavg()[0]:.1f}")
    rates: dict[str, list[float]] = {"score_many": [], "server": [], "workers": [], "alone": []}
    lone_model: list[float] = []
    lone_server: list[float] = []
    apart = 0.0
    for _ in range(options.repeats):
        own = in_process(pairs, options.lone)
        rates["score_many"].append(len(pairs) / own["seconds"])
        lone_model += own["lone"]
        for mode in ("server", "workers", "alone"):
            asked = pairs if mode != "alone" else pairs[: max(options.clients, len(pairs) // 4)]
            with serving(mode) as port:
                seconds, answers = over_http(port, asked, clients=options.clients)
                rates[mode].append(len(asked) / seconds)
                if mode == "server":
                    lone = over_http(port, pairs[: options.lone], clients=1)[1]
                    lone_server += lone.seconds
            for number, body in answers.bodies.items():
                score = json.loads(body)["data"][0]["score"]
                apart = max(apart, abs(score - own["scores"][number]))
    found = {name: statistics.median(values) for name, values in rates.items()}
    for name, values in rates.items():
        print(f"{name:<12} {found[name]:8.0f} pairs/s   {', '.join(f'{v:.0f}' for v in values)}")
    for one, other, bar in (
        ("server", "score_many", THROUGHPUT),
        ("workers", "score_many", THROUGHPUT),
        ("server", "alone", AGAINST_ALONE),
    ):
        print(f"{one} / {other:<12} {found[one] / found[other]:.2f}x (bar {bar})")
    for share in (0.5, 0.99):
        model, served = percentile(lone_model, share), percentile(lone_server, share)
        print(
            f"lone request, p{100 * share:.0f}: model {model:.1f} ms, server {served:.1f} ms, "
            f"+{served - model:.1f} ms (bar of p99: {LONE_MS:.0f})"
        )
    print(f"largest difference of scores {apart:.1e} (bar {EQUAL:.0e})")


if __name__ == "__main__":
    main()
