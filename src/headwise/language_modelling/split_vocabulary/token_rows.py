"""Rows of a weight that stand for tokens: taken apart, begun anew, joined again."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import assert_never, cast

import torch
from torch import Tensor, nn

BASE = "base"
"""The split of the rows that a model had before it was split."""


class NewRows(StrEnum):
    """How the rows of new tokens begin, for each coordinate by itself."""

    MEAN = "mean"
    """The mean of the base rows: the softmax's sum grows by a factor of at most 1 + V_new / V."""

    NORMAL = "normal"
    """Drawn from a normal distribution with mean and standard deviation of the base rows."""


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
    """Make rows for new tokens, in the dtype of the others.

    Args:
        base: ``(V, H)``, or ``(V,)`` of a bias.
        count: V', the number of new tokens.
        start: How they begin.

    Returns:
        ``(V', H)``, or ``(V',)``.
    """
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
