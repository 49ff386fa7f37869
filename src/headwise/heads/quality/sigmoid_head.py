"""The Sigmoid Head: a second unembedding with a score of its own for each token."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from headwise.choices import ONLY_LAST
from headwise.functional import gathered_logits


@dataclass(frozen=True, slots=True)
class LinearLogits:
    """Logits that are linear, ``z_v = hidden . weight_v + row_bias``, before they are computed.

    ``hidden`` is ``(..., H)``, ``weight`` ``(V, H)``, both float32, and ``row_bias`` ``(...)``.
    """

    hidden: Tensor
    weight: Tensor
    row_bias: Tensor | None = None


def at_positions(
    logits: Callable[[Tensor, Tensor], Tensor], hidden: Tensor, token_ids: Tensor
) -> Tensor:
    """Logits of one or several chosen tokens at each position, ``(...)`` or ``(..., K)``.

    ``logits`` goes from ``(N, H)`` and ids ``(N, K)`` to ``(N, K)``.
    """
    wanted = token_ids.unsqueeze(-1) if token_ids.ndim == hidden.ndim - 1 else token_ids
    flat = logits(hidden.reshape(-1, hidden.shape[-1]), wanted.reshape(-1, wanted.shape[-1]))
    return flat.view(token_ids.shape)


class SigmoidHead(nn.Module):
    """A new unembedding on frozen hidden states, ``s(v | x, y_<t) = sigmoid(h_t . w_v)``.

    Every valid token may score near 1, while a softmax has to share one unit among all of them.

    Args:
        vocabulary_size: V.
        hidden_size: H.

    Attributes:
        weight: ``(V, H)``, float32.
        sparse_gradient: Whether scores of chosen tokens give the weight a sparse gradient, for
            optimisers that update touched rows only.

    References:
        Dinh & Niehues 2026, arXiv 2601.00680, section 3.
    """

    head_type = "new_unembedding_head"
    layers: tuple[int, ...] = ONLY_LAST
    """Layers of the language model whose hidden states it reads, side by side."""

    def __init__(self, *, vocabulary_size: int, hidden_size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(vocabulary_size, hidden_size))
        self.sparse_gradient = False
        # Its own alone: what a subclass adds is not there yet, and is drawn when it is made
        SigmoidHead.reset_parameters(self)

    def reset_parameters(self) -> None:
        """Draw the weight from a normal distribution of standard deviation 0.02."""
        nn.init.normal_(self.weight, std=0.02)

    @torch.no_grad()
    def initialise_from(self, weight: Tensor) -> None:
        """Start from the language model's own unembedding, ``(V, H)``.

        Args:
            weight: Rows of the output layer.
        """
        self.weight.copy_(weight)

    def linear(self, hidden: Tensor) -> LinearLogits:
        """What the logits of hidden states ``(..., H)`` are linear in; all else follows from it.

        Args:
            hidden: What enters the output layer; side by side, if the head reads several layers.
        """
        return LinearLogits(hidden.float(), self.weight)

    def logits(self, hidden: Tensor, token_ids: Tensor | None = None) -> Tensor:
        """Scores before the sigmoid; see :meth:`score`."""
        layer = self.linear(hidden)
        if token_ids is None:
            logits = F.linear(layer.hidden, layer.weight)
        else:

            def gathered(hidden: Tensor, ids: Tensor) -> Tensor:
                return gathered_logits(
                    hidden, layer.weight, ids, sparse_gradient=self.sparse_gradient
                )

            logits = at_positions(gathered, layer.hidden, token_ids)
        if layer.row_bias is None:
            return logits
        single = token_ids is not None and token_ids.ndim == layer.row_bias.ndim
        return logits + (layer.row_bias if single else layer.row_bias.unsqueeze(-1))

    def score(self, hidden: Tensor, token_ids: Tensor | None = None) -> Tensor:
        """Score tokens.

        Args:
            hidden: Hidden states that enter the language model's unembedding, ``(..., H)``.
            token_ids: Which tokens to score, ``(...)`` or ``(..., K)``; the whole vocabulary if
                ``None``, which builds ``(..., V)``.

        Returns:
            Scores in (0, 1), float32: ``(...)``, ``(..., K)`` or ``(..., V)``.
        """
        return torch.sigmoid(self.logits(hidden, token_ids))
