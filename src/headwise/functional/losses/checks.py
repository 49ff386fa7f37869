"""What no loss accepts, refused before anything is computed."""

import math
from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import torch
from torch import Tensor

OPTIONAL = frozenset({"bias", "row_bias", "token_weights", "target_weights", "excluded"})
"""Arguments that may be ``None``."""


def check_tensors(**tensors: object) -> None:
    """Refuse what is no tensor, has no memory, or lies on another device than the first.

    Args:
        tensors: By the names that they have as arguments; ``None`` may stand for what is named
            in :data:`OPTIONAL`.

    Raises:
        TypeError: If one is no tensor.
        ValueError: If one is on the meta device, or they lie on different devices.
    """
    device = None
    for name, value in tensors.items():
        if value is None and name in OPTIONAL:
            continue
        if not isinstance(value, Tensor):
            raise TypeError(f"`{name}` must be a torch.Tensor, got {type(value).__name__}.")
        if value.is_meta:
            raise ValueError(
                f"`{name}` is on the meta device and has no values; give the module memory first, "
                "with `headwise.heads.materialise`."
            )
        device = device or value.device
        if value.device != device:
            raise ValueError(
                f"All tensors must be on one device; `{next(iter(tensors))}` is on {device}, "
                f"`{name}` on {value.device}."
            )


def check_number(
    name: str, value: object, *, least: float, most: float = math.inf, above: bool = False
) -> None:
    """Refuse what is no finite number, or outside of a range.

    Args:
        name: The argument.
        value: What was passed.
        least: Least value.
        most: Largest value.
        above: Whether ``least`` itself is refused too.

    Raises:
        TypeError: If it is no number.
        ValueError: If it is out of range or not finite.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"`{name}` must be a number, got {type(value).__name__}.")
    if not (math.isfinite(value) and least <= value <= most) or (above and value == least):
        allowed = f"be above {least:g}" if above else f"be at least {least:g}"
        allowed = f"lie in [{least:g}, {most:g}]" if math.isfinite(most) else allowed
        raise ValueError(f"`{name}` must {allowed} and finite, got {value}.")


def check_workspace(workspace_bytes: object) -> None:
    """Refuse what is no number of bytes.

    Raises:
        TypeError: If it is no whole number.
        ValueError: If it is less than 1.
    """
    if isinstance(workspace_bytes, bool) or not isinstance(workspace_bytes, int):
        raise TypeError(
            "`workspace_bytes` must be a whole number of bytes, such as 128 * 2**20, got "
            f"{workspace_bytes!r}."
        )
    if workspace_bytes < 1:
        raise ValueError(f"`workspace_bytes` must be at least 1, got {workspace_bytes}.")


def check_hidden(hidden: Tensor) -> None:
    """Refuse what cannot be hidden states (`ValueError`)."""
    if not hidden.is_floating_point() or hidden.ndim < 1 or hidden.shape[-1] < 1:
        raise ValueError(
            "`hidden` must be floating point, (..., H) with H at least 1, got "
            f"{tuple(hidden.shape)} of {str(hidden.dtype).removeprefix('torch.')}."
        )


def check_options(
    *, softcap: object, label_smoothing: object, z_loss: object, workspace_bytes: object
) -> None:
    """Refuse options that linear cross-entropy does not take.

    Raises:
        TypeError: If one is of another type.
        ValueError: If one is out of range.
    """
    if softcap is not None:
        check_number("softcap", softcap, least=0.0, above=True)
    check_number("label_smoothing", label_smoothing, least=0.0, most=1.0)
    check_number("z_loss", z_loss, least=0.0)
    check_workspace(workspace_bytes)


_P = ParamSpec("_P")
_R = TypeVar("_R")


def outside_graphs(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Break compiled graphs around a function whose loops a compiler could not improve."""
    return cast("Callable[_P, _R]", torch.compiler.disable(function))
