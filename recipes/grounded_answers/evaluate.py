"""How unsupported tokens are told apart by a head that never saw their family, and sentences by it.

For each family, heads of several seeds are trained on all other families and tested on right
answers and copies of that family alone, beside the language model's own log-probability and the
entailment of sentences. What people say of SNLI's hypotheses is no copy of ours.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from features import GroundedSet, gemma, grounded_set
from fitting import CHOSEN, fitted_head
from grounded_sets import PEOPLE, RIGHT
from numpy.typing import NDArray
from signals import (
    Floats,
    entailment_probabilities,
    head_probabilities,
    statistics,
    wrong_positions,
)

from headwise import EntailmentModel
from headwise.corruption.grounded import GroundedFamily
from headwise.metrics import roc_auc
from headwise.metrics.bootstrap import bootstrap, percentile_interval

_RESAMPLES = 1000
FAMILIES = [str(family) for family in GroundedFamily]


def tokens_of(found: GroundedSet, texts: list[int]) -> NDArray[np.int64]:
    """Positions of the tokens of some texts, without the one that closes each of them."""
    counts = found.features.counts
    return np.concatenate(
        [np.arange(found.starts[i], found.starts[i] + counts[i] - 1) for i in texts]
    )


def area(values: Floats, wrong: NDArray[np.bool_]) -> float:
    """AUROC of doubt against what is unsupported."""
    return float(roc_auc.weighted(-values, ~wrong)(np.ones((1, len(wrong))))[0])


def gain(
    one: Floats, others: list[Floats], wrong: NDArray[np.bool_], groups: NDArray[np.int64]
) -> tuple[float, float, float]:
    """By how much the AUROC of one is above the best of others, with its 95 % interval."""
    best = max(others, key=lambda values: area(values, wrong))
    measured = [roc_auc.weighted(-values, ~wrong) for values in (one, best)]
    drawn = bootstrap(measured, count=len(wrong), groups=groups, resamples=_RESAMPLES)
    low_high = percentile_interval(drawn[0] - drawn[1])
    assert low_high is not None
    return area(one, wrong) - area(best, wrong), *low_high


def of_families(
    found: GroundedSet, signals: Mapping[str, Mapping[str, Floats]], wrong: NDArray[np.bool_]
) -> list[dict[str, Any]]:
    """A row a family: AUROC of its tokens by signal, and what the left-out head gains."""
    table: list[dict[str, Any]] = []
    for family in FAMILIES:
        texts = found.texts(RIGHT, family)
        places = tokens_of(found, texts)
        groups = np.repeat(
            [found.groups[i] for i in texts], [found.features.counts[i] - 1 for i in texts]
        )
        own = {name: values[places] for name, values in signals[family].items()}
        marks = wrong[places]
        row: dict[str, Any] = {"family": family, "texts": len(found.texts(family))}
        row |= {"unsupported": int(marks.sum())}
        row |= {name: area(values, marks) for name, values in own.items()}
        baselines = [own["log-probability"], own["entailment"]]
        row |= {"gain": gain(own["left out"], baselines, marks, groups)}
        row |= {"gain of both": gain(own["both"], baselines, marks, groups)}
        table.append(row)
    return table


def of_people(found: GroundedSet, signals: Mapping[str, Floats]) -> dict[str, dict[str, float]]:
    """AUROC of answers that people call entailed against the others, by the worst token."""
    texts = found.texts(*PEOPLE)
    labels = np.array([found.families[i] for i in texts])
    values = {
        name: np.array([column[tokens_of(found, [i])].max() for i in texts])
        for name, column in signals.items()
    }
    table = {}
    for label in ("neutral", "contradiction"):
        kept = (labels == "entailment") | (labels == label)
        table[label] = {n: area(v[kept], labels[kept] == label) for n, v in values.items()}
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=2)
    arguments = parser.parse_args()
    backbone, work = gemma(), arguments.work
    train, test = (grounded_set(backbone, arguments.data, work, n) for n in ("train", "test"))
    entailment = EntailmentModel.from_pretrained("minilm-snli")

    def head(found: GroundedSet, left_out: str | None) -> Floats:
        """Mean over seeds of the logits, as probabilities."""
        logits = []
        for seed in range(arguments.seeds):
            folder = work / "heads" / f"{left_out or 'all'}-{seed}"
            families = [family for family in FAMILIES if family != left_out]
            fitted = fitted_head(
                backbone, train, folder, families=families, variant=CHOSEN, seed=seed
            )
            p = head_probabilities(found, backbone, fitted).clip(1e-7, 1 - 1e-7)
            logits.append(np.log(p / (1 - p)))
        return np.asarray(1 / (1 + np.exp(-np.mean(logits, 0))))

    def plain(found: GroundedSet, name: str) -> dict[str, Floats]:
        """What needs no head of ours."""
        entailed = entailment_probabilities(
            found, backbone, entailment, work / f"entailment-{name}.npy"
        )
        return {"log-probability": statistics(found)["log-probability"], "entailment": entailed}

    seen, baselines = head(test, None), plain(test, "test")
    signals = {}
    for family in FAMILIES:
        left_out = head(test, family)
        both = (left_out + baselines["entailment"]) / 2
        signals[family] = baselines | {"left out": left_out, "seen": seen, "both": both}
    rows = of_families(test, signals, wrong_positions(test))
    _print_families(rows)
    for name, values in (("head", seen), ("both", (seen + baselines["entailment"]) / 2)):
        places = tokens_of(test, list(range(len(test.families))))
        flagged, marks = values[places] >= 0.5, wrong_positions(test)[places]
        hits = int((flagged & marks).sum())
        print(
            f"\n{name} at 0.5: precision {hits / max(1, flagged.sum()):.3f}, "
            f"recall {hits / marks.sum():.3f}, {flagged.mean():.3f} of the tokens flagged, "
            f"{marks.mean():.3f} unsupported"
        )
    people = grounded_set(backbone, arguments.data, work, "people")
    judged = plain(people, "people") | {"head": head(people, None)}
    judged |= {"both": (judged["head"] + judged["entailment"]) / 2}
    found_people = of_people(people, judged)
    print("\n| entailed against | " + " | ".join(judged) + " |")
    print("| --- |" + " --- |" * len(judged))
    for label, areas in found_people.items():
        print(f"| {label} | " + " | ".join(f"{areas[name]:.3f}" for name in judged) + " |")
    (work / "results.json").write_text(json.dumps({"families": rows, "people": found_people}))


def _print_families(rows: list[dict[str, Any]]) -> None:
    names = ("log-probability", "entailment", "left out", "seen", "both")
    print("| family | answers | tokens |", " | ".join(names), "| gain of left out | gain of both |")
    print("| --- |" + " --- |" * (len(names) + 4))
    for row in rows:
        shown = [f"{row[name]:.3f}" for name in names]
        gains = ["{:+.3f} [{:+.3f}, {:+.3f}]".format(*row[n]) for n in ("gain", "gain of both")]
        cells = [row["family"], row["texts"], row["unsupported"], *shown, *gains]
        print("| " + " | ".join(map(str, cells)) + " |")
    means = [np.mean([row[name] for row in rows]) for name in names]
    print("| mean | | | " + " | ".join(f"{mean:.3f}" for mean in means) + " | | |", flush=True)


if __name__ == "__main__":
    main()
