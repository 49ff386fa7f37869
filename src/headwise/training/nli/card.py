"""The model card that a trained NLI head carries."""

from headwise.heads.entailment.nli_head import NLIHead
from headwise.heads.storage.quality_heads import CURVES_FILE, RUN_FILE
from headwise.training.loop.card import evaluation_table
from headwise.training.loop.feature_choice import readable_bytes
from headwise.training.loop.run_file import TrainingRun
from headwise.training.nli.settings import NLIReport, nli_settings_from_dict

_MEASURES = ("loss", "accuracy", "macro_f1")
_READS = {
    "joint": "the first token's last hidden state, premise and hypothesis read together",
    "pair": "u, v, abs(u - v) and u * v of the embeddings u and v of premise and hypothesis",
    "pair+joint": "u, v, abs(u - v) and u * v of the embeddings, and the joint first token",
}


def nli_head_card(report: NLIReport, run: TrainingRun, head: NLIHead) -> str:
    """Data, figures, cost and use of a trained NLI head, as Markdown."""
    settings = nli_settings_from_dict(run.settings)
    best = report.evaluations[report.best]
    numbers = sum(parameter.numel() for parameter in head.parameters())
    counts = ", ".join(f"{name} {count:,}" for name, count in report.class_counts.items())
    return f"""---
library_name: headwise
base_model: {run.backbone}
tags: [natural-language-inference, entailment]
---
# NLI head for {run.backbone}

Says whether a premise entails a hypothesis, contradicts it, or neither. The encoder is frozen.

## Data

| what | value |
| --- | --- |
| training files | {", ".join(run.data) or "given in Python"} |
| dev files | {", ".join(run.dev) or "given in Python"} |
| training pairs | {report.train_pairs:,} ({counts}) |
| dev pairs | {report.dev_pairs:,} |
| dev pairs that are also in training | {report.dev_in_train:,} |
| pairs left out, since the encoder cannot read them | {report.rejected:,} |

## Training

| what | value |
| --- | --- |
| the head reads | {_READS[settings.features]} |
| numbers in the head | {numbers:,} |
| learning rate, schedule, batch, weight decay, seed | {settings.learning_rate:g}, \
{settings.schedule}, {settings.batch_size}, {settings.weight_decay:g}, {settings.seed} |
| label smoothing, dropout, class weights | {settings.label_smoothing:g}, \
{settings.dropout:g}, {settings.class_weights or "equal"} |
| kept | the head of step {best.step} of {report.steps}, by dev {settings.criterion} |

Dev chose the head that was kept, so its figures are a little too good; measure on other data.

{evaluation_table(report.evaluations, _MEASURES)}

![Loss, accuracy and macro-F1 over the steps]({CURVES_FILE})

## Cost

| what | value |
| --- | --- |
| time of the last call, features included | {report.seconds:,.1f} s |
| pairs a second, features left out | {report.pairs_per_second:,.0f} |
| most memory held | {readable_bytes(report.peak_bytes)} |
| vectors | {report.features} |
| {" / ".join(run.versions)} | {" / ".join(run.versions.values())} |

To repeat the run: `headwise train nli --config {RUN_FILE} --output FOLDER`.

## Use

```python
from headwise import EntailmentModel

model = EntailmentModel.from_pretrained("path/to/this/folder")
model.predict("A man plays the guitar.", "Somebody makes music.")
```
"""
