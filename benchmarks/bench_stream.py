"""A stream with scores against plain `generate`: in process, and over HTTP from a server."""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx
import torch
from transformers.generation.streamers import BaseStreamer

from comparison import device_line
from headwise import QualityEstimator
from headwise.bundled.examples import example_pairs

MODEL = "tiny-en-de"
# The bars: milliseconds after the plain first token, and the share of plain tokens a second
FIRST, SHARE = 20.0, 0.95


class Run(NamedTuple):
    """Seconds to the first token and to the last, and how many there were."""

    first: float
    whole: float
    tokens: int


class FirstToken(BaseStreamer):
    """Notes when the first token is there; the prompt comes before it."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def put(self, value: torch.Tensor) -> None:
        del value
        self.times.append(time.perf_counter())

    def end(self) -> None:
        pass


def plain(estimator: QualityEstimator, source: str, tokens: int) -> Run:
    """Transformers' own generate on the same prompt."""
    start, seen = time.perf_counter(), FirstToken()
    backbone = estimator.backbone
    with torch.inference_mode():
        inputs = backbone.encode_prompt(source, estimator.prompt)
        output = backbone.model.generate(
            **inputs, do_sample=False, num_beams=1, max_new_tokens=tokens, streamer=seen
        )
    whole = time.perf_counter() - start
    count = output.shape[1] - inputs["input_ids"].shape[1]
    return Run(seen.times[1] - start, whole, count)


def streamed(estimator: QualityEstimator, source: str, tokens: int) -> Run:
    """The same with scores, in process."""
    start = time.perf_counter()
    times = [time.perf_counter() for _ in estimator.stream(source, max_new_tokens=tokens)]
    return Run(times[0] - start, times[-1] - start, len(times))


def over_http(client: httpx.Client, source: str, wishes: dict[str, Any]) -> Run:
    """The same from a server: to the first event with a token, and to the last event."""
    body = {"messages": [{"role": "user", "content": source}], "stream": True, **wishes}
    start, times = time.perf_counter(), []
    with client.stream("POST", "/v1/chat/completions", json=body) as response:
        assert response.status_code == 200
        for line in response.iter_lines():
            if line.startswith("data: {"):
                choice = json.loads(line[6:])["choices"][0]
                if "content" in choice["delta"] and "role" not in choice["delta"]:
                    times.append(time.perf_counter())
    return Run(times[0] - start, time.perf_counter() - start, len(times))


@contextmanager
def server(port: int, model: Sequence[str]) -> Iterator[httpx.Client]:
    """A client of a server of its own process."""
    command = [sys.executable, "-m", "headwise", "serve", "--port", str(port), *model]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            for _ in range(1200):
                try:
                    if client.get("/ready").status_code == 200:
                        break
                except httpx.TransportError:
                    pass
                time.sleep(0.1)
            yield client
    finally:
        process.terminate()
        process.wait(60)


def compare(
    name: str, sources: list[str], theirs: Callable[[str], Run], ours: Callable[[str], Run], n: int
) -> bool:
    """Run both sides in turn; whether the bars hold."""
    for source in sources:
        a, b = theirs(source), ours(source)
        assert a.tokens == b.tokens, "the sides write different tokens"
    firsts, shares = [], []
    for _ in range(n):
        pairs = [(theirs(source), ours(source)) for source in sources]
        firsts += [1000 * (mine.first - other.first) for other, mine in pairs]
        whole = [sum(run.whole for run in side) for side in zip(*pairs, strict=True)]
        shares.append(whole[0] / whole[1])
    first, share = statistics.median(firsts), statistics.median(shares)
    rate = sum(run.tokens for run, _ in pairs) / whole[0]
    print(
        f"{name}: first scored token {first:+.1f} ms after the plain one (bar {FIRST:.0f}), "
        f"{share:.3f}x of {rate:.0f} plain tokens a second (bar {SHARE}x)",
        flush=True,
    )
    return first <= FIRST and share >= SHARE


def main() -> None:
    """Time a stream in process and over HTTP, with the default signal and without scores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--prompt", help="by default the one that comes with the heads")
    parser.add_argument("--tokens", type=int, default=256, help="to write at most")
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--port", type=int, default=8199)
    asked = parser.parse_args()
    estimator = QualityEstimator.from_pretrained(asked.model, prompt=asked.prompt)
    texts = sorted({pair.source for pair in example_pairs() if pair.source})
    sources = [" ".join(texts[i : i + 2]) for i in range(len(texts) - 1)][:3]
    print(f"{asked.model}, {len(sources)} sources, {estimator.default_signal}, {device_line()}")

    def both(name: str, ours: Callable[[str], Run]) -> bool:
        def theirs(source: str) -> Run:
            return plain(estimator, source, asked.tokens)

        return compare(name, sources, theirs, ours, asked.repeats)

    held = [both("in process", lambda s: streamed(estimator, s, asked.tokens))]
    served = ["--model", asked.model, "--entailment", "none"]
    served += [] if asked.prompt is None else ["--prompt", asked.prompt]
    with server(asked.port, served) as client:
        wishes: dict[str, Any] = {"max_tokens": asked.tokens}
        held.append(both("over HTTP", lambda s: over_http(client, s, wishes)))
        without = {**wishes, "headwise": False}
        both("over HTTP, no scores", lambda s: over_http(client, s, without))
    print("bars held" if all(held) else "bars missed")


if __name__ == "__main__":
    main()
