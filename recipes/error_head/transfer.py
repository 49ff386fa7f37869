"""From one corpus to the other: error heads trained on one kind of text and tested on both."""

import argparse
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
from error_sets import (
    CRUDE,
    PLAUSIBLE,
    TEST,
    TRAIN,
    error_set,
    right_pairs,
    test_set,
    training_pairs,
)
from fitting import fitted_head
from measures import error_logits, head_free_signals, token_auroc, wrong_positions

from headwise import QualityEstimator
from headwise.corruption import ErrorFamily
from headwise.training.errors import ErrorTraining


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True, help="of leave_one_out.py, or new")
    parser.add_argument("--pairs", type=int, default=3000, help="of each corpus, for training")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    estimator = QualityEstimator.from_pretrained("tiny-en-de")
    backbone, sigmoid = estimator.backbone, estimator.head
    assert sigmoid is not None
    data, work = arguments.data, arguments.work
    parts = {name: training_pairs(data, name, count=arguments.pairs) for name in TRAIN}
    words = [p.hypothesis for path in TRAIN.values() for p in right_pairs(data / path)]
    every = [pair for pairs in parts.values() for pair in pairs]
    train = error_set(backbone, estimator.prompt, every, words, work / "train", seed=1)
    families = [str(family) for family in ErrorFamily]
    settings = ErrorTraining(epochs=arguments.epochs)
    lines = []
    for name in TEST:
        found = test_set(estimator, data, name, work)
        wrong = wrong_positions(found)
        signals = head_free_signals(found, backbone, sigmoid)
        for learned, sources in (*((n, {p.source for p in ps}) for n, ps in parts.items()),
                                 ("both", None)):  # fmt: skip
            for seed in range(arguments.seeds):
                folder = "without-none" if sources is None else f"from-{learned}"
                head = fitted_head(
                    backbone,
                    train,
                    work / "heads" / f"{folder}-{seed}",
                    families=families,
                    seed=seed,
                    settings=replace(settings, seed=seed),
                    sources=sources,
                )
                signals[f"{learned} {seed}"] = error_logits(found, backbone, head)
        for family in (CRUDE, PLAUSIBLE):
            values, _ = token_auroc(found, family, signals, wrong)
            best = max(("softmax", "boosted", "sigmoid"), key=lambda n: values[n].value)
            cells = [f"{values[best]} ({best})"]
            for learned in (*TRAIN, "both"):
                seeds = [values[f"{learned} {seed}"] for seed in range(arguments.seeds)]
                mean = np.mean([one.value for one in seeds])
                low, high = min(one.low for one in seeds), max(one.high for one in seeds)
                cells.append(f"{mean:.3f} [{low:.3f}, {high:.3f}]")
            lines.append(f"| {name}, {family} | {' | '.join(cells)} |")
    print("\n| tested on | best without an error head | learned on", end=" ")
    print(f"{' | '.join(TRAIN)} | both |\n|{' --- |' * 5}\n" + "\n".join(lines))


if __name__ == "__main__":
    main()
