"""How many rows every split of a vocabulary gets, as it was asked for."""

from collections.abc import Mapping

from torch import nn

from headwise.errors import UnsupportedModelError
from headwise.heads.checks import whole_number
from headwise.language_modelling.split_vocabulary.token_rows import BASE


def split_sizes(
    embeddings: nn.Embedding,
    head: nn.Linear,
    *,
    new_tokens: int | Mapping[str, int],
    base_size: int | None,
) -> dict[str, int]:
    """Check what was asked for, and give every split its number of rows, ``base`` first.

    Args:
        embeddings: The input embeddings of the model.
        head: Its output layer.
        new_tokens: Number of new tokens, of one split ``new`` or by split.
        base_size: How many of the old rows are kept; ``None`` for all.

    Raises:
        UnsupportedModelError: If the layers have different numbers of rows and none was asked for.
        ValueError: If a size is no whole number or out of range, or a new split is named as the
            old rows.
    """
    if isinstance(new_tokens, Mapping):
        new = {n: whole_number(f"new_tokens[{n!r}]", size) for n, size in new_tokens.items()}
    else:
        new = {"new": whole_number("new_tokens", new_tokens)}
    if not new:
        raise ValueError(f"`new_tokens` must have at least one split, got {new_tokens}.")
    if BASE in new:
        raise ValueError(f"`new_tokens` must not name a split {BASE!r}: those are the old rows.")
    return {BASE: _base_size(embeddings, head, base_size)} | new


def _base_size(embeddings: nn.Embedding, head: nn.Linear, asked: int | None) -> int:
    rows, head_rows = len(embeddings.weight), len(head.weight)
    if asked is None and rows != head_rows:
        raise UnsupportedModelError(
            f"The model has {rows} input and {head_rows} output embeddings; pass `base_size`, how "
            f"many of both are tokens."
        )
    size = rows if asked is None else whole_number("base_size", asked)
    if size > min(rows, head_rows):
        raise ValueError(
            f"`base_size` must be at most {min(rows, head_rows)}, the rows that the model has, "
            f"got {size}."
        )
    padding = embeddings.padding_idx
    if padding is not None and padding >= size:
        raise ValueError(
            f"`base_size` of {size} would drop the padding token, whose id is {padding}; "
            f"pass at least {padding + 1}."
        )
    return size
