"""Head scores inside vLLM against `prompt_logprobs` of vLLM, and its states against Transformers'.

16 clients, each with one pair at a time. Ours is a pooling server with headwise's plugin, which
tokenises pairs and answers with a score for each; the other one is a server that generates, which
is sent token ids and answers with the log-probability of each. Both run alone, in turn, with as
many threads. Then all signals of some pairs by states of the server, against the model read here.

Needs vLLM: make test-vllm, then .venv-vllm/bin/python benchmarks/bench_vllm.py
"""

import argparse
import asyncio
import importlib.util
import json
import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench_server import percentile
from comparison import device_line, load_pairs
from headwise import QualityEstimator
from headwise.backbones.encodings import EncodedPair
from headwise.backbones.states.remote import RemoteBackbone
from headwise.bundled.names import bundled_folder
from headwise.data.records.scored import ScoredHypothesis
from headwise.data.records.signals import Signal
from http_clients import Answers, ask_all, request_bytes
from vllm_server import MODEL, POOLING, Server, serving

FASTER, SAME, WARM = 1.0, 1e-4, 64

Pairs = list[tuple[str, str]]


class Round(NamedTuple):
    """What one pass over all pairs took, and what came back."""

    rate: float
    cpu_ms: float
    answers: Answers


def over_http(server: Server, requests: Sequence[bytes], *, clients: int) -> Round:
    """Ask for all pairs: pairs a second, and a pair's share of the processors in milliseconds."""
    asyncio.run(ask_all(server.port, requests[:WARM], clients=clients))
    started, before = time.perf_counter(), server.cpu_seconds()
    answers = asyncio.run(ask_all(server.port, requests, clients=clients))
    seconds, cpu = time.perf_counter() - started, server.cpu_seconds() - before
    assert set(answers.statuses) == {200}, answers.bodies
    return Round(len(requests) / seconds, 1000 * cpu / len(requests), answers)


def plugin_requests(pairs: Pairs, signals: list[str]) -> list[bytes]:
    """One for each pair."""
    return [
        request_bytes(
            "/pooling",
            {"model": MODEL, "data": {"pairs": [pair], "signals": signals, "level": "token"}},
        )
        for pair in pairs
    ]


def logprob_requests(codes: Sequence[EncodedPair]) -> list[bytes]:
    """The same texts as token ids, the last target with them."""
    asked = {"model": MODEL, "max_tokens": 1, "temperature": 0, "prompt_logprobs": 0}
    return [
        request_bytes("/v1/completions", {**asked, "prompt": [*code.input_ids, code.targets[-1]]})
        for code in codes
    ]


def logprob_distance(
    answers: Answers, codes: Sequence[EncodedPair], scored: Sequence[ScoredHypothesis]
) -> float:
    """How far the other server's log-probabilities of targets are from ours."""
    apart = 0.0
    for number, (code, own) in enumerate(zip(codes, scored, strict=True)):
        given = json.loads(answers.bodies[number])["choices"][0]["prompt_logprobs"]
        behind = given[code.first + 1 : code.first + 1 + len(code.targets)]
        tokens = (*own.tokens, *own.special_tokens)
        for target, found, token in zip(code.targets, behind, tokens, strict=True):
            assert token.logprob is not None
            apart = max(apart, abs(found[str(target)]["logprob"] - token.logprob))
    return apart


