"""Modules that take no memory before their tensors are known to be those of a file."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from headwise.errors import WeightsError

Module = TypeVar("Module", bound=nn.Module)


def without_memory(build: Callable[[], Module], *, told_by: Path) -> Module:
    """Build a module on the ``meta`` device, whatever sizes a file asks for.

    Args:
        build: Builds it.
        told_by: The file that its sizes come from, for messages.

    Raises:
        WeightsError: If the constructor refuses what the file says, or the file lacks something.
    """
    try:
        # No values are drawn either, that those of a file would replace
        with torch.device("meta"):
            return build()
    except KeyError as error:
        raise WeightsError(f"{told_by} lacks {error}.") from None
    except WeightsError:
        raise
    # PyTorch's own words for sizes that no number of bytes can hold are errors of all these kinds
    except (ValueError, TypeError, RuntimeError, OverflowError) as error:
        said = str(error).partition("\n")[0]
        raise WeightsError(f"{told_by} is wrong: {said:.300}") from None


def filled(module: Module, tensors: Mapping[str, Tensor], *, misfit: str) -> Module:
    """Give a module from :func:`without_memory` the values of a file, in float32 on the CPU.

    Raises:
        WeightsError: If names or shapes differ, before memory is taken; it begins with ``misfit``.
    """
    try:
        module.load_state_dict({name: tensor.to("meta") for name, tensor in tensors.items()})
    except RuntimeError as error:
        raise WeightsError(f"{misfit}: {error}") from None
    module.to_empty(device="cpu")
    module.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    return module
