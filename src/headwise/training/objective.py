"""Binary cross-entropy of a positive and its sampled negatives."""

import torch
from torch import Tensor
from torch.nn import functional as F


def sampled_binary_cross_entropy(logits: Tensor, token_ids: Tensor) -> Tensor:
    """Pull the first candidate's score to 1 and the others' to 0.

    A negative that equals the positive is the positive, and one that stands twice counts once.

    Args:
        logits: Scores before the sigmoid, ``(N, 1 + K)``: the positive first.
        token_ids: Which tokens they belong to, ``(N, 1 + K)``.

    Returns:
        The mean over all candidates that count, a scalar, in nats.

    References:
        Dinh & Niehues 2026, arXiv 2601.00680, section 3 (training objective).
    """
    repeated = (token_ids.unsqueeze(2) == token_ids.unsqueeze(1)).tril(-1).any(-1)  # (N, 1+K)
    labels = torch.zeros_like(logits)
    labels[:, 0] = 1.0
    loss = F.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    return loss[~repeated].mean()
