"""What a classifier of two texts reads when each was encoded apart from the other."""

import torch
from torch import Tensor


def pair_features(premises: Tensor, hypotheses: Tensor) -> Tensor:
    """Put two embeddings side by side, with their distance and product by coordinate.

    Args:
        premises: Embeddings u, ``(N, H)``.
        hypotheses: Embeddings v, ``(N, H)``.

    Returns:
        ``[u, v, |u - v|, u * v]``, ``(N, 4H)``.

    Raises:
        ValueError: If the shapes differ.

    References:
        Conneau et al. 2017, arXiv 1705.02364, section 3.1 and Fig. 1.
    """
    if premises.ndim != 2 or premises.shape != hypotheses.shape:
        raise ValueError(
            f"`premises` and `hypotheses` must be (N, H) with the same N and H, got "
            f"{tuple(premises.shape)} and {tuple(hypotheses.shape)}."
        )
    return torch.cat(
        [premises, hypotheses, (premises - hypotheses).abs(), premises * hypotheses], dim=-1
    )
