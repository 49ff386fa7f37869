"""The arguments that describe an unembedding in blocks of rows."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from headwise.functional.losses.checks import check_tensors


def weight_blocks(
    weight: Tensor | Sequence[Tensor],
    bias: Tensor | Sequence[Tensor | None] | None,
    *,
    hidden: Tensor,
) -> tuple[list[Tensor], list[Tensor | None]]:
    """Read weight ``(V, H)`` and bias as blocks of rows that follow one another, equally many.

    Raises:
        TypeError: If something is no tensor.
        ValueError: If shapes, dtypes or devices do not fit.
    """
    check_tensors(hidden=hidden)
    if not hidden.is_floating_point() or hidden.ndim < 1 or hidden.shape[-1] < 1:
        raise ValueError(
            "`hidden` must be floating point, (..., H) with H at least 1, got "
            f"{tuple(hidden.shape)} of {str(hidden.dtype).removeprefix('torch.')}."
        )
    hidden_size = hidden.shape[-1]
    weights = _listed("weight", weight)
    if not weights:
        raise ValueError("`weight` must be a tensor or at least one block of rows, got none.")
    for block in weights:
        check_tensors(hidden=hidden, weight=block)
        if block.ndim != 2 or block.shape[1] != hidden_size:
            raise ValueError(
                f"`weight` must be (V, H) with the H of `hidden`, {hidden_size}, "
                f"got {tuple(block.shape)}."
            )
        if not block.is_floating_point():
            raise ValueError(f"`weight` must be floating point, got {block.dtype}.")
    sizes = [len(block) for block in weights]
    biases: list[Tensor | None]
    if isinstance(bias, Tensor) and len(weights) > 1:
        if bias.shape != (sum(sizes),):
            raise ValueError(f"`bias` must be (V,) with V={sum(sizes)}, got {tuple(bias.shape)}.")
        biases = list(bias.split(sizes))
    elif isinstance(bias, Tensor) or bias is None:
        biases = [bias] * len(weights)
    else:
        biases = _listed("bias", bias)
    if len(biases) != len(weights):
        raise ValueError(
            f"`bias` must hold one entry for each of the {len(weights)} blocks of `weight`, "
            f"got {len(biases)}."
        )
    for size, part in zip(sizes, biases, strict=True):
        check_tensors(hidden=hidden, bias=part)
        if part is not None and part.shape != (size,):
            raise ValueError(
                f"`bias` must be ({size},) for a block of {size} rows, got {tuple(part.shape)}."
            )
    return weights, biases


def _listed(name: str, blocks: Any) -> list[Any]:
    if isinstance(blocks, Tensor):
        return [blocks]
    if not isinstance(blocks, Iterable) or isinstance(blocks, str | Mapping):
        raise TypeError(
            f"`{name}` must be a torch.Tensor or a sequence of them, got {type(blocks).__name__}."
        )
    return list(blocks)


def product_dtype(weight: Tensor) -> torch.dtype:
    """The dtype of the products of hidden states and weight: that of autocast, or the weight's."""
    device = weight.device.type
    if torch.is_autocast_enabled(device) and weight.dtype != torch.float64:
        return torch.get_autocast_dtype(device)
    return weight.dtype


def joined_bias(weights: Sequence[Tensor], biases: Sequence[Tensor | None]) -> Tensor:
    """The biases of all blocks as one, ``(V,)``; zeros for a block without."""
    return torch.cat(
        [
            weight.new_zeros(len(weight)) if bias is None else bias
            for weight, bias in zip(weights, biases, strict=True)
        ]
    )
