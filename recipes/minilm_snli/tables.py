"""What evaluations of several seeds found, as Markdown."""

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("folder", type=Path, help="where results.sh left its JSON files")
arguments = parser.parse_args()


def rows_of(name: str, table: str) -> list[dict[str, dict[str, Any]]]:
    """For each seed, the metrics of every row of a table."""
    found = []
    for path in sorted(arguments.folder.glob(f"{name}-[0-9].json")):
        rows = json.loads(path.read_text("utf-8"))["tables"][table]["rows"]
        found.append({row["signal"]: row["metrics"] for row in rows})
    return found


def cell(seeds: list[dict[str, dict[str, Any]]], row: str, metric: str) -> str:
    """Mean over the seeds, and the interval that the first one has."""
    found = [seed[row][metric] for seed in seeds]
    mean = statistics.fmean(metric["value"] for metric in found)
    return f"{mean:.3f} [{found[0]['low']:.3f}, {found[0]['high']:.3f}]"


HEADS = {
    "pair": "reads-pair",
    "joint": "reads-joint",
    "pair+joint": "reads-pair+joint",
    "interaction": "reads-interaction",
    "interaction, with lessons": "taught",
    "interaction, with lessons, two heads": "two",
    "interaction, with lessons, `unrelated` too": "unrelated",
    "interaction, layers 0 and -1": "layers-last",
    "interaction, layer 4": "layers-4",
}
print("| the head reads | seeds | accuracy | macro-F1 | not entailed, most words shared |")
print("| --- | --- | --- | --- | --- |")
for words, name in HEADS.items():
    if seeds := rows_of(name, "classification"):
        cells = [cell(seeds, "model", metric) for metric in ("accuracy", "macro_f1")]
        slices = rows_of(name, "slices")
        (shared,) = (
            row for row in slices[0] if row.startswith("at least") and row.endswith("not entailed")
        )
        cells.append(cell(slices, shared, "accuracy"))
        print(f"| {words} | {len(seeds)} | {' | '.join(cells)} |")

METRICS = ("aurc", "selective_accuracy_80", "selective_accuracy_90", "roc_auc")
print("\n| uncertainty | area under risk-coverage | accuracy at 80 % | at 90 % | AUROC of errors |")
print("| --- | --- | --- | --- | --- |")
SIGNALS = [
    *((f"labels-{labels}", "learned", f"learned from {labels.replace('_', ' ')}")
      for labels in ("out_of_fold_probability", "out_of_fold", "own_errors")),
    *(("labels-own_errors", name, name.replace("_", " "))
      for name in ("max_probability", "entropy", "margin", "random")),
]  # fmt: skip
for name, row, words in SIGNALS:
    if seeds := rows_of(name, "abstention"):
        print(f"| {words} | {' | '.join(cell(seeds, row, metric) for metric in METRICS)} |")