def states_distance(port: int, estimator: QualityEstimator, pairs: Pairs) -> dict[str, float]:
    """The largest difference of each signal between states of a server and those read here."""
    remote = QualityEstimator(
        RemoteBackbone(f"http://127.0.0.1:{port}", bundled_folder(MODEL)),
        estimator.head,
        error_head=estimator.error_head,
        prompt=estimator.prompt,
        calibration=estimator.calibration,
    )
    apart: dict[str, float] = {}
    asked = list(Signal)
    for one, other in zip(
        estimator.score_many(pairs, signals=asked),
        remote.score_many(pairs, signals=asked),
        strict=True,
    ):
        assert isinstance(one, ScoredHypothesis)
        assert isinstance(other, ScoredHypothesis)
        for here, there in zip(one.tokens, other.tokens, strict=True):
            for signal in asked:
                a, b = getattr(here, signal), getattr(there, signal)
                assert (a is None) == (b is None)
                if a is not None:
                    apart[signal.value] = max(apart.get(signal.value, 0.0), abs(a - b))
    return apart


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=Path, help="TSV of pairs; by default bundled sentences")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--states", type=int, default=200, help="pairs of the last comparison")
    parser.add_argument("--signals", default="error", help="of the plugin")
    parser.add_argument("--threads", type=int, default=1, help="of each server's engine")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2, help="with each start of a server")
    parser.add_argument("--eager", action="store_true", help="servers compile nothing")
    options = parser.parse_args()
    if importlib.util.find_spec("vllm") is None:
        print("vLLM is not installed here: make test-vllm makes an environment that has it")
        return
    pairs = load_pairs(options.pairs, options.count)
    estimator = QualityEstimator.from_pretrained(MODEL)
    scored = list(estimator.score_many(pairs, signals=["logprob"]))
    codes = [
        code
        for code in estimator.backbone.encode(pairs, estimator.prompt)
        if isinstance(code, EncodedPair)
    ]
    asked, other = plugin_requests(pairs, options.signals.split(",")), logprob_requests(codes)
    lengths = [len(code.input_ids) for code in codes]
    print(device_line(), f"load {os.getloadavg()[0]:.1f}")
    print(f"{len(pairs)} pairs of {min(lengths)} to {max(lengths)} tokens")
    more = ("--enforce-eager",) if options.eager else ()
    rounds: dict[str, list[Round]] = {"plugin": [], "prompt_logprobs": []}
    distances: dict[str, float] = {}
    for repeat in range(options.repeats):
        for name, arguments, requests in (
            ("plugin", POOLING, asked),
            ("prompt_logprobs", (), other),
        ):
            with serving(*arguments, *more, threads=options.threads) as server:
                for _ in range(options.rounds):
                    found = over_http(server, requests, clients=options.clients)
                    rounds[name].append(found)
                    print(
                        f"{name:<16} {found.rate:7.1f} pairs/s"
                        f"   {found.cpu_ms:.1f} ms of CPU a pair"
                        f"   p99 {percentile(found.answers.seconds, 0.99):.0f} ms"
                        f"   load {os.getloadavg()[0]:.1f}"
                    )
                if repeat == 0 and name == "plugin":
                    distances = states_distance(server.port, estimator, pairs[: options.states])
                elif repeat == 0:
                    good = [one for one in scored if isinstance(one, ScoredHypothesis)]
                    apart = logprob_distance(found.answers, codes, good)
                    print(f"their log-probabilities differ from ours by {apart:.1e}")
    for name, done in rounds.items():
        rate = statistics.median(one.rate for one in done)
        cpu = statistics.median(one.cpu_ms for one in done)
        print(f"{name:<16} median {rate:7.1f} pairs/s   {cpu:.1f} ms of CPU a pair")
    both = list(zip(rounds["plugin"], rounds["prompt_logprobs"], strict=True))
    faster = [ours.rate / theirs.rate for ours, theirs in both]
    lighter = [theirs.cpu_ms / ours.cpu_ms for ours, theirs in both]
    each = ", ".join(f"{ratio:.2f}" for ratio in faster)
    print(f"pairs/s: ratio {statistics.median(faster):.2f}x (bar {FASTER})   {each}")
    each = ", ".join(f"{ratio:.2f}" for ratio in lighter)
    print(f"CPU: ratio {statistics.median(lighter):.2f}x   {each}")
    print(f"states of vLLM against Transformers, {options.states} pairs (bar {SAME:.0e}):")
    print("  " + ", ".join(f"{name} {apart:.1e}" for name, apart in distances.items()))


if __name__ == "__main__":
    main()
