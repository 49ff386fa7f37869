"""New tokens of a Transformers model in splits of their own, beside the old rows; and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import torch
from torch import nn
from transformers import PreTrainedModel

from headwise.errors import UnsupportedModelError
from headwise.heads import SplitLanguageModellingHead, SplitTokenEmbeddings
from headwise.training.language_modelling.split_checkpoints import (
    EMBEDDING_ROWS,
    HEAD_ROWS,
    add_checkpoint_methods,
    is_tied,
    remove_checkpoint_methods,
)
from headwise.training.language_modelling.token_rows import (
    BASE,
    NewRows,
    join_rows,
    split_rows,
)
from headwise.training.language_modelling.vocabulary_layers import (
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
class UnsplitTies:
    """What a model class says about shared weights, in the names of the unsplit layers."""

    declared: dict[str, str] | None
    expanded: dict[str, str]


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
    sizes = _sizes(old_embeddings, old_head, new_tokens, base_size)
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
            table.padding_idx = None
        embeddings.token_embedding[split] = table
        head.lm_head[split].weight = head_rows[split]
        head.lm_head[split].bias = None if biases is None else biases[split]
    if tied:
        head.tie_to(embeddings)
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
        UnsupportedModelError: If the model is not split.
    """
    ties = getattr(model, "_headwise_ties", None)
    if not isinstance(ties, UnsplitTies):
        raise UnsupportedModelError(
            f"This {type(model).__name__} is not split; `split_unembedding(model, ...)` does so."
        )
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
    cast(Any, model)._tied_weights_keys = ties.declared
    model.all_tied_weights_keys = ties.expanded
    del model._headwise_ties
    remove_checkpoint_methods(model)
    _set_vocabulary_size(model, len(rows))
    return model


def _sizes(
    embeddings: nn.Embedding,
    head: nn.Linear,
    new_tokens: int | Mapping[str, int],
    base_size: int | None,
) -> dict[str, int]:
    """Check what was asked for, and give every split its number of rows, ``base`` first."""
    rows, head_rows = len(embeddings.weight), len(head.weight)
    if base_size is None and rows != head_rows:
        raise UnsupportedModelError(
            f"The model has {rows} input and {head_rows} output embeddings; pass `base_size`, how "
            f"many of both are tokens."
        )
    base_size = rows if base_size is None else base_size
    if not 1 <= base_size <= min(rows, head_rows):
        raise ValueError(
            f"`base_size` must lie in [1, {min(rows, head_rows)}], the rows that the model has; "
            f"got {base_size}."
        )
    padding = embeddings.padding_idx
    if padding is not None and padding >= base_size:
        raise ValueError(
            f"`base_size` of {base_size} would drop the padding token, whose id is {padding}; "
            f"pass at least {padding + 1}."
        )
    new = {"new": new_tokens} if isinstance(new_tokens, int) else dict(new_tokens)
    if not new or any(size < 1 for size in new.values()):
        raise ValueError(f"`new_tokens` must be at least 1 in every split, got {new_tokens}.")
    if BASE in new:
        raise ValueError(f"`new_tokens` must not name a split {BASE!r}: those are the old rows.")
    return {BASE: base_size} | new


def _declare_split_ties(model: PreTrainedModel, paths: LayerPaths, *, tied: bool) -> None:
    """Name the tied weights of every split to Transformers, in place of the unsplit ones."""
    declared, expanded = model._tied_weights_keys, model.all_tied_weights_keys
    cast(Any, model)._headwise_ties = UnsplitTies(declared=declared, expanded=expanded)
    head = model.get_output_embeddings()
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


def _set_vocabulary_size(model: PreTrainedModel, size: int) -> None:
    """Tell configuration and models, whose loss reads it, how many tokens there are."""
    config = model.config.get_text_config(decoder=True)
    before, config.vocab_size = config.vocab_size, size
    for module in model.modules():
        if isinstance(module, PreTrainedModel) and getattr(module, "vocab_size", None) == before:
            module.vocab_size = size
