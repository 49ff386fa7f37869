"""The model card that a trained head carries."""

from headwise.heads import QualityHead
from headwise.heads.storage.quality_heads import CURVES_FILE, RUN_FILE
from headwise.training.loop.card import evaluation_table
from headwise.training.loop.feature_choice import readable_bytes
from headwise.training.loop.run_file import TrainingRun
from headwise.training.sigmoid.objective import Objective
from headwise.training.sigmoid.selectors import format_selector
from headwise.training.sigmoid.settings import TrainingReport, settings_from_dict


def sigmoid_head_card(report: TrainingReport, run: TrainingRun, head: QualityHead) -> str:
    """Data, objective, figures, cost and use of a trained Sigmoid Head, as Markdown."""
    settings = settings_from_dict(run.settings)
    best = report.evaluations[report.best]
    numbers = sum(parameter.numel() for parameter in head.parameters())
    return f"""---
library_name: headwise
base_model: {run.backbone}
tags: [quality-estimation, sigmoid-head]
---
# Sigmoid Head for {run.backbone}

Scores of their own for tokens, in (0, 1), from the frozen language model's last hidden state.
{_supervision(report)}

## Data

| what | value |
| --- | --- |
| training files | {", ".join(run.data) or "given in Python"} |
| dev files | {", ".join(run.dev) or "given in Python"} |
| training pairs, target tokens | {report.train_pairs:,}, {report.targets:,} |
| dev pairs | {report.dev_pairs:,} |
| dev pairs that are also in training | {report.dev_in_train:,} |
| pairs left out, since they cannot be read | {report.rejected:,} |

## Training

| what | value |
| --- | --- |
| head type, numbers in it | {head.head_type}, {numbers:,} |
| started from | {settings.initialise} |
{_objective_rows(settings.objective)}
| learning rate, schedule, seed | {report.learning_rate:g}, {settings.schedule}, {settings.seed} |
| rows updated in a step | {report.row_updates} |
| kept | the head of step {best.step} of {report.steps}, by dev {settings.criterion} |

{evaluation_table(report.evaluations, _shown_measures(report))}

![Loss and AUROC over the steps]({CURVES_FILE})

AUROC compares the dev tokens' scores with those of wrong tokens in their places: drawn by
frequency (crude), or from the language model at rank 15 to 150 with a probability below 0.01
(plausible){", or of tokens that people marked (marked)" if "auroc_marked" in best.metrics else ""}.

## Cost

| what | value |
| --- | --- |
| time of the last call, features included | {report.seconds:,.0f} s |
| target tokens a second, features left out | {report.tokens_per_second:,.0f} |
| most memory held | {readable_bytes(report.peak_bytes)} |
| features | {report.features} |
| {" / ".join(run.versions)} | {" / ".join(run.versions.values())} |

To repeat the run: `headwise train sigmoid --config {RUN_FILE} --output FOLDER`.

## Use

```python
from headwise import QualityEstimator

qe = QualityEstimator.from_pretrained("{run.backbone}", head="path/to/this/folder")
qe.score("source", "hypothesis").score
```

With plain Transformers: `AutoModel.from_pretrained("path/to/this/folder", trust_remote_code=True)`
and its `score(hidden)`.

Method: Dinh & Niehues 2026, "Sigmoid Head for Quality Estimation under Language Ambiguity"
(arXiv 2601.00680).
"""


def _shown_measures(report: TrainingReport) -> list[str]:
    names = report.evaluations[report.best].metrics
    return [name for name in names if name == "loss" or name.startswith("auroc")]


def _supervision(report: TrainingReport) -> str:
    if "auroc_marked" in report.evaluations[report.best].metrics:
        return "Trained with human error marks."
    return "Trained without quality labels."


def _objective_rows(objective: Objective) -> str:
    negatives = objective.negatives
    rows = {"never a negative": format_selector(objective.avoid)}
    if negatives is None:
        rows["negatives"] = "the whole vocabulary"
    else:
        shares = {
            "frequency": negatives.frequency,
            "softmax": negatives.softmax,
            "uniform": negatives.uniform,
        }
        drawn = ", ".join(f"{name} {share:g}" for name, share in shares.items() if share)
        reach = negatives.candidates or "all"
        rows["negatives a position"] = str(negatives.per_position)
        rows["drawn by"] = f"{drawn} ({negatives.combination})"
        if negatives.softmax:
            rows["softmax temperature, candidates"] = f"{negatives.temperature:g}, {reach}"
    rows["weight of a target"] = str(objective.positive_weight)
    if objective.margin_weight:
        rows["ranking loss: weight, margin"] = f"{objective.margin_weight:g}, {objective.margin:g}"
    return "\n".join(f"| {name} | {value} |" for name, value in rows.items())
