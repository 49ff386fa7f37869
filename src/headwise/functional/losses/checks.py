"""Arguments of losses: what none accepts is refused before anything is computed."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar, cast

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
    # To Python, True is a whole number
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


_P = ParamSpec("_P")
_R = TypeVar("_R")


def outside_graphs(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Break compiled graphs around a function whose loops a compiler could not improve."""
    return cast("Callable[_P, _R]", torch.compiler.disable(function))
