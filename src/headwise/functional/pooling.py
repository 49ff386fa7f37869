"""One vector a text out of the vectors of its tokens."""

from enum import StrEnum
from typing import assert_never

import torch
from torch import Tensor


class Pooling(StrEnum):
    """How token vectors become one vector; names and meanings of sentence-transformers."""

    CLS = "cls"
    """The first real token."""
    MEAN = "mean"
    """The mean of the real tokens."""
    MAX = "max"
    """The largest value of the real tokens, coordinate by coordinate."""
    MEAN_SQRT_LENGTH = "mean_sqrt_len"
    """The sum of the real tokens over the square root of their number."""
    WEIGHTED_MEAN = "weightedmean"
    """The mean of the real tokens weighted 1, 2, 3, ... from the first on."""
    LAST = "lasttoken"
    """The last real token."""


def pool(hidden: Tensor, mask: Tensor, how: Pooling) -> Tensor:
    """Pool the token vectors of each text.

    Padding may stand before or after the real tokens and may hold anything, NaN included.

    Args:
        hidden: Token vectors, ``(B, T, H)``, floating point.
        mask: 1 or true for real tokens, ``(B, T)``.
        how: The way of pooling.

    Returns:
        ``(B, H)``, float32; zeros for a text without a real token.

    Raises:
        ValueError: If the shapes do not fit.

    References:
        Reimers & Gurevych 2019, arXiv 1908.10084, section 3 (first token, mean, maximum);
        Muennighoff 2022, arXiv 2202.08904 (weighted mean, last token).
    """
    if hidden.ndim != 3 or mask.shape != hidden.shape[:2]:
        raise ValueError(
            f"`hidden` must be (B, T, H) and `mask` (B, T), got {tuple(hidden.shape)} and "
            f"{tuple(mask.shape)}."
        )
    real = mask.bool()
    if how is Pooling.MAX:
        lowest = hidden.float().masked_fill(~real.unsqueeze(-1), -torch.inf)
        # `amax` refuses to look for the largest of nothing, where the sum is 0
        found = lowest.amax(dim=1) if hidden.shape[1] else lowest.sum(dim=1)
        return found.masked_fill(~real.any(dim=1, keepdim=True), 0.0)
    weights = _weights(real, how).unsqueeze(1)  # (B, 1, T)
    # Filled with zeros first: a weight of 0 does not silence NaN
    values = hidden.float().masked_fill(~real.unsqueeze(-1), 0.0)
    return torch.bmm(weights, values).squeeze(1)


def _weights(real: Tensor, how: Pooling) -> Tensor:
    """The weight of every token in its text's vector, ``(B, T)``, float32."""
    ones = real.float()
    # A text without a real token gets zeros, and no division by 0
    count = ones.sum(dim=1, keepdim=True).clamp(min=1.0)
    match how:
        case Pooling.CLS:
            return ones * (ones.cumsum(dim=1) == 1)
        case Pooling.LAST:
            return ones * (ones.flip(1).cumsum(dim=1).flip(1) == 1)
        case Pooling.MEAN:
            return ones / count
        case Pooling.MEAN_SQRT_LENGTH:
            return ones / count.sqrt()
        case Pooling.WEIGHTED_MEAN:
            place = ones * ones.cumsum(dim=1)
            return place / place.sum(dim=1, keepdim=True).clamp(min=1.0)
        case Pooling.MAX:
            raise AssertionError("The maximum is no weighted sum.")
    assert_never(how)
