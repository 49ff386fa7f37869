"""Losses over a whole vocabulary whose logits are never held all at once."""

from headwise.functional.losses.backends import LossBackend
from headwise.functional.losses.counted_positions import LM_IGNORE_INDEX
from headwise.functional.losses.linear_cross_entropy import (
    LinearCrossEntropyOutput,
    linear_cross_entropy,
)
from headwise.functional.losses.linear_sigmoid_cross_entropy import linear_sigmoid_cross_entropy

__all__ = [
    "LM_IGNORE_INDEX",
    "LinearCrossEntropyOutput",
    "LossBackend",
    "linear_cross_entropy",
    "linear_sigmoid_cross_entropy",
]
