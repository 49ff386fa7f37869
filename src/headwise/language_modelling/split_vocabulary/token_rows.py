"""Rows of a weight that stand for tokens: how many, taken apart, begun anew, joined again."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import assert_never, cast

import torch
from torch import Tensor, nn

from headwise.errors import UnsupportedModelError
from headwise.heads.checks import whole_number

BASE = "base"
"""The split of the rows that a model had before it was split."""


class NewRows(StrEnum):
    """How the rows of new tokens begin, for each coordinate by itself."""

    MEAN = "mean"
    """The mean of the base rows: the softmax's sum grows by a factor of at most 1 + V_new / V."""

    NORMAL = "normal"
    """Drawn from a normal distribution with mean and standard deviation of the base rows."""


def split_sizes(
    embeddings: nn.Embedding,
    head: nn.Linear,
    *,
    new_tokens: int | Mapping[str, int],
    base_size: int | None,
) -> dict[str, int]:
    """Check what `split_unembedding` was asked for; rows of every split, ``base`` first.

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


def split_rows(rows: Tensor, sizes: Mapping[str, int], start: NewRows) -> dict[str, nn.Parameter]:
    """Give every split its rows; the base's are the old ones themselves unless some are dropped."""
    base = cast(nn.Parameter, rows)
    if len(rows) != sizes[BASE]:
        kept = rows.detach()[: sizes[BASE]].clone()
        base = nn.Parameter(kept, requires_grad=rows.requires_grad)
    return {
        split: base if split == BASE else nn.Parameter(_new_rows(base.detach(), size, start))
        for split, size in sizes.items()
    }


def _new_rows(base: Tensor, count: int, start: NewRows) -> Tensor:
    """Make rows ``(count, H)``, or ``(count,)`` of a bias, in the dtype of the others."""
    # In half precision, the sum over a whole vocabulary would lose most of its digits
    wide = torch.promote_types(base.dtype, torch.float32)
    mean = base.mean(dim=0, dtype=wide).expand(count, *base.shape[1:])
    match start:
        case NewRows.MEAN:
            return mean.to(base.dtype, copy=True, memory_format=torch.contiguous_format)
        case NewRows.NORMAL:
            deviation = base.std(dim=0, correction=0).to(wide)
            return (mean + deviation * torch.randn_like(mean)).to(base.dtype)
        case _:
            assert_never(start)


def join_rows(parts: Sequence[Tensor]) -> nn.Parameter:
    """Copy the rows of all splits into one weight, which is trained if a split of it is."""
    joined = torch.cat([part.detach() for part in parts])
    return nn.Parameter(joined, requires_grad=any(part.requires_grad for part in parts))
