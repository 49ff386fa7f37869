"""A language model without its layers: tokeniser, config and output layer, and no more is read."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import safe_open
from torch import Tensor, nn
from transformers import AutoConfig, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from headwise.backbones.loading.adapters import find_adapter
from headwise.backbones.loading.gguf_models import language_model_class
from headwise.backbones.loading.model_files import (
    INDEX_FILE,
    check_model_files,
    find_file,
    read_object,
)
from headwise.backbones.loading.places import find_place, naming_ways
from headwise.backbones.loading.pretrained import named_errors
from headwise.errors import UnsupportedModelError, WeightsError

_ONE_FILE = "model.safetensors"


class LayerlessModel(NamedTuple):
    """What is known of a language model whose layers run elsewhere.

    Attributes:
        model: Its modules on the ``meta`` device, where they have no numbers; the output layer and
            the final norm have theirs.
        tokenizer: Its tokeniser.
        gguf: SHA-256 of the GGUF file that its weights come from, or ``None``.
        norm: The norm in front of the output layer, or ``None`` if it could not be told.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    gguf: str | None
    norm: nn.Module | None


def load_layerless(
    name: str | Path,
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    trust_remote_code: bool = False,
) -> LayerlessModel:
    """Load tokeniser, config, output layer and final norm; of weights in parts, only theirs.

    Args:
        name: As for :func:`~headwise.backbones.load_backbone`, but no adapter.
        dtype: The type of the numbers.
        device: Where they go.
        trust_remote_code: Whether code that comes with the model may run.

    Raises:
        UnknownModelError, WeightsError: As for `load_backbone`.
        UnsupportedModelError: If it is an adapter or an encoder-decoder, is quantised, or has no
            linear output layer.
    """
    with naming_ways(name), named_errors(name):
        place = find_place(name)
        if find_adapter(place.files) is not None:
            raise UnsupportedModelError(
                f"{name} is an adapter; merge it into its model, serve that, and name its folder."
            )
        quantised = check_model_files(place.files, trust_remote_code=trust_remote_code)
        config = AutoConfig.from_pretrained(place.files, trust_remote_code=trust_remote_code)
        if config.is_encoder_decoder:
            raise UnsupportedModelError(
                f"{name} has an encoder and a decoder; states that come from elsewhere are those "
                "of causal language models."
            )
        tokenizer = AutoTokenizer.from_pretrained(place.files, trust_remote_code=trust_remote_code)
        kind = language_model_class(config)
        with torch.device("meta"):
            model = kind.from_config(config, trust_remote_code=trust_remote_code)
        weights = _StoredTensors(place.files)
        output = model.get_output_embeddings()
        if quantised is not None or not isinstance(output, nn.Linear):
            raise UnsupportedModelError(
                f"The output layer of {name} is quantised or not linear; name the folder of the "
                "model that it was made of."
            )
        fill = _Filling(model, weights, dtype, torch.device(device), name=str(name))
        fill.fill(output, or_else=model.get_input_embeddings())
        if (norm := final_norm(model)) is not None:
            fill.fill(norm)
        model.name_or_path = model.config.name_or_path = str(name)
    return LayerlessModel(model, tokenizer, place.gguf, norm)


def final_norm(model: PreTrainedModel) -> nn.Module | None:
    """The norm between a causal model's last layer and its output layer.

    It stands behind the layers, beside them; ``None`` where no single one does.
    """
    decoder = model.get_decoder() if hasattr(model, "get_decoder") else model.base_model
    behind: list[nn.Module] = []
    for child in decoder.children():
        if isinstance(child, nn.ModuleList):
            behind = []
        elif list(child.parameters()):
            behind.append(child)
    alone = len(behind) == 1 and "norm" in type(behind[0]).__name__.lower()
    return behind[0] if alone else None


class _Filling(NamedTuple):
    """Gives modules of a model on the ``meta`` device the numbers of its files."""

    model: PreTrainedModel
    weights: "_StoredTensors"
    dtype: torch.dtype
    device: torch.device
    name: str

    def fill(self, module: nn.Module, *, or_else: nn.Module | None = None) -> None:
        """Fill a module's parameters; ``or_else`` is tied to it and may be stored in its place."""
        for parameter, old in list(module.named_parameters()):
            owners = [module] if or_else is None or parameter != "weight" else [module, or_else]
            names = [name for one in owners for name in self._names(one, parameter)]
            tensor = self.weights.first_of(names)
            if tensor is None or tensor.shape != old.shape:
                found = "there is none" if tensor is None else f"it is {tuple(tensor.shape)}"
                raise WeightsError(
                    f"The weights of {self.name} must hold {names[0]} of shape "
                    f"{tuple(old.shape)}, and {found}; download the model again."
                )
            if not bool(tensor.isfinite().all()):
                raise WeightsError(
                    f"{names[0]} of {self.name} holds numbers that are not finite; download the "
                    "model again."
                )
            own = nn.Parameter(tensor.to(self.device, self.dtype), requires_grad=False)
            setattr(module, parameter, own)

    def _names(self, module: nn.Module, parameter: str) -> Iterator[str]:
        # Checkpoints of a model with and without its output layer name what is below it otherwise
        begin = f"{self.model.base_model_prefix}."
        for name, one in self.model.named_modules():
            if one is module:
                yield f"{name}.{parameter}"
                yield f"{name}.{parameter}".removeprefix(begin)
                yield f"{begin}{name}.{parameter}"


class _StoredTensors:
    """Tensors of a model's safetensors by name; files are fetched when they are needed."""

    def __init__(self, files: str) -> None:
        self._files = files
        index = find_file(files, INDEX_FILE)
        self._map: dict[str, str] | None = None
        if index is not None:
            self._map = {str(k): str(v) for k, v in read_object(index)["weight_map"].items()}

    def first_of(self, names: Sequence[str]) -> Tensor | None:
        """The tensor of the first name that there is."""
        for name in names:
            file = _ONE_FILE if self._map is None else self._map.get(name)
            path = None if file is None else find_file(self._files, file)
            if path is None:
                continue
            with safe_open(path, framework="pt") as tensors:
                if name in tensors.keys():  # noqa: SIM118 - it is no mapping
                    found: Any = tensors.get_tensor(name)
                    return found if isinstance(found, Tensor) else None
        return None
