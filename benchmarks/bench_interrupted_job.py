"""Kill a scoring job at random moments and see how much work it has to repeat.

A row is safe as soon as its line is in the output, so the work that a killed run loses is what it
did after its last line. With the tiny model, and with one made 100 times slower by a sleep after
each pass of it.
"""

import argparse
import multiprocessing
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from transformers.utils.logging import disable_progress_bar

from comparison import device_line, load_pairs
from headwise import QualityEstimator
from headwise.quality.job import score_file

MODEL = "tiny-en-de"
BAR = 10.0


def run_job(source: Path, output: Path, slowdown: float, started: Any) -> None:
    """Score the file, each pass of the model taking ``slowdown`` times as long as it does."""
    disable_progress_bar()
    torch.set_num_threads(1)
    estimator = QualityEstimator.from_pretrained(MODEL)
    clock: list[float] = []

    def wait(*_: Any) -> None:
        time.sleep((slowdown - 1) * (time.monotonic() - clock.pop()))

    # The backbone may call the part of the model below its unembedding: slow that one down
    base = estimator.backbone.model.base_model
    base.register_forward_pre_hook(lambda *_: clock.append(time.monotonic()))
    base.register_forward_hook(wait)
    started.set()
    score_file(estimator, source, output, model=MODEL)


def lost_seconds(source: Path, output: Path, slowdown: float, after: float) -> tuple[float, int]:
    """Start or resume the job, kill it ``after`` seconds of work.

    Returns:
        Seconds between the last line (or the start of the work) and the end; lines in the output.
    """
    context = multiprocessing.get_context("spawn")
    started = context.Event()
    process = context.Process(target=run_job, args=(source, output, slowdown, started))
    process.start()
    started.wait()
    begin = last = time.monotonic()
    size = output.stat().st_size if output.exists() else 0
    while process.is_alive() and time.monotonic() < begin + after:
        time.sleep(0.01)
        if output.exists() and (now := output.stat().st_size) != size:
            size, last = now, time.monotonic()
    finished = not process.is_alive()
    ended = time.monotonic()
    process.kill()
    process.join()
    return 0.0 if finished else ended - last, output.read_bytes().count(b"\n")


def main() -> None:
    """Kill both jobs a few times and print the work repeated."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=Path, help="TSV of pairs; by default bundled examples")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--longest", type=float, default=15.0, help="seconds before a kill")
    arguments = parser.parse_args()
    pairs = load_pairs(arguments.pairs, 1_000)
    print(device_line())
    random_ = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in.tsv"
        rows = [f"{a}\t{b}" for a, b in pairs]
        rows = [rows[number % len(rows)] for number in range(arguments.count)]
        source.write_text("\n".join(["source\thypothesis", *rows, ""]), "utf-8")
        for slowdown in (1.0, 100.0):
            output = Path(folder) / f"out{slowdown:.0f}.jsonl"
            lost = []
            for _ in range(arguments.kills):
                after = random_.uniform(2.0, arguments.longest)
                seconds, lines = lost_seconds(source, output, slowdown, after)
                lost.append(seconds)
                print(f"  killed after {after:.1f} s: {seconds:.2f} s repeated, {lines:,} rows")
            print(
                f"{slowdown:.0f} times slower: work repeated {statistics.mean(lost):.2f} s on "
                f"average, {max(lost):.2f} s at most (bar: {BAR:.0f} s)"
            )


if __name__ == "__main__":
    main()
