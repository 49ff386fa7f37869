"""The whole of `headwise evaluate` on many segments and ten signals, from file to results."""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy.special import expit

OWN = ("sigmoid", "softmax", "logprob", "entropy", "boosted", "rank")
OTHERS = tuple(f"system{index}" for index in range(4))
BAR_SECONDS = 120


def write_segments(path: Path, count: int) -> None:
    """Scored rows of sentence level with a gold number and a gold label, two of each source."""
    rng = np.random.default_rng(0)
    gold = np.round(rng.normal(70, 15, count))  # human scores have ties
    columns = {
        name: (gold - 70) / 15 + rng.normal(0, 1 + index / 4, count)
        for index, name in enumerate((*OWN, *OTHERS))
    }
    columns |= {name: expit(columns[name]) for name in ("sigmoid", "softmax", "boosted")}
    with path.open("w", encoding="utf-8") as stream:
        for row in range(count):
            line = {
                "source": f"source {row // 2}",
                "hypothesis": f"text {row}",
                "score": columns["sigmoid"][row],
                "signals": {name: columns[name][row] for name in OWN},
                **{name: columns[name][row] for name in OTHERS},
                "number": gold[row],
                "label": int(gold[row] > 60),
            }
            stream.write(json.dumps(line) + "\n")


def main() -> None:
    """Time both protocols of texts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--resamples", type=int, default=1000)
    options = parser.parse_args()
    print(f"{options.count:,} segments, 10 signals, {options.resamples:,} resamples")
    with tempfile.TemporaryDirectory() as folder:
        path, results = Path(folder) / "segments.jsonl", Path(folder) / "results.json"
        write_segments(path, options.count)
        others = [part for name in OTHERS for part in ("--column", name)]
        for gold in ("number", "label"):
            start = time.perf_counter()
            subprocess.run(
                [
                    *(sys.executable, "-m", "headwise", "evaluate", str(path), "--gold", gold),
                    *others,
                    *("--json", str(results), "--resamples", str(options.resamples)),
                ],
                check=True,
                capture_output=True,
            )
            taken = time.perf_counter() - start
            (table, *_) = json.loads(results.read_text("utf-8"))["tables"].values()
            metrics = ", ".join(table["rows"][0]["metrics"])
            print(
                f"gold `{gold}` ({metrics}): {taken:.1f} s, {taken / BAR_SECONDS:.2f} of the bar "
                f"of {BAR_SECONDS} s"
            )


if __name__ == "__main__":
    main()
