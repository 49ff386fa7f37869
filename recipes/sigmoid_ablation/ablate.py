"""Train every variant with several seeds, measure each head, and print a table."""

import argparse
import json
import os
import shutil
import statistics
import time
from dataclasses import replace
from pathlib import Path

import torch
from evaluation_sets import baselines, evaluation_sets
from torch.nn import functional as F
from variants import VARIANTS

from headwise.backbones import NAMED_PROMPTS, load_backbone
from headwise.bundled.registry import bundled_folder
from headwise.data.readers import read_pairs
from headwise.data.records.pairs import Pair
from headwise.heads import load_head
from headwise.training.sigmoid.train import train_sigmoid_head

CORPORA, KINDS = ("multi30k", "tatoeba"), ("crude", "plausible")
TOKENS = [f"{corpus} {kind} token" for corpus in CORPORA for kind in KINDS]
SENTENCES = [f"{corpus} {kind} sentence" for corpus in CORPORA for kind in KINDS]
# A column of the table is the mean of what was measured
COLUMNS = {name.removesuffix(" token"): [name] for name in TOKENS} | {
    "tokens, mean": TOKENS,
    "sentences, mean": SENTENCES,
    "mlqe-pe": ["mlqe-pe spearman"],
}


def read(path: Path, count: int) -> list[Pair]:
    pairs = [row for row in read_pairs(path) if isinstance(row, Pair)]
    return pairs[:count]


def training_data(data: Path, each: int) -> tuple[list[Pair], list[Pair]]:
    """Training pairs of both corpora that stand in no dev file, and dev pairs of both."""
    dev_files = [
        data / "multi30k-en-de/dev.tsv.gz",
        data / "tatoeba-en-de/dev-multireference.tsv.gz",
    ]
    held_out = {text for path in dev_files for p in read(path, 10**9) for text in text_of(p)}
    train = []
    for name in ("multi30k-en-de", "tatoeba-en-de"):
        pairs = read(data / name / "train.tsv.gz", 10**9)
        train += [pair for pair in pairs if not text_of(pair) & held_out][:each]
    return train, [pair for path in dev_files for pair in read(path, 500)]


def text_of(pair: Pair) -> set[str]:
    return {str(pair.source).casefold(), pair.hypothesis.casefold()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=10_000, help="of each corpus")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", nargs="+", help="names of variants")
    parser.add_argument(
        "--heads", type=Path, nargs="+", default=[], help="measure these heads and train none"
    )
    parser.add_argument("--skip-slow", action="store_true", help="without the full vocabulary")
    arguments = parser.parse_args()

    results = arguments.work / "results.jsonl"
    backbone = load_backbone(bundled_folder("tiny-en-de"))
    prompt = NAMED_PROMPTS["tiny"]
    train, dev = training_data(arguments.data, arguments.pairs)
    sets = evaluation_sets(
        backbone, prompt, arguments.data, arguments.work / "sets", [p.hypothesis for p in train]
    )

    done = set()
    if results.is_file():
        done = {(r["name"], r["seed"]) for r in map(json.loads, results.read_text().splitlines())}

    def record(name: str, seed: int, seconds: float, score: object) -> None:
        row = {"name": name, "seed": seed, "seconds": seconds}
        for kind, texts in sets.items():
            row |= {f"{kind} {n}": v for n, v in texts.measure(score).items()}  # type: ignore[arg-type]
        with results.open("a") as stream:
            stream.write(json.dumps(row) + "\n")
        print(name, seed, f"{seconds:.0f} s", *cells([row]), flush=True)

    def measure_head(folder: Path, name: str, seed: int, seconds: float) -> None:
        head = load_head(folder, unembedding=lambda: backbone.unembedding)
        with torch.inference_mode():
            # Sentences are judged by the mean logarithm of their tokens' scores
            record(name, seed, seconds, lambda *both: F.logsigmoid(head.logits(*both)))

    for folder in arguments.heads:
        measure_head(folder, str(folder), 0, 0.0)
    if arguments.heads:
        return
    for name, score in baselines(backbone).items():
        if (name, 0) not in done:
            record(name, 0, 0.0, score)
    for seed in arguments.seeds:
        for name, settings in VARIANTS.items():
            slow = settings.objective.negatives is None
            if (name, seed) in done or (arguments.only and name not in arguments.only):
                continue
            if slow and arguments.skip_slow:
                continue
            output = arguments.work / f"run-{os.getpid()}"
            shutil.rmtree(output, ignore_errors=True)
            start = time.monotonic()
            train_sigmoid_head(
                backbone,
                train,
                dev,
                output,
                prompt=prompt,
                backbone_name="tiny-en-de",
                settings=replace(
                    settings, seed=seed, feature_folder=str(arguments.work / "features")
                ),
            )
            measure_head(output, name, seed, time.monotonic() - start)
    print_table(results)


def cells(rows: list[dict[str, float]]) -> list[str]:
    """The columns' values: means over seeds, and their standard deviations."""
    found = []
    for names in COLUMNS.values():
        values = [statistics.mean(row[name] for name in names) for row in rows]
        spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
        found.append(f"{statistics.mean(values):.3f}{spread}")
    return found


def print_table(results: Path) -> None:
    rows = [json.loads(line) for line in results.read_text().splitlines()]
    print("\n| setting | " + " | ".join(COLUMNS) + " | seeds |")
    print("| --- | " + "--- | " * (len(COLUMNS) + 1))
    for name in dict.fromkeys(row["name"] for row in rows):
        mine = [row for row in rows if row["name"] == name]
        print(f"| {name} | " + " | ".join(cells(mine)) + f" | {len(mine)} |")


if __name__ == "__main__":
    main()
