"""Workers on Ray against one process, each of one thread; start-up aside.

The clock of Ray starts when all workers have loaded their models, which wait for each other, and
stops when the driver holds the last row. ``--growth`` times a pair with two workers for jobs of
these sizes. Wants a machine of two cores or more with nothing else to do.
"""

import argparse
import os
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

# Before PyTorch is imported, here and in workers
os.environ["OMP_NUM_THREADS"] = "1"

import ray.data
import torch

from comparison import device_line, load_pairs, seconds
from headwise import QualityEstimator
from headwise.bundled.examples import example_pairs
from headwise.distributed import Workers, cluster, score_dataset
from headwise.quality import ScoreTables

MODEL = "tiny-en-de"
_POLL_SECONDS = 0.01


@dataclass(kw_only=True)
class StartedTogether(ScoreTables):
    """Waits, once its model is loaded and warm, until that is so in all workers."""

    folder: str
    workers: int
    _waited: bool = field(default=False, repr=False)

    def load(self) -> Self:
        super().load()
        if not self._waited:
            self.scorer.score_window(list(example_pairs()))
            folder = Path(self.folder)
            (folder / f"{os.getpid()}").touch()
            while len(list(folder.iterdir())) < self.workers:
                time.sleep(_POLL_SECONDS)
            self._waited = True
        return self


def alone(estimator: QualityEstimator, pairs: list[tuple[str, str]]) -> float:
    """Seconds that one process needs."""
    return seconds(lambda: sum(1 for _ in estimator.score_many(pairs)))


def on_ray(pairs: list[tuple[str, str]], workers: int) -> float:
    """Seconds that workers need once all are there; every row comes out once."""
    rows = ray.data.from_items([{"source": s, "hypothesis": h} for s, h in pairs])
    with tempfile.TemporaryDirectory() as folder:
        work = StartedTogether(model=MODEL, folder=folder, workers=workers)
        scored = score_dataset(rows, work, workers=Workers(least=workers, most=workers))
        count = 0
        for batch in scored.iter_batches(batch_size=None, batch_format="pyarrow"):
            count += len(batch)
            ended = time.time()
        # The last one to be ready
        started = max(path.stat().st_mtime for path in Path(folder).iterdir())
    assert count == len(pairs)
    return ended - started


def main() -> None:
    """One process, one worker, two workers; then growth, if asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=Path, help="TSV of pairs; by default bundled examples")
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--growth", type=int, nargs="*", default=[], help="sizes of jobs")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    pairs = load_pairs(arguments.pairs, arguments.count)
    estimator = QualityEstimator.from_pretrained(MODEL)
    alone(estimator, pairs[:1000])  # warm-up
    print(f"{len(pairs):,} pairs, {MODEL}, {device_line()}, Ray {ray.__version__}", flush=True)
    with cluster("local"):
        ray.data.DataContext.get_current().enable_progress_bars = False
        one_process = alone(estimator, pairs)
        one, two = on_ray(pairs, 1), on_ray(pairs, 2)
        for name, took in (("one process", one_process), ("1 worker", one), ("2 workers", two)):
            print(f"{name}: {took:.2f} s, {len(pairs) / took:.0f} pairs/s")
        print(f"1 worker against one process: {one / one_process:.2f}x the time")
        print(f"2 workers against one process: {one_process / two:.2f}x faster", flush=True)
        times = {}
        for size in arguments.growth:
            times[size] = on_ray(load_pairs(arguments.pairs, size), 2) / size
            print(f"{size:,} pairs, 2 workers: {times[size] * 1e3:.3f} ms a pair", flush=True)
        if len(times) > 1:
            print(
                f"a pair, slowest against fastest: {max(times.values()) / min(times.values()):.2f}x"
            )


if __name__ == "__main__":
    main()
