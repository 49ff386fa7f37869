"""Sigmoid Heads with a bias: one number for all positions, or one that each position decides."""

import torch
from torch import Tensor, nn

from headwise.heads.checks import reset_layers
from headwise.heads.quality.sigmoid_head import LinearLogits, SigmoidHead


class PositionBias(nn.Sequential):
    """A number that each position decides, g: hidden states ``(..., H)`` to ``(..., 1)``.

    It is 0 everywhere at the start.

    Args:
        hidden_size: H.
        context_size: Inner width of g.
    """

    def __init__(self, hidden_size: int, context_size: int) -> None:
        super().__init__(
            nn.Linear(hidden_size, context_size), nn.GELU(), nn.Linear(context_size, 1)
        )
        self._reset_output()

    def reset_parameters(self) -> None:
        """Draw the first layer anew, and reset g to 0 everywhere."""
        reset_layers(self)
        self._reset_output()

    def _reset_output(self) -> None:
        # Only the last layer: with both at zero, g would stay the same for all positions
        for parameter in self[-1].parameters():
            nn.init.zeros_(parameter)


class BiasedSigmoidHead(SigmoidHead):
    """A new unembedding and one threshold for all tokens, ``s = sigmoid(h_t . w_v + b)``.

    Most tokens are wrong at most positions. Without b, each row of the unembedding has to learn
    that on its own, rare tokens' rows from very few examples.

    This head is not one of the paper's.

    Attributes:
        bias: b, a scalar, 0 at the start.
    """

    head_type = "biased_unembedding_head"

    def __init__(self, *, vocabulary_size: int, hidden_size: int) -> None:
        super().__init__(vocabulary_size=vocabulary_size, hidden_size=hidden_size)
        self.bias = nn.Parameter(torch.zeros(()))

    def reset_parameters(self) -> None:
        """Reset the weight as :class:`SigmoidHead` does, and the bias to 0."""
        super().reset_parameters()
        nn.init.zeros_(self.bias)

    def linear(self, hidden: Tensor) -> LinearLogits:
        """Every position has the same bias; see :meth:`SigmoidHead.linear`."""
        return LinearLogits(hidden.float(), self.weight, self.bias.expand(hidden.shape[:-1]))


class ContextualSigmoidHead(SigmoidHead):
    """A new unembedding and a threshold for each position, ``s = sigmoid(h_t . w_v + g(h_t))``.

    How large a logit must be for its token to be right depends on how ambiguous the position is.
    A softmax learns that from its normaliser, which costs a pass over the vocabulary; g tells it
    from the hidden state alone.

    This head is not one of the paper's.

    Args:
        vocabulary_size: V.
        hidden_size: H.
        context_size: Inner width of g.

    Attributes:
        context: g; the head starts as a :class:`SigmoidHead`.
    """

    head_type = "contextual_unembedding_head"

    def __init__(self, *, vocabulary_size: int, hidden_size: int, context_size: int = 64) -> None:
        super().__init__(vocabulary_size=vocabulary_size, hidden_size=hidden_size)
        self.context = PositionBias(hidden_size, context_size)

    def reset_parameters(self) -> None:
        """Reset the weight as :class:`SigmoidHead` does, and g to 0 everywhere."""
        super().reset_parameters()
        self.context.reset_parameters()

    def linear(self, hidden: Tensor) -> LinearLogits:
        """Every position has its own bias; see :meth:`SigmoidHead.linear`."""
        hidden = hidden.float()
        return LinearLogits(hidden, self.weight, self.context(hidden).squeeze(-1))
