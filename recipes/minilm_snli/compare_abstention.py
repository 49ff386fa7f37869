"""The learned uncertainty against the others: differences with paired bootstrap intervals."""

import argparse
from pathlib import Path

import numpy as np

from headwise.data.readers.inferences import read_inferences
from headwise.entailment import EntailmentModel
from headwise.evaluation.entailment.evaluation import judge_inferences
from headwise.evaluation.entailment.judged_pairs import judged_arrays
from headwise.evaluation.entailment.signals import confidence_columns
from headwise.metrics import risk_coverage_area, roc_auc
from headwise.metrics.bootstrap import bootstrap, percentile_interval
from headwise.metrics.selective import selective_accuracy

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("pairs", type=Path, help="labelled pairs")
parser.add_argument("--model", default="all-MiniLM-L6-v2")
parser.add_argument("--heads", help="folder of heads")
parser.add_argument("--resamples", type=int, default=2000)
arguments = parser.parse_args()

model = EntailmentModel.from_pretrained(arguments.model, arguments.heads)
judged = judged_arrays(judge_inferences(model, read_inferences(arguments.pairs))[0])
assert model.abstain_by is not None
columns = confidence_columns(judged, model.abstain_by, seed=0)
correct = judged.correct
count = len(correct)
statistics = {
    "aurc": lambda values: risk_coverage_area.weighted(values, (~correct).astype(float)),
    "accuracy at 80 %": lambda values: selective_accuracy.weighted(values, correct, coverage=0.8),
    "AUROC of errors": lambda values: roc_auc.weighted(values, correct),
}

print("| metric | learned | other | its value | learned minus other |")
print("| --- | --- | --- | --- | --- |")
for name, weighted in statistics.items():
    made = [weighted(column.values) for column in columns]
    plain = [float(one(np.ones((1, count)))[0]) for one in made]
    samples = bootstrap(
        made, count=count, groups=judged.groups, resamples=arguments.resamples, seed=0
    )
    for other in range(1, len(columns)):
        ends = percentile_interval(samples[0] - samples[other], level=0.95)
        assert ends is not None
        print(
            f"| {name} | {plain[0]:.4f} | {columns[other].signal} | {plain[other]:.4f} | "
            f"{plain[0] - plain[other]:+.4f} [{ends[0]:+.4f}, {ends[1]:+.4f}] |"
        )
everything = bootstrap(
    [selective_accuracy.weighted(columns[0].values, correct, coverage=share) for share in (0.8, 1)],
    count=count,
    groups=judged.groups,
    resamples=arguments.resamples,
    seed=0,
)
ends = percentile_interval(everything[0] - everything[1], level=0.95)
assert ends is not None
print(f"\nAccuracy at 80 % coverage minus that of all answers: [{ends[0]:+.4f}, {ends[1]:+.4f}]")
