"""What heads ask of sizes and hidden states, and how their layers are drawn anew."""

import operator
from typing import SupportsIndex

import torch
from torch import Tensor, nn

from headwise.errors import UninitialisedError

# A spread below this share of the mean is what rounding leaves of a constant
_NO_SPREAD = 1e-5


def check_hidden_states(hidden_states: Tensor, *, hidden_size: int) -> None:
    """Refuse hidden states, ``(..., H)``, of another width (`ValueError`)."""
    if hidden_states.ndim == 0 or hidden_states.shape[-1] != hidden_size:
        raise ValueError(
            f"Hidden states must be (..., H) with the head's `hidden_size` of {hidden_size} as H, "
            f"got {tuple(hidden_states.shape)}."
        )


def check_materialised(layer: nn.Module, inputs: Tensor) -> None:
    """Refuse to compute values with a layer that has none; shapes alone are computed.

    Raises:
        UninitialisedError: If the weight is on the ``meta`` device and the inputs are not.
    """
    weight = getattr(layer, "weight", None)  # a wrapper may keep it to itself
    if not isinstance(weight, Tensor) or not weight.is_meta or inputs.is_meta:
        return
    # Accelerate brings offloaded values when the layer is called
    if not hasattr(layer, "_hf_hook"):
        raise UninitialisedError(
            f"The weights are on the meta device and have no values, the inputs are on "
            f"{inputs.device}; call `headwise.heads.materialise(module, device=...)` or load "
            "values first."
        )


def whole_number(
    name: str, value: SupportsIndex, *, least: int = 1, most: int | None = None
) -> int:
    """Read a size; NumPy's integers are as good as Python's.

    Raises:
        ValueError: If it is no whole number, below ``least`` or above ``most``; it says ``name``.
    """
    try:
        # True is a whole number to Python, and surely a mistake
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or number < least or (most is not None and number > most):
        allowed = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise ValueError(f"`{name}` must be a whole number {allowed}, got {value!r}.")
    return number


def dropout_layer(share: float) -> nn.Dropout:
    """Dropout of a share in [0, 1), which leaves something (`ValueError`)."""
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0.0 <= share < 1.0:
        raise ValueError(f"`dropout` must be a number in [0, 1), got {share!r}.")
    return nn.Dropout(share)


def mean_and_spread(inputs: Tensor) -> tuple[Tensor, Tensor]:
    """What inputs ``(N, F)`` are standardised by: their means and standard deviations, ``(F,)``.

    One that is constant has a spread of 1.

    Raises:
        ValueError: If there is no input.
    """
    if not len(inputs):
        raise ValueError("An empty sample has no mean; give at least one position.")
    variance, mean = torch.var_mean(inputs, 0, correction=0)
    spread = variance.sqrt()
    return mean, torch.where(spread > _NO_SPREAD * mean.abs(), spread, 1.0)


def reset_layers(module: nn.Module) -> None:
    """Draw all layers in a module anew, as PyTorch does for linear layers and layer norms."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.LayerNorm):
            layer.reset_parameters()
