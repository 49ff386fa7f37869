"""New tokens of a Transformers model in splits of their own, beside the old rows; and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import torch
from torch import nn
from torch.nn.utils.parametrize import type_before_parametrizations
from transformers import PreTrainedModel

from headwise.errors import UnsupportedModelError
from headwise.heads import SplitLanguageModellingHead, SplitTokenEmbeddings
from headwise.language_modelling.split_vocabulary.split_checkpoints import (
    EMBEDDING_ROWS,
    HEAD_ROWS,
    add_checkpoint_methods,
    is_tied,
    remove_checkpoint_methods,
)
from headwise.language_modelling.split_vocabulary.token_rows import (
    BASE,
    NewRows,
    join_rows,
    split_rows,
    split_sizes,
)
from headwise.language_modelling.split_vocabulary.vocabulary_layers import (
    LayerPaths,
    linear_of,
    split_layers,
    table_like,
    vocabulary_layers,
)

AnyModel = TypeVar("AnyModel", bound=PreTrainedModel)


@dataclass(frozen=True, slots=True)
class SplitVocabulary:
    """The split layers of a model.

    Attributes:
        embeddings: The model's input embeddings, the module itself.
        head: The model's output layer, the module itself.
        ranges: The token ids of every split, ``base`` first.
    """

    embeddings: SplitTokenEmbeddings
    head: SplitLanguageModellingHead
    ranges: Mapping[str, range]

    def freeze_base(self) -> None:
        """Stop training the old rows, so that no gradient of theirs is computed."""
        self.embeddings.freeze(BASE)
        self.head.freeze(BASE)


@dataclass(frozen=True, slots=True)
class Unsplit:
    """What merging gives back to a model, and what it needs to know of the split layers.

    Attributes:
        declared: What the class says about shared weights, in the names of the unsplit layers.
        expanded: The same, parameter by parameter.
        left_out: Names that its checkpoints lack.
        table: The type of every split's embeddings.
        linear: The type of every split's output layer.
    """

    declared: dict[str, str] | None
    expanded: dict[str, str]
    left_out: set[str] | list[str] | None
    table: type[nn.Module]
    linear: type[nn.Module]


def split_unembedding(
    model: PreTrainedModel,
    *,
    new_tokens: int | Mapping[str, int],
    base_size: int | None = None,
    initialise: NewRows | str = NewRows.MEAN,
) -> SplitVocabulary:
    """Put the tokens of a model into splits, in place: the old rows, then new ones.

    The old rows are the split ``base`` and stay the tensors they were, with their
    ``requires_grad``; new rows have their dtype and device and are trained. Tied embeddings stay
    tied, split by split. The model works as before, with more tokens; ``save_pretrained`` and the
    checkpoints of ``Trainer`` are written as if it were merged, and a Trainer resumes from them.

    Many checkpoints have more rows than their tokeniser has tokens. A tokeniser numbers added
    tokens from its own length, so that the first of them would meet these padding rows, not the
    new split: pass ``base_size=len(tokenizer)``, read before tokens are added, to drop them.

    Args:
        model: A causal language model, its input and output embeddings tied or not.
        new_tokens: Number of new tokens of each new split, in the order of their ids; one number
            stands for ``{"new": number}``. At least 1 each.
        base_size: How many old rows are tokens; those after them are dropped, which copies the
            others. By default no row is dropped.
        initialise: How new rows begin (and entries of the bias). Rows of ``mean`` are all equal
            until they are trained; those of ``normal`` come from PyTorch's global generator.

    Returns:
        The split layers, which are part of the model now.

    Raises:
        UnsupportedModelError: If the embeddings cannot be split.
        ValueError: If a size, the name of a split or ``initialise`` is not allowed.

    References:
        Hewitt 2021, Initializing New Word Embeddings for Pretrained Language Models.
    """
    if initialise not in list(NewRows):
        allowed = ", ".join(NewRows)
        raise ValueError(f"`initialise` must be one of {allowed}; got {initialise!r}.")
    start = NewRows(initialise)
    old_embeddings, old_head = vocabulary_layers(model)
    sizes = split_sizes(old_embeddings, old_head, new_tokens=new_tokens, base_size=base_size)
    tied = old_embeddings.weight is old_head.weight

    rows = split_rows(old_embeddings.weight, sizes, start)
    head_rows = rows if tied else split_rows(old_head.weight, sizes, start)
    biases = None if old_head.bias is None else split_rows(old_head.bias, sizes, start)

    with torch.device("meta"):  # the tables are put in below
        shape: dict[str, Any] = {
            "split_vocab_size": sizes,
            "split_order": tuple(sizes),
            "hidden_size": old_embeddings.embedding_dim,
        }
        embeddings = SplitTokenEmbeddings(**shape)
        head = SplitLanguageModellingHead(**shape, bias=biases is not None)
    for split in sizes:
        table = table_like(old_embeddings, rows[split])
        if split != BASE:
            table.padding_idx = None  # padding is an old token
        embeddings.token_embedding[split] = table
        head.lm_head[split].weight = head_rows[split]
        head.lm_head[split].bias = None if biases is None else biases[split]
    if tied:
        head.tie_to(embeddings)
    # Modules are built in training mode
    embeddings.train(old_embeddings.training)
    head.train(old_head.training)

    paths = LayerPaths.of(model)
    model.set_submodule(paths.embeddings, embeddings)
    model.set_submodule(paths.head, head)
    _declare_split_ties(model, paths, tied=tied)
    _set_vocabulary_size(model, sum(sizes.values()))
    add_checkpoint_methods(model)
    return SplitVocabulary(embeddings=embeddings, head=head, ranges=dict(head.split_ranges))


def merge_unembedding(model: AnyModel) -> AnyModel:
    """Make the split layers of a model plain ones again, in place, with all their rows.

    Every row is copied once. The merged weight is trained if a split of it was.

    Args:
        model: A model that :func:`split_unembedding` has split.

    Returns:
        The model, which Transformers alone can save and load.

    Raises:
        UnsupportedModelError: If the model is not split, or if adapters or others have replaced
            its split layers: their rows alone would lack what was trained.
    """
    unsplit = getattr(model, "_headwise_unsplit", None)
    if not isinstance(unsplit, Unsplit):
        raise UnsupportedModelError(
            f"This {type(model).__name__} is not split; `split_unembedding(model, ...)` does so."
        )
    _refuse_replaced_layers(model, unsplit)
    paths, tied = LayerPaths.of(model), is_tied(model)
    tables = [cast(nn.Embedding, t) for t in split_layers(model)[0].token_embedding.values()]
    linears = [cast(nn.Linear, layer) for layer in split_layers(model)[1].lm_head.values()]
    rows = join_rows([table.weight for table in tables])
    head_rows = rows if tied else join_rows([linear.weight for linear in linears])
    bias = None if linears[0].bias is None else join_rows([linear.bias for linear in linears])
    embeddings, output = table_like(tables[0], rows), linear_of(head_rows, bias)
    output.train(linears[0].training)

    model.set_submodule(paths.embeddings, embeddings)
    model.set_submodule(paths.head, output)
    cast(Any, model)._tied_weights_keys = unsplit.declared
    model.all_tied_weights_keys = unsplit.expanded
    model._keys_to_ignore_on_save = unsplit.left_out
    del model._headwise_unsplit
    remove_checkpoint_methods(model)
    _set_vocabulary_size(model, len(rows))
    return model


def _refuse_replaced_layers(model: PreTrainedModel, unsplit: Unsplit) -> None:
    embeddings, head = model.get_input_embeddings(), model.get_output_embeddings()
    odd: list[nn.Module] = [
        layer
        for layer, kind in ((embeddings, SplitTokenEmbeddings), (head, SplitLanguageModellingHead))
        if not isinstance(layer, kind)
    ]
    if not odd:
        rows, outputs = split_layers(model)
        parts = ((unsplit.table, rows.token_embedding), (unsplit.linear, outputs.lm_head))
        # The weight of a parametrised layer is all there is of it; that of LoRA's layers is not
        odd = [
            layer
            for kind, layers in parts
            for layer in layers.values()
            if type_before_parametrizations(layer) is not kind
        ]
    if odd:
        kind = type(odd[0])
        raise UnsupportedModelError(
            f"The vocabulary of this {type(model).__name__} cannot be merged: one of its layers is "
            f"{kind.__module__}.{kind.__name__}, whose rows are not all it computes. With PEFT, "
            f"call `merge_and_unload()` first, and merge the model that it returns."
        )


def _declare_split_ties(model: PreTrainedModel, paths: LayerPaths, *, tied: bool) -> None:
    """Name the tied weights of every split to Transformers, in place of the unsplit ones."""
    declared, expanded = model._tied_weights_keys, model.all_tied_weights_keys
    left_out = model._keys_to_ignore_on_save
    embeddings, head = split_layers(model)
    cast(Any, model)._headwise_unsplit = Unsplit(
        declared=declared,
        expanded=expanded,
        left_out=left_out,
        table=type(embeddings.token_embedding[BASE]),
        linear=type(head.lm_head[BASE]),
    )
    ties = {
        f"{paths.head}.{HEAD_ROWS}.{split}.weight": (
            f"{paths.embeddings}.{EMBEDDING_ROWS}.{split}.weight"
        )
        for split in head.split_ranges
        if tied
    }
    unsplit = f"{paths.head}.weight"
    model._tied_weights_keys, model.all_tied_weights_keys = (
        {target: source for target, source in (old or {}).items() if target != unsplit} | ties
        for old in (declared, expanded)
    )
    if tied:
        # A Trainer that resumes ties these again instead of warning that they are missing
        model._keys_to_ignore_on_save = {*(left_out or ()), *ties}


def _set_vocabulary_size(model: PreTrainedModel, size: int) -> None:
    """Tell configuration and models, whose loss reads it, how many tokens there are."""
    config = model.config.get_text_config(decoder=True)
    before, config.vocab_size = config.vocab_size, size
    for module in model.modules():
        if isinstance(module, PreTrainedModel) and getattr(module, "vocab_size", None) == before:
            module.vocab_size = size
