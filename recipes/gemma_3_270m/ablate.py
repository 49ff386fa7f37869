"""Train every variant of the Sigmoid Head on the same features, and measure what people judged."""

import argparse
import json
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from features import LAYERS, features, gemma, text_sets
from torch import Tensor
from variants import VARIANTS, Variant

from headwise.backbones import Backbone
from headwise.features import CachedFeatures, FeatureBatch, FeatureSource
from headwise.features.batch import LayerFeatures, SelectedFeatures
from headwise.functional import LargestDrop
from headwise.functional.dominant_tokens import boost, select_dominant
from headwise.heads import QualityHead
from headwise.metrics import pearson, roc_auc, spearman
from headwise.training.loop.fit import fit, loop_arguments
from headwise.training.loop.tokens import token_task
from headwise.training.sigmoid.first_head import first_head, standardise
from headwise.training.sigmoid.loss import HeadLoss
from headwise.training.sigmoid.row_adam import RowAdam, updates_touched_rows

Score = Callable[[FeatureBatch], Tensor]
"""Scores of a batch's targets, ``(N,)``, the higher the better."""

COLUMNS = ("et-en words", "et-en pearson", "et-en spearman", "en-zh spearman", "hjqe words")
_TOGETHER = 32


def measure(score: Score, source: FeatureSource, gold: list[float]) -> dict[str, float]:
    """How well scores tell marked tokens from others, and order texts as their readers do."""
    values, marks, means = [], [], []
    with torch.inference_mode():
        for first in range(0, len(source.counts), _TOGETHER):
            part = range(first, min(first + _TOGETHER, len(source.counts)))
            batch = source.batch(part)
            # What closes a text stands for none of its words
            own = score(batch).masked_fill(batch.closing, torch.nan)
            means += [float(text.nanmean()) for text in own.split(batch.counts)]
            values.append(own[~batch.closing])
            if batch.errors is not None:
                marks.append(batch.errors[~batch.closing])
    found: dict[str, float | None] = {}
    if gold:
        found["pearson"] = pearson(np.array(means), np.array(gold)).value
        found["spearman"] = spearman(np.array(means), np.array(gold)).value
    if marks:
        found["words"] = roc_auc(torch.cat(values).numpy(), ~torch.cat(marks).numpy()).value
    return {name: value for name, value in found.items() if value is not None}


def of_head(head: QualityHead, backbone: Backbone) -> Score:
    """Scores of a head, whose inputs are taken from all layers that the features have."""

    def score(batch: FeatureBatch) -> Tensor:
        hidden = backbone.of_layers(batch.hidden, backbone.layer_numbers(LAYERS), head.layers)
        return head.score(hidden, batch.targets)

    return score


def baselines() -> dict[str, Score]:
    """What the language model says by itself."""

    def boosted(batch: FeatureBatch) -> Tensor:
        probabilities = batch.top_log_probs.exp()
        dominant = select_dominant(batch.top_ids, probabilities, selector=LargestDrop())
        return boost(statistic(0, 1.0)(batch).exp(), batch.targets, dominant=dominant)

    def statistic(column: int, sign: float) -> Score:
        def score(batch: FeatureBatch) -> Tensor:
            assert batch.statistics is not None
            return sign * batch.statistics[:, column]

        return score

    return {
        "log-probability": statistic(0, 1.0),
        "softmax": lambda batch: statistic(0, 1.0)(batch).exp(),
        "minus entropy": statistic(1, -1.0),
        "minus logarithm of the rank": statistic(2, -1.0),
        "BoostedProb": boosted,
    }


def train(
    variant: Variant, seed: int, backbone: Backbone, sources: dict[str, CachedFeatures], work: Path
) -> QualityHead:
    """A head trained on so many positions of the training text."""
    settings = variant.training(seed)
    head = first_head(backbone, settings)
    given = backbone.layer_numbers(LAYERS)
    read = {n: LayerFeatures(sources[n], backbone, given, head.layers) for n in ("train", "dev")}
    within = np.cumsum(read["train"].counts) <= variant.positions
    part = SelectedFeatures(read["train"], np.flatnonzero(within).tolist())
    standardise(head, part, settings)
    loss = HeadLoss(
        head,
        settings.objective,
        part.target_counts(backbone.vocabulary_size),
        backbone.unembedding,
        seed=seed,
    )
    touched = updates_touched_rows(head, part, settings, processes=1)
    assert settings.learning_rate is not None
    task = token_task(
        loss,
        part,
        read["dev"],
        batch_tokens=settings.batch_tokens,
        criterion=settings.criterion,
        seed=seed,
        device=backbone.device,
        optimizer=RowAdam(loss.parameters(), lr=settings.learning_rate) if touched else None,
    )
    arguments = loop_arguments(
        work / "checkpoints",
        backbone.device,
        settings,
        criterion=settings.criterion,
        higher_is_better=task.higher_is_better,
        weight_decay=0.0,
    )
    shutil.rmtree(work / "checkpoints", ignore_errors=True)
    fit(task, arguments, patience=settings.patience)
    shutil.rmtree(work / "checkpoints", ignore_errors=True)
    return head.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    arguments = parser.parse_args()
    results = arguments.work / "ablation.jsonl"
    backbone = gemma()
    sources = features(backbone, arguments.data, arguments.work)
    texts = text_sets(arguments.data)
    judged = {
        name: [float(pair.extra["z_mean"]) for pair in texts[name]] for name in ("et-en", "en-zh")
    }
    # Marks of gaps are other people's question
    judged["hjqe"] = []
    done = set()
    if results.is_file():
        done = {(row["name"], row["seed"]) for row in map(json.loads, results.open())}

    def record(name: str, seed: int, score: Score, numbers: int, seconds: float) -> None:
        row = {"name": name, "seed": seed, "numbers": numbers, "seconds": seconds}
        for kind, gold in judged.items():
            found = measure(score, sources[kind], gold)
            row |= {f"{kind} {measured}": value for measured, value in found.items()}
        with results.open("a") as stream:
            stream.write(json.dumps(row) + "\n")
        print(name, seed, f"{seconds:.0f} s", *(f"{row[n]:.3f}" for n in COLUMNS), flush=True)

    for name, score in baselines().items():
        if (name, 0) not in done:
            record(name, 0, score, 0, 0.0)
    for seed in arguments.seeds:
        for name in arguments.only:
            if (name, seed) in done:
                continue
            start = time.monotonic()
            head = train(VARIANTS[name], seed, backbone, sources, arguments.work)
            numbers = sum(p.numel() for p in head.parameters())
            seconds = time.monotonic() - start
            record(name, seed, of_head(head, backbone), numbers, seconds)
    print_table(results)


def print_table(results: Path) -> None:
    """Means over seeds, with standard deviations where there are several."""
    rows = [json.loads(line) for line in results.open()]
    print("\n| setting | numbers | " + " | ".join(COLUMNS) + " | seeds |")
    print("| --- | " + "--- | " * (len(COLUMNS) + 2))
    for name in dict.fromkeys(row["name"] for row in rows):
        mine = [row for row in rows if row["name"] == name]
        cells = [f"{mine[0]['numbers']:,}"]
        for column in COLUMNS:
            values = [row[column] for row in mine]
            spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
            cells.append(f"{statistics.mean(values):.3f}{spread}")
        print(f"| {name} | " + " | ".join(cells) + f" | {len(mine)} |")


if __name__ == "__main__":
    main()
