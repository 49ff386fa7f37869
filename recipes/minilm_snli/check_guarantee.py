"""What a promised error rate among answers is worth: thresholds from one half, errors in the other.

Pairs are halved by premise, many times over. A promise holds if the error rate of the other half is
at most the risk; that half is small, so that chance breaks some promises that hold on average.
"""

import argparse
from pathlib import Path

import numpy as np

from headwise.data.inferences import InferencePair
from headwise.data.readers.inferences import read_inferences
from headwise.entailment import EntailmentModel, Prediction
from headwise.training import threshold_for_risk, threshold_with_guarantee

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("pairs", type=Path, help="labelled pairs")
parser.add_argument("--model", default="all-MiniLM-L6-v2")
parser.add_argument("--heads", help="folder of heads")
parser.add_argument("--risk", type=float, nargs="+", default=[0.15, 0.2, 0.25])
parser.add_argument("--confidence", type=float, default=0.95)
parser.add_argument("--splits", type=int, default=500)
arguments = parser.parse_args()

model = EntailmentModel.from_pretrained(arguments.model, arguments.heads)
pairs = [row for row in read_inferences(arguments.pairs) if isinstance(row, InferencePair)]
uncertainty, wrong = np.empty(len(pairs)), np.empty(len(pairs), bool)
found = model.predict_many([(pair.premise, pair.hypothesis) for pair in pairs])
for number, (pair, prediction) in enumerate(zip(pairs, found, strict=True)):
    assert isinstance(prediction, Prediction)
    uncertainty[number], wrong[number] = prediction.uncertainty, prediction.label != pair.label
premises = np.unique([pair.premise for pair in pairs], return_inverse=True)[1]

print("| threshold | risk | found | coverage | error rate | highest of 95 % | above the risk |")
print("| --- | --- | --- | --- | --- | --- | --- |")
for risk in arguments.risk:
    for promise in ("risk", f"guarantee, {arguments.confidence:.0%}"):
        coverages, errors = [], []
        for seed in range(arguments.splits):
            first = (np.random.default_rng(seed).random(premises.max() + 1) < 0.5)[premises]
            here = uncertainty[first], wrong[first]
            threshold = (
                threshold_for_risk(*here, risk=risk)
                if promise == "risk"
                else threshold_with_guarantee(*here, risk=risk, confidence=arguments.confidence)
            )
            if threshold is not None:
                answered = uncertainty[~first] < threshold
                coverages.append(answered.mean())
                errors.append(wrong[~first][answered].mean())
        share = len(errors) / arguments.splits
        if not errors:
            print(f"| {promise} | {risk:g} | {share:.0%} | | | | |")
            continue
        print(
            f"| {promise} | {risk:g} | {share:.0%} | {np.mean(coverages):.1%} | "
            f"{np.mean(errors):.1%} | {np.quantile(errors, 0.95):.1%} | "
            f"{np.mean(np.array(errors) > risk):.1%} |"
        )
