"""Whether a checkpoint filled a model with numbers: nothing is left to chance."""

import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from headwise.backbones.encoders.encoder import EncoderBackbone
from headwise.errors import WeightsError
from headwise.functional.finite import not_finite

# Parts of a weight's name without which the weight means something else
_HALVES = {
    *("SCB", "absmax", "lora_A", "lora_B", "quant_map", "qweight", "qzeros", "scales"),
    *("weight_packed", "weight_scale", "weight_scale_inv"),
}

_LAYER = re.compile(r"\.\d+\.")


def check_filled(
    model: PreTrainedModel,
    info: dict[str, Any],
    *,
    name: str | Path,
    used: Callable[[], EncoderBackbone] | None = None,
    quantised: bool = False,
) -> None:
    """Refuse a model that its checkpoint did not fill.

    Args:
        model: A model that was just loaded.
        info: What Transformers says of its loading (``output_loading_info``).
        name: The model's, for messages.
        used: Gives the encoder that is used of it, if that is not all: parts on which it does not
            depend (a pooler, a decoder) may lack tensors.
        quantised: Whether its config speaks of a quantisation.

    Raises:
        WeightsError: If tensors are missing, of another shape, or belong to further layers, a
            quantisation or an adapter that the config does not speak of. Tied tensors are not
            missing.
    """
    missing, found = set(info["missing_keys"]), []
    if missing and used is not None:
        missing &= _read(used(), model)
    if missing:
        found.append(f"missing: {listed(missing)}")
    for tensor, stored, own in sorted(info["mismatched_keys"])[:5]:
        found.append(f"{tensor} must be {tuple(own)}, got {tuple(stored)}")
    # Models of some families leave layers that predict further tokens out, and say how many
    further = getattr(model.config.get_text_config(), "num_nextn_predict_layers", None)
    if not further and (beyond := _more_layers(info["unexpected_keys"], model)):
        found.append(f"of more layers than its config says: {listed(beyond)}")
    halves = {key for key in info["unexpected_keys"] if _HALVES.intersection(key.split("."))}
    if halves and not quantised:
        found.append(f"of a quantisation or adapter that its config lacks: {listed(halves)}")
    if found:
        raise WeightsError(
            f"The weights of {name} do not fill {type(model).__name__} ({'; '.join(found)}). "
            "Download the model again, or give the one that these weights belong to."
        )


def check_finite(model: nn.Module, *, name: str | Path) -> None:
    """Refuse a model with NaN or infinity among its weights (`WeightsError`)."""
    if bad := not_finite(model.state_dict().items()):
        raise WeightsError(
            f"The weights of {name} hold numbers that are not finite: {listed(bad)}. Its training "
            "went wrong, or the file is damaged; download it again."
        )


def listed(names: Collection[str]) -> str:
    """The first few names, and how many there are beside them."""
    shown = sorted(names)
    return ", ".join(shown[:5]) + (f" and {len(shown) - 5} more" if len(shown) > 5 else "")


def _more_layers(unexpected: Collection[str], model: PreTrainedModel) -> set[str]:
    """Tensors without a place in a model which would have one if it had more layers."""
    places = {_LAYER.sub(".#.", name) for name in model.state_dict()}
    begin = f"{model.base_model_prefix}."

    def fits(key: str) -> bool:
        place = _LAYER.sub(".#.", key)
        # Checkpoints of a model with and without its output layer name it otherwise
        names = {place, begin + place, place.removeprefix(begin)}
        return "#" in place and not names.isdisjoint(places)

    return {key for key in unexpected if fits(key)}


def _read(encoder: EncoderBackbone, model: PreTrainedModel) -> set[str]:
    """The names of a model's tensors in those parts of it that an encoder's output depends on."""
    unread: set[int] = set()
    for part in encoder.model.children():
        if list(part.parameters()) and not _depends(encoder, part):
            unread |= {id(tensor) for tensor in part.state_dict(keep_vars=True).values()}
    used = {id(tensor) for tensor in encoder.model.state_dict(keep_vars=True).values()} - unread
    return {n for n, tensor in model.state_dict(keep_vars=True).items() if id(tensor) in used}


def _depends(encoder: EncoderBackbone, part: nn.Module) -> bool:
    """Whether any parameter of a part comes into the last hidden states: a pooler's do not."""
    weights = [weight for weight in part.parameters() if weight.is_floating_point()]
    try:
        for weight in weights:
            weight.requires_grad_(True)
        with torch.enable_grad():
            return encoder.probe().requires_grad
    finally:
        for weight in weights:
            weight.requires_grad_(False)
