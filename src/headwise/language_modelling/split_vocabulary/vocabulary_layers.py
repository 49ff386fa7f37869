"""The two layers of a Transformers model whose rows are tokens: where they are, and their likes."""

import copy
import inspect
from dataclasses import dataclass
from typing import cast

import torch
from torch import nn
from transformers import PreTrainedModel

from headwise.errors import UnsupportedModelError
from headwise.heads import SplitLanguageModellingHead, SplitTokenEmbeddings

# Every parameter of either layer has one row a token
LEAVES = ("weight", "bias")


@dataclass(frozen=True, slots=True)
class LayerPaths:
    """The names of a model's input and output embeddings, as ``model.get_submodule`` takes them."""

    embeddings: str
    head: str

    @classmethod
    def of(cls, model: PreTrainedModel) -> "LayerPaths":
        """Find them by identity, whatever the architecture calls them."""
        names = {id(module): name for name, module in model.named_modules()}
        return cls(
            embeddings=names[id(model.get_input_embeddings())],
            head=names[id(model.get_output_embeddings())],
        )


def vocabulary_layers(model: PreTrainedModel) -> tuple[nn.Embedding, nn.Linear]:
    """Get the input and output embeddings of a model, if nothing else holds their weights.

    Raises:
        UnsupportedModelError: If the model has not one of each, if they are quantised, sharded,
            wrapped by adapters or placed by Accelerate's hooks, if other layers share their
            weights, as those of T5 do, or if the model reads a weight past its layer, as Mamba.
    """
    if not isinstance(model, PreTrainedModel):
        raise UnsupportedModelError(
            f"Only a Transformers model has embeddings that can be split, got "
            f"{type(model).__name__}; split the model before it is wrapped."
        )
    name = type(model).__name__
    embeddings, head = model.get_input_embeddings(), model.get_output_embeddings()
    # A subclass of nn.Linear does something of its own (LoRA, 4 bits) that rows alone do not show
    if not isinstance(embeddings, nn.Embedding) or type(head) is not nn.Linear:
        raise UnsupportedModelError(
            f"The vocabulary of {name} cannot be split: its input embeddings are "
            f"{type(embeddings).__name__} and its output layer is {type(head).__name__}, where "
            f"nn.Embedding and nn.Linear are needed; split a causal language model once, and "
            f"before adapters or quantisation are put on it."
        )
    for weight in (embeddings.weight, head.weight):
        if type(weight) is not nn.Parameter or not weight.is_floating_point():
            raise UnsupportedModelError(
                f"The vocabulary of {name} cannot be split: a weight is a "
                f"{type(weight).__name__} of {weight.dtype}, that is, quantised or sharded; split "
                f"the model before that, in floating point."
            )
    if hasattr(embeddings, "_hf_hook") or hasattr(head, "_hf_hook"):
        raise UnsupportedModelError(
            f"The vocabulary of {name} cannot be split while Accelerate moves its layers between "
            f"devices; load it without `device_map`, or with a single device."
        )
    # Mamba's forward asks the layer for its dtype in this way, and there would be no such weight
    if "weight" in inspect.unwrap(type(model).forward).__code__.co_names:
        raise UnsupportedModelError(
            f"The vocabulary of {name} cannot be split: its forward reads the weight of a layer "
            f"itself, and a split output layer has one a split."
        )
    ours = {id(p) for layer in (embeddings, head) for p in layer.parameters()}
    paths = LayerPaths.of(model)
    own = {f"{path}.{leaf}" for path in (paths.embeddings, paths.head) for leaf in LEAVES}
    shared = [
        key
        for key, parameter in model.named_parameters(remove_duplicate=False)
        if id(parameter) in ours and key not in own
    ]
    if shared:
        raise UnsupportedModelError(
            f"The vocabulary of {name} cannot be split: {', '.join(shared)} share its embeddings; "
            f"only input and output embeddings that nothing else uses can be split."
        )
    return embeddings, head


def split_layers(model: PreTrainedModel) -> tuple[SplitTokenEmbeddings, SplitLanguageModellingHead]:
    """Get the input and output embeddings of a model that is split."""
    return (
        cast(SplitTokenEmbeddings, model.get_input_embeddings()),
        cast(SplitLanguageModellingHead, model.get_output_embeddings()),
    )


def table_like(table: nn.Embedding, rows: nn.Parameter) -> nn.Embedding:
    """Make embeddings that do what others do, with other rows, ``(V', H)``.

    Subclasses stay what they are: Gemma's multiply by a scale.
    """
    # With the weight in its memo, the copy takes the new rows and does not copy the old ones
    new = copy.deepcopy(table, {id(table.weight): rows})
    new.num_embeddings = len(rows)
    return new


def linear_of(rows: nn.Parameter, bias: nn.Parameter | None) -> nn.Linear:
    """Make a linear layer of a weight, ``(V, H)``, and a bias, ``(V,)``."""
    with torch.device("meta"):
        layer = nn.Linear(rows.shape[1], rows.shape[0], bias=False)
    layer.register_parameter("weight", rows)
    layer.register_parameter("bias", bias)
    return layer
