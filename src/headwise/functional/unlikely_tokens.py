"""Tokens that a language model finds possible and that are hardly right: plausible errors."""

import torch
from torch import Tensor

FIRST_RANK, LAST_RANK = 15, 150
MAX_PROBABILITY = 0.01


def unlikely_tokens(probabilities: Tensor, dominant_count: Tensor) -> Tensor:
    """Which of the most probable tokens are of rank 15 to 150, below 0.01, and not dominant.

    Args:
        probabilities: The largest probabilities of each position, falling, ``(N, M)``. They need
            ``M >= 150`` to hold all of the tokens in question.
        dominant_count: How many of them dominate, ``(N,)``.

    Returns:
        A mask, ``(N, M)``, bool; without tokens whose probability is 0.
    """
    ranks = torch.arange(1, probabilities.shape[1] + 1, device=probabilities.device)
    return (
        (ranks >= FIRST_RANK)
        & (ranks <= LAST_RANK)
        & (ranks > dominant_count.unsqueeze(-1))
        & (probabilities < MAX_PROBABILITY)
        & (probabilities > 0.0)
    )
