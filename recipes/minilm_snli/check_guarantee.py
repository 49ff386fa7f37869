"""What a promised error rate among answers is worth.

The pairs stand for everything there is. Calibration sets of half as many premises are drawn from
them, with replacement; each gives a threshold, whose error rate among answers is measured on all.
"""

import argparse
from pathlib import Path

import numpy as np

from headwise.data.readers.inferences import read_inferences
from headwise.entailment import EntailmentModel
from headwise.evaluation.entailment.evaluation import judge_inferences
from headwise.evaluation.entailment.judged_pairs import judged_arrays
from headwise.metrics import threshold_for_risk, threshold_with_guarantee

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("pairs", type=Path, help="labelled pairs")
parser.add_argument("--model", default="all-MiniLM-L6-v2")
parser.add_argument("--heads", help="folder of heads")
parser.add_argument("--risk", type=float, nargs="+", default=[0.15, 0.2, 0.25])
parser.add_argument("--confidence", type=float, default=0.95)
parser.add_argument("--draws", type=int, default=2000)
arguments = parser.parse_args()

model = EntailmentModel.from_pretrained(arguments.model, arguments.heads)
judged = judged_arrays(judge_inferences(model, read_inferences(arguments.pairs))[0])
uncertainty, wrong = judged.uncertainty, ~judged.correct
members = [np.flatnonzero(judged.groups == group) for group in np.unique(judged.groups)]

print("| threshold for | risk | coverage | error rate | above the risk |")
print("| --- | --- | --- | --- | --- |")
for risk in arguments.risk:
    for promise in ("risk", f"guarantee, {arguments.confidence:.0%}"):
        coverages, errors = [], []
        for seed in range(arguments.draws):
            drawn = np.random.default_rng(seed).choice(len(members), len(members) // 2)
            pairs = np.concatenate([members[group] for group in drawn])
            here = uncertainty[pairs], wrong[pairs]
            threshold = (
                threshold_for_risk(*here, risk=risk)
                if promise == "risk"
                else threshold_with_guarantee(*here, risk=risk, confidence=arguments.confidence)
            )
            answered = uncertainty < (-1.0 if threshold is None else threshold)
            coverages.append(answered.mean())
            # Nothing is wrong where nothing is answered
            errors.append(wrong[answered].mean() if answered.any() else 0.0)
        print(
            f"| {promise} | {risk:g} | {np.mean(coverages):.1%} | {np.mean(errors):.1%} | "
            f"{np.mean(np.array(errors) > risk):.1%} |"
        )
