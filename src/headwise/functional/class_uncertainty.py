"""How uncertain a classifier is, read off its logits alone."""

import math
from enum import StrEnum
from typing import assert_never

import torch
from torch import Tensor


class Uncertainty(StrEnum):
    """What to read off the probabilities of the classes."""

    MAX_PROBABILITY = "max_probability"
    """One minus the largest probability."""
    ENTROPY = "entropy"
    """The entropy over its largest possible value."""
    MARGIN = "margin"
    """One minus the distance between the two largest probabilities."""


def class_uncertainty(logits: Tensor, how: Uncertainty) -> Tensor:
    """Uncertainty about the class, 0 where one class has all the probability.

    Args:
        logits: ``(..., C)``, floating point, C at least 2; minus infinity rules a class out.
        how: What to read off the probabilities.

    Returns:
        ``(...)``, float32, in [0, 1]; the largest probability cannot be less than 1/C, so that
        its uncertainty stays within ``1 - 1/C``.

    Raises:
        ValueError: If there are fewer than two classes.

    References:
        Hendrycks & Gimpel 2017, arXiv 1610.02136 (largest probability);
        Settles 2009, Active Learning Literature Survey, section 3.1 (entropy, margin).
    """
    if logits.ndim < 1 or logits.shape[-1] < 2:
        raise ValueError(
            f"`logits` must be (..., C) with at least 2 classes, got {tuple(logits.shape)}."
        )
    probabilities = torch.softmax(logits.float(), dim=-1)
    match how:
        case Uncertainty.MAX_PROBABILITY:
            found = 1.0 - probabilities.amax(dim=-1)
        case Uncertainty.ENTROPY:
            # entr, and not p * log p: a probability of 0 adds nothing
            found = torch.special.entr(probabilities).sum(dim=-1) / math.log(logits.shape[-1])
        case Uncertainty.MARGIN:
            first, second = probabilities.topk(2, dim=-1).values.unbind(dim=-1)
            found = 1.0 - (first - second)
        case _:
            assert_never(how)
    # Rounding may step outside
    return found.clamp(0.0, 1.0)
