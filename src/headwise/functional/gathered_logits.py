"""Logits of chosen tokens only."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from headwise.functional.chunking import DEFAULT_WORKSPACE_BYTES, row_chunks


def gathered_logits(
    hidden: Tensor,
    weight: Tensor,
    token_ids: Tensor,
    *,
    sparse_gradient: bool = False,
    workspace_bytes: int = DEFAULT_WORKSPACE_BYTES,
) -> Tensor:
    """Dot products of hidden states with the unembedding rows of chosen tokens.

    Costs ``N*K*H`` multiplications where ``hidden @ weight.T`` costs ``N*V*H``, and never builds
    ``[N, V]``. Differentiable once in ``hidden`` and ``weight``; the backward pass gathers the
    rows anew instead of keeping them.

    Args:
        hidden: Hidden states, ``(N, H)``, floating point; cast to the dtype of ``weight``.
        weight: Unembedding, ``(V, H)``.
        token_ids: Ids of the wanted tokens, ``(N, K)``, each in ``[0, V)``.
        sparse_gradient: Whether the gradient of ``weight`` is a sparse tensor of its touched
            rows instead of a dense ``(V, H)``.
        workspace_bytes: Bound on the gathered rows ``(n, K, H)`` held at a time, forwards and
            backwards.

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
    logits: Tensor = _GatheredLogits.apply(  # type: ignore[no-untyped-call]
        hidden, weight, token_ids, sparse_gradient, workspace_bytes
    )
    return logits


def _chunks(weight: Tensor, token_ids: Tensor, workspace_bytes: int) -> list[slice]:
    # The gathered rows, the hidden state in their dtype, and the products
    k, h = token_ids.shape[1], weight.shape[1]
    per_row = (k * h + h + k) * weight.element_size()
    return list(row_chunks(len(token_ids), bytes_per_row=per_row, workspace_bytes=workspace_bytes))


# Functions of their own, so that what a chunk needs is gone before the next one begins
def _products(hidden: Tensor, weight: Tensor, token_ids: Tensor) -> Tensor:
    rows = F.embedding(token_ids, weight)  # (n, K, H)
    return torch.bmm(rows, hidden.to(weight.dtype).unsqueeze(-1)).squeeze(-1)


def _weighted_rows(gradient: Tensor, weight: Tensor, token_ids: Tensor) -> Tensor:
    return torch.bmm(gradient.unsqueeze(1), F.embedding(token_ids, weight)).squeeze(1)


def _add_outer_products(sums: Tensor, places: Tensor, gradient: Tensor, hidden: Tensor) -> None:
    products = gradient.unsqueeze(-1) * hidden.to(sums.dtype).unsqueeze(1)  # (n, K, H)
    sums.index_add_(0, places.flatten(), products.flatten(0, 1))


class _GatheredLogits(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        token_ids: Tensor,
        sparse_gradient: bool,
        workspace_bytes: int,
    ) -> Tensor:
        ctx.save_for_backward(hidden, weight, token_ids)
        ctx.sparse_gradient, ctx.workspace_bytes = sparse_gradient, workspace_bytes
        logits = weight.new_empty(token_ids.shape)
        for part in _chunks(weight, token_ids, workspace_bytes):
            logits[part] = _products(hidden[part], weight, token_ids[part])
        return logits

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        hidden, weight, token_ids = ctx.saved_tensors
        parts = _chunks(weight, token_ids, ctx.workspace_bytes)
        for_hidden = for_weight = None
        if ctx.needs_input_grad[0]:
            for_hidden = torch.empty_like(hidden)
            for part in parts:
                for_hidden[part] = _weighted_rows(gradient[part], weight, token_ids[part])
        if ctx.needs_input_grad[1]:
            # Sums over the touched rows stay in fast memory where a whole (V, H) would not
            touched, places = token_ids.flatten().unique(return_inverse=True)
            places = places.view_as(token_ids)
            sums = weight.new_zeros(len(touched), weight.shape[1])
            for part in parts:
                _add_outer_products(sums, places[part], gradient[part], hidden[part])
            if ctx.sparse_gradient:
                for_weight = torch.sparse_coo_tensor(
                    touched.unsqueeze(0),
                    sums,
                    weight.shape,
                    # `unique` has sorted them
                    is_coalesced=True,
                    check_invariants=False,
                )
            else:
                for_weight = torch.zeros_like(weight).index_copy_(0, touched, sums)
        return for_hidden, for_weight, None, None, None
