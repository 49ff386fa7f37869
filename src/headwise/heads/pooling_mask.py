"""Chosen positions of hidden states, for heads that read a few of them."""

from torch import Tensor


def selected_positions(hidden_states: Tensor, pooling_mask: Tensor | None) -> Tensor:
    """Pick the positions that a mask marks, in their order.

    Args:
        hidden_states: Hidden states, ``(..., H)``.
        pooling_mask: 1 or true at the wanted positions, ``(...)``; ``None`` picks all and keeps
            the shape.

    Returns:
        ``(N, H)`` with N marked positions, or ``hidden_states``.

    Raises:
        ValueError: If the shapes do not fit.
    """
    if pooling_mask is None:
        return hidden_states
    if pooling_mask.shape != hidden_states.shape[:-1]:
        raise ValueError(
            "`pooling_mask` must have the shape of the hidden states without their last "
            f"dimension, {tuple(hidden_states.shape[:-1])}, got {tuple(pooling_mask.shape)}."
        )
    return hidden_states[pooling_mask == 1]
