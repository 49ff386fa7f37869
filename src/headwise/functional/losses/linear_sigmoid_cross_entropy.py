"""Binary cross-entropy over the whole vocabulary without the logits of all positions."""

from collections.abc import Sequence

import torch
from torch import Tensor

from headwise.functional.chunking import DEFAULT_WORKSPACE_BYTES
from headwise.functional.losses.checks import (
    check_tensors,
    check_workspace,
    outside_graphs,
    product_dtype,
    weight_blocks,
)
from headwise.functional.losses.counted_positions import (
    LM_IGNORE_INDEX,
    CountedPositions,
    Reduction,
    check_reduction,
)
from headwise.functional.losses.linear_loss import LinearLoss
from headwise.functional.losses.logit_losses import SigmoidLoss


@outside_graphs
def linear_sigmoid_cross_entropy(
    hidden: Tensor,
    weight: Tensor | Sequence[Tensor],
    targets: Tensor,
    *,
    bias: Tensor | Sequence[Tensor | None] | None = None,
    row_bias: Tensor | None = None,
    ignore_index: int = LM_IGNORE_INDEX,
    reduction: Reduction = "mean",
    shift: bool = False,
    token_weights: Tensor | None = None,
    target_weights: Tensor | None = None,
    excluded: Tensor | None = None,
    workspace_bytes: int = DEFAULT_WORKSPACE_BYTES,
) -> Tensor:
    """Binary cross-entropy of each target against all other tokens as negatives.

    ``loss = w * softplus(-z_y) + sum over v of softplus(z_v)`` with
    ``z_v = hidden . weight_v + bias_v + row_bias``, where v is neither the target nor excluded.
    Time, memory and dtypes are those of :func:`linear_cross_entropy`.

    Args:
        hidden: Hidden states, ``(..., H)``, floating point.
        weight: Unembedding, ``(V, H)``, or blocks of its rows.
        targets: Token ids, ``(...)``, int64.
        bias: ``(V,)``, or one a block.
        row_bias: What is added to all logits of a position, ``(...)``.
        ignore_index: Target of a position that does not count.
        reduction: ``mean`` over the positions that count, ``sum``, or ``none``.
        shift: Whether position t predicts ``targets[..., t + 1]``. The other arguments of shape
            ``(...)`` except ``row_bias`` belong to the targets, and shift with them.
        token_weights: Weight of each position's loss, ``(...)``; a mean divides by their sum.
        target_weights: w, weight of the target against one negative, ``(...)``; gets no gradient.
        excluded: Tokens that are no negatives, ``(..., A)``, int64; -1 for none. The target may
            be among them, which changes nothing, and so may a token twice.
        workspace_bytes: As for :func:`linear_cross_entropy`.

    Returns:
        The loss in nats, float32 or float64: a scalar, or ``(...)`` with 0 where nothing counts,
        ``(..., T-1)`` with ``shift``.

    Raises:
        TypeError: If an argument is of another type.
        ValueError: If shapes or dtypes do not fit, a target or an excluded token is no token, or
            one position does not fit into the workspace.

    References:
        Dinh & Niehues 2026, arXiv 2601.00680, section 3 (training objective).
    """
    check_reduction(reduction)
    check_workspace(workspace_bytes)
    weights, biases = weight_blocks(weight, bias, hidden=hidden)
    check_tensors(
        hidden=hidden,
        targets=targets,
        row_bias=row_bias,
        token_weights=token_weights,
        target_weights=target_weights,
        excluded=excluded,
    )
    size = sum(len(block) for block in weights)
    for name, tensor in (("row_bias", row_bias), ("target_weights", target_weights)):
        if tensor is not None and tensor.shape != targets.shape:
            raise ValueError(
                f"`{name}` must have the shape of `targets`, {tuple(targets.shape)}, "
                f"got {tuple(tensor.shape)}."
            )
    if excluded is not None:
        _check_excluded(excluded, targets, size)
    positions = CountedPositions.of(
        hidden,
        targets,
        vocabulary_size=size,
        ignore_index=ignore_index,
        shift=shift,
        token_weights=token_weights,
    )
    loss = LinearLoss(
        rule=SigmoidLoss(
            targets=positions.targets,
            target_weights=(
                None if target_weights is None else positions.of_targets(target_weights)
            ),
            excluded=None if excluded is None else positions.of_targets(excluded),
        ),
        rows=positions.rows,
        dtype=product_dtype(weights[0]),
        workspace_bytes=workspace_bytes,
    )
    flat_bias = None if row_bias is None else row_bias.reshape(-1)
    return loss.reduced(positions, reduction, weights, biases, flat_bias)


def _check_excluded(excluded: Tensor, targets: Tensor, vocabulary_size: int) -> None:
    if excluded.ndim != targets.ndim + 1 or excluded.shape[:-1] != targets.shape:
        raise ValueError(
            f"`excluded` must be (..., A) for `targets` of shape {tuple(targets.shape)}, "
            f"got {tuple(excluded.shape)}."
        )
    if excluded.dtype != torch.int64:
        raise ValueError(f"`excluded` must be int64, got {excluded.dtype}.")
    if excluded.numel():
        low, high = (int(bound) for bound in excluded.aminmax())
        if low < -1 or high >= vocabulary_size:
            raise ValueError(
                f"`excluded` must lie in [0, {vocabulary_size}) or be -1, "
                f"got {low if low < -1 else high}."
            )
