"""Late interaction: every query token finds its best document token."""

import torch
from torch import Tensor

from headwise.functional.chunking import DEFAULT_WORKSPACE_BYTES

_FLOAT32 = 4


def max_sim(
    queries: Tensor,
    documents: Tensor,
    *,
    query_mask: Tensor | None = None,
    document_mask: Tensor | None = None,
    workspace_bytes: int = DEFAULT_WORKSPACE_BYTES,
) -> Tensor:
    """Sum, over a query's tokens, their best dot product with a token of the document.

    Padding of documents counts as minus infinity, so that it never beats a real token, however
    negative the similarities are; padding of queries adds nothing. Differentiable; a gradient
    keeps every chunk's similarities in memory.

    Args:
        queries: Token vectors, ``(Q, S, D)``, floating point; S tokens a query.
        documents: Token vectors, ``(N, T, D)``, floating point.
        query_mask: 1 or true for real tokens, ``(Q, S)``; all are real by default.
        document_mask: 1 or true for real tokens, ``(N, T)``; all are real by default.
        workspace_bytes: Bound on the similarities ``(n, T, Q*S)`` of the documents that are
            worked on at a time; it is at least one document.

    Returns:
        Scores, ``(Q, N)``, float32; minus infinity for a document without a real token.

    Raises:
        ValueError: If the shapes do not fit.

    References:
        Khattab & Zaharia 2020, arXiv 2004.12832, Eq. 3.
    """
    _check_shapes(queries, documents, query_mask, document_mask)
    count, width = documents.shape[:2]
    if not count or not width:
        return queries.new_full((len(queries), count), -torch.inf, dtype=torch.float32)
    flat = queries.float().flatten(0, 1)  # (Q*S, D)
    padding = None if document_mask is None else ~document_mask.bool()
    size = max(1, workspace_bytes // max(1, len(flat) * width * _FLOAT32))
    best = []
    for start in range(0, count, size):
        chunk = documents[start : start + size].float()  # (n, T, D)
        # Query tokens last: they lie side by side in memory, so that the maximum is vectorised
        similarity = (chunk.flatten(0, 1) @ flat.T).unflatten(0, chunk.shape[:2])  # (n, T, Q*S)
        if padding is not None:
            similarity.masked_fill_(padding[start : start + size].unsqueeze(-1), -torch.inf)
        best.append(similarity.amax(dim=1))
    found = torch.cat(best).unflatten(1, queries.shape[:2])  # (N, Q, S)
    if query_mask is not None:
        found = found.masked_fill(~query_mask.bool(), 0.0)
    scores: Tensor = found.sum(dim=-1).T
    if padding is not None:
        # Said once more for a query of nothing but padding
        scores = scores.masked_fill(padding.all(dim=1), -torch.inf)
    return scores.contiguous()


def _check_shapes(
    queries: Tensor, documents: Tensor, query_mask: Tensor | None, document_mask: Tensor | None
) -> None:
    if queries.ndim != 3 or documents.ndim != 3 or queries.shape[2] != documents.shape[2]:
        raise ValueError(
            f"`queries` must be (Q, S, D) and `documents` (N, T, D) with the same D, got "
            f"{tuple(queries.shape)} and {tuple(documents.shape)}."
        )
    for name, mask, vectors in (
        ("query_mask", query_mask, queries),
        ("document_mask", document_mask, documents),
    ):
        if mask is not None and mask.shape != vectors.shape[:2]:
            raise ValueError(
                f"`{name}` must be {tuple(vectors.shape[:2])}, got {tuple(mask.shape)}."
            )
