"""Sizes of a Sigmoid Head, read off its weights."""

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from headwise.heads.biased_head import ContextualSigmoidHead
from headwise.heads.head_files import WEIGHTS_FILE, matrix
from headwise.heads.rescaling_head import RescalingHead


@dataclass(frozen=True, slots=True)
class StoredSizes:
    """Sizes of a head; 0 for what it has not.

    Attributes:
        vocabulary_size: V.
        hidden_size: H.
        context_size: Inner width of a contextual bias.
    """

    vocabulary_size: int = 0
    hidden_size: int = 0
    context_size: int = 0


def read_sizes(tensors: dict[str, Tensor], head_type: str, folder: Path) -> StoredSizes:
    """Read the sizes of a head.

    Args:
        tensors: Its weights.
        head_type: One of :data:`headwise.heads.HEAD_TYPES`.
        folder: Where they come from, for the message.

    Raises:
        WeightsError: If a matrix that tells a size is missing.
    """
    if head_type == RescalingHead.head_type:
        return StoredSizes()
    path = folder / WEIGHTS_FILE
    vocabulary_size, hidden_size = matrix(tensors, "weight", path).shape
    if head_type != ContextualSigmoidHead.head_type:
        return StoredSizes(vocabulary_size, hidden_size)
    context_size = matrix(tensors, "context.0.weight", path).shape[0]
    return StoredSizes(vocabulary_size, hidden_size, context_size)
