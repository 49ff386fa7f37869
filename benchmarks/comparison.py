"""What all benchmarks share: run two sides in turn, print both and their ratio."""

import argparse
import ctypes
import gc
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import torch


def seconds(run: Callable[[], object]) -> float:
    """Wall time of one call."""
    gc.collect()
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def median_seconds(
    ours: Callable[[], object], theirs: Callable[[], object], *, repeats: int = 3
) -> tuple[float, float, float]:
    """Run both sides in turn.

    Returns:
        Our median time, theirs, and the median of the ratios: how many times faster ours is.
    """
    ours(), theirs()  # warm-up
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(repeats)]
    mine = statistics.median(pair[0] for pair in pairs)
    other = statistics.median(pair[1] for pair in pairs)
    return mine, other, statistics.median(pair[1] / pair[0] for pair in pairs)


def compare_seconds(
    name: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    *,
    labels: tuple[str, str],
    repeats: int = 3,
) -> float:
    """Run both sides in turn and print the median times and the median of the ratios.

    Returns:
        How many times faster ours is.
    """
    mine, other, ratio = median_seconds(ours, theirs, repeats=repeats)
    print(f"{name}: {labels[0]} {mine:.2f} s, {labels[1]} {other:.2f} s, ratio {ratio:.2f}x")
    return ratio


class PeakMemory:
    """Peak of the process's resident memory above its level at the start, sampled in a thread.

    Attributes:
        extra: Bytes above the level at the start, once the block is left.
    """

    def __init__(self, interval: float = 0.001) -> None:
        self._interval = interval
        self.extra = 0

    def __enter__(self) -> "PeakMemory":
        gc.collect()
        # Freed memory that glibc holds back would serve the block without being counted
        if hasattr(library := ctypes.CDLL(None), "malloc_trim"):
            library.malloc_trim(0)
        process = psutil.Process()
        self._stop = threading.Event()
        base = process.memory_info().rss

        def watch() -> None:
            while not self._stop.is_set():
                self.extra = max(self.extra, process.memory_info().rss - base)
                time.sleep(self._interval)

        self._thread = threading.Thread(target=watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def device_line() -> str:
    """What the figures were measured on."""
    return f"torch {torch.__version__}, {torch.get_num_threads()} CPU threads, {sys.platform}"


def pairs_argument(description: str | None) -> argparse.Namespace:
    """Parse ``--pairs FILE``: real text, or the bundled examples over and over."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--pairs", type=Path, help="TSV of pairs; by default bundled examples")
    parser.add_argument("--count", type=int, default=1000)
    return parser.parse_args()


def load_pairs(path: Path | None, count: int) -> list[tuple[str, str]]:
    """The first ``count`` pairs of a file, or made of the bundled examples.

    Made-up pairs join one to three examples, so that their lengths differ as those of real
    text do.
    """
    from headwise.bundled.examples import example_pairs
    from headwise.data.readers import read_pairs
    from headwise.data.records.pairs import Pair

    if path is not None:
        rows = [row for row in read_pairs(path) if isinstance(row, Pair)]
        return [(row.source or "", row.hypothesis) for row in rows[:count]]
    examples = example_pairs()
    made = []
    for index in range(count):
        chosen = [examples[(index * 7 + k * 3) % len(examples)] for k in range(index % 3 + 1)]
        made.append(
            (" ".join(c.source or "" for c in chosen), " ".join(c.hypothesis for c in chosen))
        )
    return made
