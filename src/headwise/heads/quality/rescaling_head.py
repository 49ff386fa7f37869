"""Heads that rescale logits by two scalars: those of the language model, or new ones."""

from typing import Protocol

import torch
from torch import Tensor, nn

from headwise.choices import ONLY_LAST
from headwise.heads.quality.sigmoid_head import LinearLogits, SigmoidHead, at_positions


class TokenLogits(Protocol):
    """The frozen language model's logits, of the whole vocabulary or of chosen tokens."""

    def __call__(self, hidden: Tensor) -> Tensor:
        """``(..., H)`` to ``(..., V)``."""
        ...

    def gathered(self, hidden: Tensor, token_ids: Tensor) -> Tensor:
        """``(N, H)`` and ``(N, K)`` to ``(N, K)``."""
        ...


class RescalingHead(nn.Module):
    """The language model's own logits behind a sigmoid, ``s = sigmoid(a * logit_v + b)``.

    Args:
        unembedding: The frozen language model's output layer; not a part of the head.

    Attributes:
        scale: a, a scalar, 1 at the start.
        bias: b, a scalar, 0 at the start.

    References:
        Dinh & Niehues 2026, arXiv 2601.00680 (rescaling variant).
    """

    head_type = "rescaling_head"
    layers: tuple[int, ...] = ONLY_LAST

    def __init__(self, *, unembedding: TokenLogits) -> None:
        super().__init__()
        self._unembedding = unembedding
        self.scale = nn.Parameter(torch.ones(()))
        self.bias = nn.Parameter(torch.zeros(()))

    def reset_parameters(self) -> None:
        """Reset to the language model's own logits."""
        nn.init.ones_(self.scale)
        nn.init.zeros_(self.bias)

    def logits(self, hidden: Tensor, token_ids: Tensor | None = None) -> Tensor:
        """Scores before the sigmoid; see :meth:`SigmoidHead.score`."""
        if token_ids is None:
            raw = self._unembedding(hidden)
        else:
            raw = at_positions(self._unembedding.gathered, hidden, token_ids)
        return self.scale * raw.float() + self.bias

    def score(self, hidden: Tensor, token_ids: Tensor | None = None) -> Tensor:
        """Score tokens; shapes and range as in :meth:`SigmoidHead.score`."""
        return torch.sigmoid(self.logits(hidden, token_ids))


class RescaledSigmoidHead(SigmoidHead):
    """A new unembedding and the rescaling together, ``s = sigmoid(a * (h_t . w_v) + b)``.

    References:
        Dinh & Niehues 2026, arXiv 2601.00680 (both variants together).
    """

    head_type = "rescaled_unembedding_head"

    def __init__(self, *, vocabulary_size: int, hidden_size: int) -> None:
        super().__init__(vocabulary_size=vocabulary_size, hidden_size=hidden_size)
        self.scale = nn.Parameter(torch.ones(()))
        self.bias = nn.Parameter(torch.zeros(()))

    def reset_parameters(self) -> None:
        """Reset the weight as :class:`SigmoidHead` does, and the rescaling to none."""
        super().reset_parameters()
        nn.init.ones_(self.scale)
        nn.init.zeros_(self.bias)

    def linear(self, hidden: Tensor) -> LinearLogits:
        """The scale is the hidden states'; see :meth:`SigmoidHead.linear`."""
        bias = self.bias.expand(hidden.shape[:-1])
        return LinearLogits(self.scale * hidden.float(), self.weight, bias)
