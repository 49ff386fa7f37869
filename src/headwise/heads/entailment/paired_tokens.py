"""What an NLI head reads of pairs: pooled vectors, and the tokens of both texts."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class PairedTokens:
    """Token vectors of M texts, and n pairs of these texts as numbers.

    Attributes:
        vectors: Of all tokens, text after text, ``(S, W)``, floating point.
        lengths: Number of tokens of each text, ``(M,)``, int64, at least 1.
        premises: Number of each pair's premise among the texts, ``(n,)``, int64.
        hypotheses: Number of its hypothesis, ``(n,)``, int64.
    """

    vectors: Tensor
    lengths: Tensor
    premises: Tensor
    hypotheses: Tensor

    def to(self, device: torch.device) -> Self:
        """The same on another device.

        Args:
            device: Where its tensors go.
        """
        parts = (self.vectors, self.lengths, self.premises, self.hypotheses)
        return type(self)(*(part.to(device) for part in parts))


@dataclass(frozen=True, slots=True)
class InferenceInputs:
    """What an NLI head reads of n pairs.

    Attributes:
        pooled: Features from pooled vectors, ``(n, P)``, float32.
        tokens: The texts' tokens, if the head compares them.
    """

    pooled: Tensor
    tokens: PairedTokens | None = None

    def __len__(self) -> int:
        return len(self.pooled)

    def to(self, device: torch.device) -> Self:
        """The same on another device.

        Args:
            device: Where its tensors go.
        """
        tokens = None if self.tokens is None else self.tokens.to(device)
        return type(self)(self.pooled.to(device), tokens)
