"""The model card that a trained head carries."""

from typing import TYPE_CHECKING

from headwise.heads import SigmoidHead

if TYPE_CHECKING:
    from headwise.training.sigmoid import TrainingReport


def sigmoid_head_card(report: "TrainingReport", backbone_name: str, head: SigmoidHead) -> str:
    """Data, objective, figures and use of a trained Sigmoid Head, as Markdown."""
    rows, width = head.weight.shape
    settings = report.settings
    sampling = settings["sampling"]
    losses = ", ".join(f"{loss:.4f}" for loss in report.dev_losses)
    avoided = "none" if sampling["selector"] is None else "dominant tokens"
    return f"""---
library_name: headwise
base_model: {backbone_name}
tags: [quality-estimation, sigmoid-head]
---
# Sigmoid Head for {backbone_name}

A second unembedding with a sigmoid on the frozen language model's last hidden state: each token
gets a quality score of its own, in (0, 1). Trained without quality labels.

| what | value |
| --- | --- |
| shape | {rows} x {width} |
| training pairs | {report.train_pairs} |
| dev pairs | {report.dev_pairs} |
| pairs left out | {report.rejected} |
| target tokens an epoch | {report.targets} |
| negatives a position | {sampling["per_position"]} |
| of them by frequency | {sampling["frequency_share"]:.0%} |
| softmax temperature of the others | {sampling["temperature"]} |
| never drawn as negatives | {avoided} |
| initialised from the unembedding | {"yes" if settings["from_lm_head"] else "no"} |
| learning rate, seed | {settings["learning_rate"]:g}, {settings["seed"]} |
| dev loss after each epoch | {losses} |
| time | {report.seconds:.0f} s |

## Use

```python
from headwise import QualityEstimator

qe = QualityEstimator.from_pretrained("{backbone_name}", head="path/to/this/folder")
qe.score("source", "hypothesis").score
```

With plain Transformers: `AutoModel.from_pretrained("path/to/this/folder", trust_remote_code=True)`
and its `score(hidden)`.

Method: Dinh & Niehues 2026, "Sigmoid Head for Quality Estimation under Language Ambiguity"
(arXiv 2601.00680).
"""
