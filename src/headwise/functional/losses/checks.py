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

    Tensors have the names of the arguments that they were.
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
    """Refuse what is no finite number in [least, most], or is ``least`` where it must be above.

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
    """Refuse what is no number of bytes (`TypeError`, `ValueError`)."""
    if isinstance(workspace_bytes, bool) or not isinstance(workspace_bytes, int):
        raise TypeError(
            "`workspace_bytes` must be a whole number of bytes, such as 128 * 2**20, got "
            f"{workspace_bytes!r}."
        )
    if workspace_bytes < 1:
        raise ValueError(f"`workspace_bytes` must be at least 1, got {workspace_bytes}.")


_P = ParamSpec("_P")
_R = TypeVar("_R")


def outside_graphs(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Break compiled graphs around a function whose loops a compiler could not improve."""
    return cast("Callable[_P, _R]", torch.compiler.disable(function))
