"""An answer, its context, and a language model with an error head that reads both."""

import torch

from headwise.backbones import NAMED_PROMPTS, CausalBackbone
from headwise.heads import ErrorHead
from headwise.quality import QualityEstimator

CONTEXT = "A man in a blue shirt plays the guitar on a stage in Berlin. 1,200 people came."
ANSWER = "A man plays music. 900 women slept."


def answer_reader(backbone: CausalBackbone, **options: object) -> QualityEstimator:
    """An estimator whose error head has random weights that spread its values."""
    torch.manual_seed(5)
    head = ErrorHead(hidden_size=backbone.hidden_size, inner_size=16, **options)  # type: ignore[arg-type]
    with torch.no_grad():
        head.output.weight.mul_(6.0)
    return QualityEstimator(backbone, error_head=head, prompt=NAMED_PROMPTS["grounded"])
