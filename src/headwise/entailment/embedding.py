"""Embeddings of texts: the encoder's own, or those of the embedding head."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from headwise.backbones.encoder import EncodedText, EncoderBackbone
from headwise.entailment.text_embeddings import TextEmbeddings
from headwise.features.vectors import VectorKind, text_vectors
from headwise.heads.task_heads import TaskHeads


def embeddings_of(backbone: EncoderBackbone, heads: TaskHeads | None, pooled: Tensor) -> Tensor:
    """Turn pooled vectors into embeddings.

    Args:
        backbone: The encoder; without an embedding head, it says whether to normalise.
        heads: May have an embedding head.
        pooled: ``(N, E)``, not normalised.

    Returns:
        ``(N, D)``, float32, where ``pooled`` is.
    """
    if heads is not None and heads.embedding is not None:
        found: Tensor = heads.embedding(pooled.to(backbone.device))
        return found.to(pooled.device)
    return F.normalize(pooled, dim=-1) if backbone.normalise else pooled


def embed_codes(
    backbone: EncoderBackbone,
    heads: TaskHeads | None,
    codes: Sequence[EncodedText],
    *,
    progress: bool,
) -> Tensor:
    """Embed encoded texts, ``(N, D)``, float32, on the CPU, in input order."""
    if heads is None or heads.embedding is None:
        return backbone.embed(codes, progress=progress)
    with torch.no_grad():  # not inference_mode: what comes out may go into a training
        return embeddings_of(backbone, heads, text_vectors(backbone, codes, VectorKind.EMBEDDING))


def cosines(
    backbone: EncoderBackbone,
    heads: TaskHeads | None,
    remembered: TextEmbeddings,
    text: str,
    others: Sequence[str],
    *,
    names: tuple[str, str],
) -> Tensor:
    """Cosines of the embeddings of one text and of others.

    Args:
        backbone: The encoder.
        heads: May have an embedding head.
        remembered: Remembers pooled vectors.
        text: The one text.
        others: n texts.
        names: What errors call the one and the others.

    Returns:
        ``(n,)``, float32, in [-1, 1].

    Raises:
        InputError: If a text cannot be read.
    """
    with torch.inference_mode():
        one, many = (
            embeddings_of(backbone, heads, remembered.embed(texts, what=name).take_all())
            for texts, name in zip(([text], others), names, strict=True)
        )
        return F.cosine_similarity(one, many, dim=-1)
