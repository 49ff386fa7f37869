"""Heads that score tokens, with parameters that are not those of the start."""

import torch

from headwise.backbones import Unembedding
from headwise.heads import HEAD_TYPES, QualityHead, build_head

V, H, C, R = 37, 13, 5, 3


OWN_UNEMBEDDING = [
    kind for kind in HEAD_TYPES if kind not in ("rescaling_head", "shared_unembedding_head")
]


def softcapped() -> Unembedding:
    return Unembedding(torch.randn(V, H), bias=torch.randn(V), scale=0.5, softcap=4.0)


def make_head(head_type: str) -> QualityHead:
    """A head of small sizes."""
    torch.manual_seed(3)
    head = build_head(
        head_type, vocabulary_size=V, hidden_size=H, unembedding=softcapped, context_size=C, rank=R
    )
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return head
