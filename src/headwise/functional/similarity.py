"""How close two embeddings are, by the measures that encoders are trained for."""

from enum import StrEnum
from typing import assert_never

import torch
from torch import Tensor
from torch.nn import functional as F

COSINE_SCALE = 20.0
"""What cosines are multiplied with to be compared as logits; sentence encoders are trained so."""


class Similarity(StrEnum):
    """How embeddings are compared; names and signs of sentence-transformers, higher is closer."""

    COSINE = "cosine"
    """The cosine of their angle, in [-1, 1]."""
    DOT = "dot"
    """Their inner product."""
    EUCLIDEAN = "euclidean"
    """Minus the length of their difference."""
    MANHATTAN = "manhattan"
    """Minus the sum of the absolute differences of their numbers."""


def similarities(queries: Tensor, documents: Tensor, how: Similarity) -> Tensor:
    """Compare every query ``(Q, D)`` with every document ``(N, D)``: ``(Q, N)``, float32."""
    queries, documents = queries.float(), documents.float()
    match how:
        case Similarity.COSINE:
            return F.normalize(queries, dim=-1) @ F.normalize(documents, dim=-1).T
        case Similarity.DOT:
            return queries @ documents.T
        case Similarity.EUCLIDEAN:
            # Not by way of matrix products, which would lose what close vectors differ in
            return -torch.cdist(queries, documents, compute_mode="donot_use_mm_for_euclid_dist")
        case Similarity.MANHATTAN:
            return -torch.cdist(queries, documents, p=1.0)
    assert_never(how)
