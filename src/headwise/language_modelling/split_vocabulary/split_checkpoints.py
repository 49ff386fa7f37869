"""Checkpoints of a split model are those of the merged model, so that Transformers reads them.

``state_dict`` names the splits. What ``save_pretrained`` and the Trainer write does not: another
program would find no embeddings under those names and draw them at random. The split layers in
turn accept the plain names, so that a Trainer resumes.
"""

import operator
import os
from functools import partial
from typing import Any, NoReturn, cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from headwise.errors import UnsupportedModelError
from headwise.language_modelling.fused_loss.model_methods import ModelMethod
from headwise.language_modelling.split_vocabulary.vocabulary_layers import (
    LEAVES,
    LayerPaths,
    split_layers,
)

# Where the split modules keep the layers of their splits
EMBEDDING_ROWS, HEAD_ROWS = "token_embedding", "lm_head"

_METHODS = ("save_pretrained", "resize_token_embeddings")


def add_checkpoint_methods(model: PreTrainedModel) -> None:
    """Make a split model save plain checkpoints, load them, and refuse to be resized."""
    for name, function in zip(_METHODS, (_save_pretrained, _resize_token_embeddings), strict=True):
        setattr(model, name, ModelMethod(function, model))
    layers: tuple[nn.Module, ...] = split_layers(model)
    for layer, rows in zip(layers, (EMBEDDING_ROWS, HEAD_ROWS), strict=True):
        # A partial function of a module: copies and pickles of the model keep it
        layer.register_load_state_dict_pre_hook(partial(_split_rows, rows))


def remove_checkpoint_methods(model: PreTrainedModel) -> None:
    """Give a merged model the methods of its class again."""
    for name in _METHODS:
        delattr(model, name)


def plain_state_dict(model: PreTrainedModel, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Join the splits of a state dictionary under the names that the unsplit model has.

    A tied weight is in the new dictionary once, as the input embeddings'.

    Raises:
        UnsupportedModelError: If the split layers have weights beside their rows.
    """
    paths = LayerPaths.of(model)
    splits = split_layers(model)[1].split_ranges
    state, joined = dict(state), {}
    tied = is_tied(model)
    for path, rows in ((paths.head, HEAD_ROWS), (paths.embeddings, EMBEDDING_ROWS)):
        for leaf in LEAVES:
            names = [f"{path}.{rows}.{split}.{leaf}" for split in splits]
            parts = [state.pop(name) for name in names if name in state]
            if parts and not (tied and path == paths.head and leaf == "weight"):
                joined[f"{path}.{leaf}"] = torch.cat(parts)
        odd = [name for name in state if name.startswith(f"{path}.{rows}.")]
        if odd:
            raise UnsupportedModelError(
                f"A checkpoint of this {type(model).__name__} would lack what {', '.join(odd)} add "
                f"to its vocabulary. Save the adapters instead (PEFT's model does), or merge them "
                f"first (PEFT: `merge_and_unload()`)."
            )
    return state | joined


def is_tied(model: PreTrainedModel) -> bool:
    """Whether input and output embeddings of a split model share the rows of every split."""
    embeddings, head = split_layers(model)
    return all(map(operator.is_, embeddings.weights, head.weights))


def _save_pretrained(
    self: PreTrainedModel,
    save_directory: str | os.PathLike[str],
    is_main_process: bool = True,
    state_dict: dict[str, Tensor] | None = None,
    **options: Any,
) -> None:
    """Save as ``PreTrainedModel.save_pretrained``, under the names of the unsplit model."""
    state = plain_state_dict(self, self.state_dict() if state_dict is None else state_dict)
    type(self).save_pretrained(self, save_directory, is_main_process, state, **options)


def _resize_token_embeddings(self: PreTrainedModel, *_: Any, **__: Any) -> NoReturn:
    """Refuse: the global ids of the splits would move (`UnsupportedModelError`)."""
    splits = ", ".join(split_layers(self)[1].split_ranges)
    raise UnsupportedModelError(
        f"The vocabulary of this {type(self).__name__} is split ({splits}) and cannot be resized; "
        f"call `merge_unembedding(model)` first."
    )


def _split_rows(
    rows: str, module: nn.Module, state: dict[str, Tensor], prefix: str, *more: Any
) -> None:
    """Rename the plain weight of a checkpoint that is about to be loaded; views, no copies."""
    problems: list[str] = more[-1]
    layers = cast(nn.ModuleDict, module.get_submodule(rows))
    for leaf in LEAVES:
        if (joined := state.pop(f"{prefix}{leaf}", None)) is None:
            continue
        parts = {
            f"{prefix}{rows}.{split}.{leaf}": layers.get_parameter(f"{split}.{leaf}")
            for split in layers
        }
        sizes = [len(part) for part in parts.values()]
        if len(joined) == sum(sizes):
            state.update(zip(parts, joined.split(sizes), strict=True))
        else:
            problems.append(
                f"{prefix}{leaf} of the checkpoint has {len(joined)} rows, the splits of the model "
                f"have {sizes}; split the model as it was split when the checkpoint was written."
            )
