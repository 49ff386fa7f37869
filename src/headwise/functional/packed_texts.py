"""Token vectors of texts laid one after another, without padding."""

import torch
from torch import Tensor


def packed_starts(lengths: Tensor) -> Tensor:
    """First row of each text, ``(n,)``, int64, from the number of its tokens, ``(n,)``."""
    return lengths.cumsum(0) - lengths


def packed_rows(starts: Tensor, lengths: Tensor) -> Tensor:
    """Rows of n texts, text after text, ``(S,)``, int64.

    Args:
        starts: First row of each, ``(n,)``, int64; a text may come again.
        lengths: Number of its rows, ``(n,)``, int64.
    """
    shift = starts - packed_starts(lengths)
    return torch.arange(int(lengths.sum()), device=starts.device) + shift.repeat_interleave(lengths)


def padded(packed: Tensor, starts: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Lay n texts side by side, each filled up to the longest.

    Args:
        packed: Vectors of texts one after another, ``(S, D)``.
        starts: First row of each text, ``(n,)``, int64; a text may come again.
        lengths: Number of its rows, ``(n,)``, int64, at least 1.

    Returns:
        Vectors, ``(n, T, D)``, which hold anything finite at padding, and which are real,
        ``(n, T)``, bool.
    """
    places = torch.arange(int(lengths.max()), device=packed.device)
    real = places < lengths.unsqueeze(1)
    # What stands at padding is some other token's
    rows = (starts.unsqueeze(1) + places).clamp(max=len(packed) - 1)
    return packed[rows], real


def packed_mean_and_max(packed: Tensor, lengths: Tensor) -> Tensor:
    """Mean and maximum of each text's vectors by coordinate, side by side.

    Args:
        packed: Vectors of n texts one after another, ``(S, D)``.
        lengths: Number of rows of each, ``(n,)``, int64, at least 1.

    Returns:
        ``(n, 2D)``.
    """
    count, size = len(lengths), packed.shape[1]
    owner = torch.arange(count, device=packed.device).repeat_interleave(lengths)
    total = packed.new_zeros(count, size).index_add(0, owner, packed)
    highest = packed.new_zeros(count, size).scatter_reduce(
        0, owner.unsqueeze(1).expand_as(packed), packed, "amax", include_self=False
    )
    return torch.cat([total / lengths.unsqueeze(1), highest], dim=-1)
