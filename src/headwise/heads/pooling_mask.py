"""Chosen positions of hidden states, for heads that read a few of them."""

import torch
from torch import Tensor, nn

from headwise.heads.checks import check_hidden_states, check_materialised


def linear_inputs(layer: nn.Linear, hidden_states: Tensor, pooling_mask: Tensor | None) -> Tensor:
    """What enters a head's linear layer: the chosen positions, in the dtype of its weight.

    Args:
        layer: Of H inputs.
        hidden_states: Hidden states, ``(..., H)``.
        pooling_mask: As in :func:`selected_positions`.

    Returns:
        ``(N, H)`` with N marked positions, ``(..., H)`` without a mask.

    Raises:
        UninitialisedError: If the layer is on the ``meta`` device.
        ValueError: If the hidden states have another width, or the mask does not fit.
    """
    check_hidden_states(hidden_states, hidden_size=layer.in_features)
    check_materialised(layer, hidden_states)
    return selected_positions(hidden_states, pooling_mask).to(layer.weight.dtype)


def selected_positions(hidden_states: Tensor, pooling_mask: Tensor | None) -> Tensor:
    """Pick the positions that a mask marks, in their order.

    Args:
        hidden_states: Hidden states, ``(..., H)``.
        pooling_mask: 1 or true at the wanted positions, ``(...)``; ``None`` picks all and keeps
            the shape.

    Returns:
        ``(N, H)`` with N marked positions, or ``hidden_states``.

    Raises:
        ValueError: If the shapes do not fit, or a value is neither 0 nor 1. On accelerators and in
            compiled code other values are not noticed, and mark nothing.
    """
    if pooling_mask is None:
        return hidden_states
    if pooling_mask.shape != hidden_states.shape[:-1]:
        raise ValueError(
            "`pooling_mask` must have the shape of the hidden states without their last "
            f"dimension, {tuple(hidden_states.shape[:-1])}, got {tuple(pooling_mask.shape)}."
        )
    marked = pooling_mask == 1
    # On an accelerator the check would make the CPU wait
    if pooling_mask.is_cpu and not torch.compiler.is_compiling():
        wrong = pooling_mask[~marked & (pooling_mask != 0)]
        if len(wrong):
            raise ValueError(
                "`pooling_mask` must be 0 or 1 (or false or true) everywhere, got "
                f"{wrong[0].item()} at one of {len(wrong)} wrong positions; write it as a "
                "comparison, such as `mask > 0`."
            )
    return hidden_states[marked]
