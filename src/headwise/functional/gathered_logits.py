"""Logits of chosen tokens only."""

import torch
from torch import Tensor
from torch.nn import functional as F

from headwise.functional.chunking import DEFAULT_WORKSPACE_BYTES, row_chunks


def gathered_logits(
    hidden: Tensor,
    weight: Tensor,
    token_ids: Tensor,
    *,
    workspace_bytes: int = DEFAULT_WORKSPACE_BYTES,
) -> Tensor:
    """Dot products of hidden states with the unembedding rows of chosen tokens.

    Costs ``N*K*H`` multiplications where ``hidden @ weight.T`` costs ``N*V*H``, and never builds
    ``[N, V]``. Differentiable in ``hidden`` and ``weight``.

    Args:
        hidden: Hidden states, ``(N, H)``, floating point.
        weight: Unembedding, ``(V, H)``; hidden states are cast to its dtype.
        token_ids: Ids of the wanted tokens, ``(N, K)``, each in ``[0, V)``.
        workspace_bytes: Bound on the gathered rows ``(n, K, H)`` held at a time when no gradient
            is recorded. With gradients, all of them live until the backward pass.

    Returns:
        Logits, ``(N, K)``, in the dtype of ``weight``.

    Raises:
        ValueError: If the shapes do not fit, or one position does not fit into the workspace.
    """
    if hidden.ndim != 2 or weight.ndim != 2 or hidden.shape[1] != weight.shape[1]:
        raise ValueError(
            f"`hidden` must be (N, H) and `weight` (V, H) with the same H, "
            f"got {tuple(hidden.shape)} and {tuple(weight.shape)}."
        )
    if token_ids.ndim != 2 or token_ids.shape[0] != hidden.shape[0]:
        raise ValueError(
            f"`token_ids` must be (N, K) with N={hidden.shape[0]}, got {tuple(token_ids.shape)}."
        )

    def rows(part: slice) -> Tensor:
        wanted = F.embedding(token_ids[part], weight)  # (n, K, H)
        return torch.bmm(wanted, hidden[part].to(weight.dtype).unsqueeze(-1)).squeeze(-1)

    if torch.is_grad_enabled() and (hidden.requires_grad or weight.requires_grad):
        return rows(slice(None))
    k, h = token_ids.shape[1], weight.shape[1]
    # The gathered rows, the hidden state in their dtype, and the products
    per_row = (k * h + h + k) * weight.element_size()
    logits = weight.new_empty(token_ids.shape)
    for part in row_chunks(len(hidden), bytes_per_row=per_row, workspace_bytes=workspace_bytes):
        logits[part] = rows(part)
    return logits
