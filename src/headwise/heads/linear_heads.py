"""Heads of one linear layer, for classes or numbers, on chosen positions of hidden states."""

import torch
from torch import Tensor, nn

from headwise.heads.checks import (
    check_hidden_states,
    check_materialised,
    dropout_layer,
    whole_number,
)


class _LinearHead(nn.Module):
    """Dropout and a linear layer, ``score``: ``(..., H)`` to ``(..., outputs)``."""

    def __init__(self, hidden_size: int, outputs: int, dropout: float, *, bias: bool) -> None:
        super().__init__()
        self.hidden_size = whole_number("hidden_size", hidden_size)
        self.dropout = dropout_layer(dropout)
        self.score = nn.Linear(self.hidden_size, outputs, bias=bias)

    def reset_parameters(self) -> None:
        """Draw the layer anew, as PyTorch does for linear layers."""
        self.score.reset_parameters()

    def forward(self, hidden_states: Tensor, pooling_mask: Tensor | None = None) -> Tensor:
        """Classes' logits, or values.

        Args:
            hidden_states: Hidden states, ``(..., H)``; cast to the dtype of the weight.
            pooling_mask: 1 or true at the positions to read, ``(...)``; all if ``None``.

        Returns:
            Float32, ``(N, outputs)`` for N marked positions, ``(..., outputs)`` without a mask.

        Raises:
            UninitialisedError: If the head is on the ``meta`` device.
            ValueError: If the hidden states have another width, or the mask has another shape or
                other values.
        """
        chosen = linear_inputs(self.score, hidden_states, pooling_mask)
        # Losses and probabilities of half precision would lose too much
        outputs: Tensor = self.score(self.dropout(chosen))
        return outputs.float()


class ClassificationHead(_LinearHead):
    """Logits of C classes, ``num_labels``, without a bias: ``W . dropout(h)``.

    State dicts have d9d's names, ``score.weight``. Dropout in [0, 1) is a share of the hidden
    states in training; it, or a size, out of range is a `ValueError`.

    Args:
        hidden_size: H.
    """

    def __init__(self, *, hidden_size: int, num_labels: int, dropout: float = 0.0) -> None:
        num_labels = whole_number("num_labels", num_labels)
        super().__init__(hidden_size, num_labels, dropout, bias=False)
        self.num_labels = num_labels


class ValueHead(_LinearHead):
    """Numbers for rewards and regression, ``W . dropout(h) + b``.

    ``output_size`` is how many numbers a position gets; sizes and dropout are as in
    :class:`ClassificationHead`.

    Args:
        hidden_size: H.
    """

    def __init__(self, *, hidden_size: int, output_size: int = 1, dropout: float = 0.0) -> None:
        output_size = whole_number("output_size", output_size)
        super().__init__(hidden_size, output_size, dropout, bias=True)
        self.output_size = output_size

    def forward(self, hidden_states: Tensor, pooling_mask: Tensor | None = None) -> Tensor:
        """Values, as of all linear heads; a single one has no last dimension."""
        values = super().forward(hidden_states, pooling_mask)
        return values.squeeze(-1) if self.output_size == 1 else values


def linear_inputs(layer: nn.Linear, hidden_states: Tensor, pooling_mask: Tensor | None) -> Tensor:
    """What enters a head's linear layer: the chosen positions, in the dtype of its weight.

    Raises:
        UninitialisedError: If the layer is on the ``meta`` device.
        ValueError: If the hidden states have another width, or the mask does not fit.
    """
    check_hidden_states(hidden_states, hidden_size=layer.in_features)
    check_materialised(layer, hidden_states)
    return selected_positions(hidden_states, pooling_mask).to(layer.weight.dtype)


def selected_positions(hidden_states: Tensor, pooling_mask: Tensor | None) -> Tensor:
    """Pick the positions of ``(..., H)`` that a mask, ``(...)``, marks, in their order: ``(N, H)``.

    ``None`` picks all and keeps the shape.

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
