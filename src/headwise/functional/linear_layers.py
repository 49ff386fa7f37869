"""The arguments that describe an unembedding in blocks of rows."""

from collections.abc import Sequence

import torch
from torch import Tensor


def blocks_of(
    weight: Tensor | Sequence[Tensor],
    bias: Tensor | Sequence[Tensor | None] | None,
    *,
    hidden_size: int,
) -> tuple[list[Tensor], list[Tensor | None]]:
    """Read weight and bias as blocks of rows that follow one another.

    Args:
        weight: ``(V, H)``, or blocks ``(V_i, H)``.
        bias: ``(V,)``, or one ``(V_i,)`` or ``None`` a block.
        hidden_size: H.

    Returns:
        Weights and biases of the blocks, equally many.

    Raises:
        ValueError: If shapes or dtypes do not fit.
    """
    weights = [weight] if isinstance(weight, Tensor) else list(weight)
    if not weights:
        raise ValueError("`weight` must be a tensor or at least one block of rows, got none.")
    for block in weights:
        if block.ndim != 2 or block.shape[1] != hidden_size:
            raise ValueError(
                f"`weight` must be (V, H) with H={hidden_size}, got {tuple(block.shape)}."
            )
        if block.dtype != weights[0].dtype or not block.is_floating_point():
            raise ValueError(
                "`weight` must be floating point, all blocks in one dtype, got "
                f"{', '.join(str(each.dtype) for each in weights)}."
            )
    sizes = [len(block) for block in weights]
    biases: list[Tensor | None]
    if isinstance(bias, Tensor) and len(weights) > 1:
        if bias.shape != (sum(sizes),):
            raise ValueError(f"`bias` must be (V,) with V={sum(sizes)}, got {tuple(bias.shape)}.")
        biases = list(bias.split(sizes))
    elif isinstance(bias, Tensor) or bias is None:
        biases = [bias] * len(weights)
    else:
        biases = list(bias)
    if len(biases) != len(weights):
        raise ValueError(
            f"`bias` must hold one entry for each of the {len(weights)} blocks of `weight`, "
            f"got {len(biases)}."
        )
    for size, part in zip(sizes, biases, strict=True):
        if part is not None and part.shape != (size,):
            raise ValueError(
                f"`bias` must be ({size},) for a block of {size} rows, got {tuple(part.shape)}."
            )
    return weights, biases


def product_dtype(weight: Tensor) -> torch.dtype:
    """The dtype of the products of hidden states and weight: that of autocast, or the weight's."""
    device = weight.device.type
    if torch.is_autocast_enabled(device) and weight.dtype != torch.float64:
        return torch.get_autocast_dtype(device)
    return weight.dtype
