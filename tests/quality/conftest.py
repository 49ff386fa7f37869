"""Heads of all types."""

import pytest
import torch

from headwise import QualityEstimator
from headwise.backbones import CausalBackbone
from headwise.heads import HEAD_TYPES, QualityHead, RescalingHead, SigmoidHead, build_head

LAYERED = "shared_unembedding_head of layer 1"


@pytest.fixture(scope="session", params=[*HEAD_TYPES, LAYERED])
def every_head(
    request: pytest.FixtureRequest, parrot: CausalBackbone, head: SigmoidHead
) -> QualityHead:
    """A head of each type: where it has an unembedding of its own, that of `head`."""
    torch.manual_seed(2)
    layered = {"layers": (-1, 1), "layer_count": 2} if request.param == LAYERED else {}
    built = build_head(
        request.param.split()[0],
        vocabulary_size=parrot.vocabulary_size,
        hidden_size=parrot.hidden_size,
        unembedding=lambda: parrot.unembedding,
        context_size=5,
        rank=2,
        **layered,
    )
    with torch.no_grad():
        for name, parameter in built.named_parameters():
            if name == "weight":
                parameter.copy_(head.weight)
            else:
                parameter.add_(0.3 * torch.randn_like(parameter))
        if isinstance(built, RescalingHead):
            # The parrot's logits lie around 13, where a sigmoid is 1 for all tokens
            built.scale.fill_(0.5)
            built.bias.fill_(-6.5)
    return built.requires_grad_(False)


@pytest.fixture(scope="session")
def every_estimator(estimator: QualityEstimator, every_head: QualityHead) -> QualityEstimator:
    """`estimator` with a head of each type."""
    return QualityEstimator(estimator.backbone, every_head, prompt=estimator.prompt)
