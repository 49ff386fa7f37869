"""How an error head does on a family of errors that it was not trained on.

For each family, heads of several seeds are trained on all other families and tested on right texts
and copies of that family alone, beside a head that saw it too and signals without one.
"""

import argparse
import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
from error_sets import TEST, TRAIN, ErrorSet, error_set, right_pairs, test_set, training_pairs
from fitting import fitted_head
from measures import (
    Floats,
    error_logits,
    head_free_signals,
    text_auroc,
    text_parts,
    text_values,
    token_auroc,
    wrong_positions,
)

from headwise import QualityEstimator
from headwise.corruption import ErrorFamily
from headwise.training.errors import ErrorTraining

_ALL = "none"
_BASELINES = ("softmax", "boosted", "sigmoid")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=3000, help="of each corpus, for training")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--families", nargs="*", default=[str(family) for family in ErrorFamily])
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    estimator = QualityEstimator.from_pretrained("tiny-en-de")
    backbone, prompt, sigmoid = estimator.backbone, estimator.prompt, estimator.head
    assert sigmoid is not None

    data, work = arguments.data, arguments.work
    pairs = [p for name in TRAIN for p in training_pairs(data, name, count=arguments.pairs)]
    words = [p.hypothesis for path in TRAIN.values() for p in right_pairs(data / path)]
    train = error_set(backbone, prompt, pairs, words, work / "train", seed=1)
    tests = {name: test_set(estimator, data, name, work) for name in TEST}

    everything = [str(family) for family in ErrorFamily]
    settings = ErrorTraining(epochs=arguments.epochs)

    def errors(left_out: str, found: ErrorSet) -> list[Floats]:
        """The error signal of heads of all seeds."""
        return [
            error_logits(
                found,
                backbone,
                fitted_head(
                    backbone,
                    train,
                    work / "heads" / f"without-{left_out}-{seed}",
                    families=[family for family in everything if family != left_out],
                    seed=seed,
                    settings=replace(settings, seed=seed),
                ),
            )
            for seed in range(arguments.seeds)
        ]

    rows = []
    for name, found in tests.items():
        plain, wrong = head_free_signals(found, backbone, sigmoid), wrong_positions(found)
        with_all = errors(_ALL, found)
        for family in arguments.families:
            left_out = errors(family, found)
            signals = plain | _numbered("left out", left_out) | _numbered("seen", with_all)
            tokens, drawn = token_auroc(found, family, signals, wrong)
            best = max(_BASELINES, key=lambda n: tokens[n].value)
            index = {n: i for i, n in enumerate(signals)}
            outs = [index[n] for n in signals if n.startswith("left out")]
            gain = drawn[outs].mean(0) - drawn[index[best]]
            texts: dict[str, Floats] = {
                f"{n} {how}": value
                for n, values in (("left out", left_out[0]), ("seen", with_all[0]))
                for how, value in text_values(found, values).items()
            }
            for n in _BASELINES:
                cut = text_parts(found)
                texts[f"{n} mean"] = np.array([plain[n][part].mean() for part in cut])
                texts[f"{n} min"] = np.array([plain[n][part].min() for part in cut])
            of_texts, _ = text_auroc(found, family, texts)
            rows.append(
                {
                    "corpus": name,
                    "family": family,
                    "tokens": {n: [i.value, i.low, i.high] for n, i in tokens.items()},
                    "best": best,
                    "gain": [
                        float(
                            np.mean([tokens[n].value for n in signals if n.startswith("left out")])
                        )
                        - tokens[best].value,
                        *(float(q) for q in np.quantile(gain, [0.025, 0.975])),
                    ],
                    "texts": {n: [i.value, i.low, i.high] for n, i in of_texts.items()},
                }
            )
            print(json.dumps(rows[-1]), flush=True)
    (work / "leave-one-out.json").write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


def _numbered(name: str, values: list[Floats]) -> dict[str, Floats]:
    return {f"{name} {seed}": value for seed, value in enumerate(values)}


if __name__ == "__main__":
    main()
