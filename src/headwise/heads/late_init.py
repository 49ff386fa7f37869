"""Late initialisation: modules built on the ``meta`` device that get memory and values later."""

from collections.abc import Iterator
from itertools import chain
from typing import Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor, nn

from headwise.errors import UninitialisedError

_Module = TypeVar("_Module", bound=nn.Module)


@runtime_checkable
class ModuleLateInit(Protocol):
    """The contract of a module that can be given values at any time.

    PyTorch's layers keep it, and so does every head but `TaskHeads`, a container of heads that
    keep it.
    """

    def reset_parameters(self) -> None:
        """Give every parameter and buffer, those of the children included, its first value."""
        ...


def materialise(
    module: _Module, *, device: torch.device | str, dtype: torch.dtype | None = None
) -> _Module:
    """Give memory and first values to what stands on the ``meta`` device.

    A module with ``reset_parameters`` answers for its children, so that each value is drawn once;
    one without is a mere container, whose children are asked. Parameters that several modules
    share stay shared; where two modules would draw one, the later one does. Tensors that have
    memory stay where and what they are.

    Args:
        module: Built under ``with torch.device("meta")``, wholly or in parts; changed in place.
        device: Where the memory is to be.
        dtype: Floating point type of the new tensors; the one they were built with if ``None``.

    Returns:
        ``module``.

    Raises:
        UninitialisedError: If a tensor belongs to no module with ``reset_parameters``, if
            ``reset_parameters`` would overwrite parameters that have memory, or if it left a
            tensor without values.
    """
    keepers = list(dict.fromkeys(_keepers(module, "")))
    versions = _allocate(module, torch.device(device), dtype)
    for keeper in keepers:
        keeper.reset_parameters()
    left = [name for name, tensor in _named_tensors(module) if _has_no_values(tensor, versions)]
    if left:
        raise UninitialisedError(
            f"`reset_parameters` of {type(module).__name__} or of its children gave no values to "
            f"{', '.join(left)}; it must set every parameter and buffer."
        )
    return module


def _named_tensors(module: nn.Module, *, recurse: bool = True) -> Iterator[tuple[str, Tensor]]:
    return chain(module.named_parameters(recurse=recurse), module.named_buffers(recurse=recurse))


def _keepers(module: nn.Module, path: str) -> Iterator[ModuleLateInit]:
    """The topmost modules that keep the contract and have tensors without memory."""
    if isinstance(module, ModuleLateInit):
        if any(tensor.is_meta for _, tensor in _named_tensors(module)):
            _check_nothing_is_overwritten(module, path)
            yield module
        return
    own = [name for name, tensor in _named_tensors(module, recurse=False) if tensor.is_meta]
    if own:
        raise UninitialisedError(
            f"{_place(module, path)} has {', '.join(own)} on the meta device and no "
            "`reset_parameters` to give values; add one, or build the module on a real device."
        )
    for name, child in module.named_children():
        yield from _keepers(child, f"{path}.{name}" if path else name)


def _check_nothing_is_overwritten(module: nn.Module, path: str) -> None:
    filled = [name for name, parameter in module.named_parameters() if not parameter.is_meta]
    if filled:
        raise UninitialisedError(
            f"{_place(module, path)} is on the meta device in parts, and its `reset_parameters` "
            f"would overwrite {', '.join(filled)}; materialise first and load values then, or "
            "materialise its children one by one."
        )


def _place(module: nn.Module, path: str) -> str:
    kind = type(module).__name__
    return f"{path} ({kind})" if path else kind


def _allocate(
    module: nn.Module, device: torch.device, dtype: torch.dtype | None
) -> dict[int, tuple[Tensor, int]]:
    """Give meta tensors memory; by ``id``, the new ones and how often each was written to."""
    # `Module.to_empty` would empty what has memory as well, and part what modules share
    # The old ones are kept: the id of a freed tensor may come back
    replaced: dict[int, tuple[Tensor, Tensor]] = {}
    for owner in module.modules():
        for name, old in list(_named_tensors(owner, recurse=False)):
            if not old.is_meta:
                continue
            if id(old) not in replaced:
                replaced[id(old)] = (old, _unset_like(old, device, dtype))
            setattr(owner, name, replaced[id(old)][1])
    return {id(new): (new, new._version) for _, new in replaced.values()}


def _unset_like(old: Tensor, device: torch.device, dtype: torch.dtype | None) -> Tensor:
    """Memory that shows whether it was written to: not-a-number, or its count of writes."""
    new = torch.empty_like(old, device=device, dtype=dtype if old.is_floating_point() else None)
    if new.is_floating_point():
        new = new.fill_(torch.nan)
    if isinstance(old, nn.Parameter):
        return nn.Parameter(new, requires_grad=old.requires_grad)
    return new


def _has_no_values(tensor: Tensor, versions: dict[int, tuple[Tensor, int]]) -> bool:
    if tensor.is_meta:
        return True
    if id(tensor) not in versions or tensor.numel() == 0:
        return False
    if tensor.is_floating_point():
        # The maximum of anything with not-a-number is that, and needs no second tensor
        return bool(tensor.detach().amax().isnan())
    return tensor._version == versions[id(tensor)][1]
