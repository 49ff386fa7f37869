"""Whether a model's config asks for more numbers than its files hold, before it takes memory."""

from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from headwise.errors import WeightsError

# Layers that share weights, weights that are tied, and numbers that are packed into one are fewer
# in a file than in the model; what is missing in a small model is named once it is loaded
_SHARED, _SMALL_MODEL, _SMALL_DEPTH = 16, 10**8, 1000
_DEPTHS = {
    *("num_hidden_layers", "num_layers", "n_layer", "n_layers", "encoder_layers"),
    *("decoder_layers", "num_encoder_layers", "num_decoder_layers"),
}


def check_sizes(folder: Path, config: dict[str, Any], build: Callable[[], nn.Module]) -> None:
    """Refuse a model that its files cannot fill by far.

    Args:
        folder: Where its files are; one that is not on this machine is left alone.
        config: What its ``config.json`` says.
        build: Builds the model; called for shapes alone.

    Raises:
        WeightsError: If it has more layers than tensors, or many times more numbers.
    """
    shapes = _stored_shapes(folder)
    if not shapes:
        return
    for part in (config, *(value for value in config.values() if isinstance(value, dict))):
        for name in sorted(_DEPTHS & part.keys()):
            depth = part[name]
            if isinstance(depth, int) and depth > max(_SMALL_DEPTH, len(shapes)):
                raise WeightsError(
                    f"The config of {folder} says `{name}` is {depth:,}, but its weights are "
                    f"{len(shapes):,} tensors. Download the model again."
                )
    try:
        with torch.device("meta"):
            model = build()
    # A model that cannot be built without values is not judged here
    except (NotImplementedError, ImportError, AttributeError, KeyError):
        return
    except (RuntimeError, OverflowError, ValueError, TypeError) as error:
        if "overflow" not in str(error).lower() and not isinstance(error, OverflowError):
            return
        raise WeightsError(f"The config of {folder} has sizes that no memory holds.") from None
    asked, stored = sum(p.numel() for p in model.parameters()), sum(map(prod, shapes))
    if asked > _SHARED * stored + _SMALL_MODEL:
        raise WeightsError(
            f"The config of {folder} makes a model of {asked:,} numbers, but its weights are "
            f"{stored:,}. Download the model again, or give the config that belongs to it."
        )


def _stored_shapes(folder: Path) -> list[list[int]]:
    """Shapes of all tensors; none where a file is damaged, which loading it says by name."""
    shapes = []
    try:
        for path in folder.glob("*.safetensors"):
            with safe_open(path, "pt") as file:
                shapes += [file.get_slice(name).get_shape() for name in file.keys()]  # noqa: SIM118
    except (SafetensorError, OSError):
        return []
    return shapes
