"""The NLI head: entailment, neutral or contradiction from what was read of a pair."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from headwise.choices import NLI_LABELS
from headwise.heads.checks import reset_layers
from headwise.heads.entailment.interaction_network import InteractionNetwork
from headwise.heads.entailment.paired_tokens import InferenceInputs


class NLIReading(NamedTuple):
    """What an NLI head makes of n pairs, float32.

    Attributes:
        hidden: Its hidden layer, ``(..., hidden_size)``.
        logits: Of the three classes, ``(..., 3)``.
        alignments: How tokens were aligned, ``(n, 6)``; see :meth:`InteractionNetwork.read`.
            ``None`` if none were.
    """

    hidden: Tensor
    logits: Tensor
    alignments: Tensor | None


class NLIHead(nn.Module):
    """Two layers that classify a pair, ``W2 . gelu(norm(W1 x + b1)) + b2``.

    Args:
        input_size: F, width of the features x; see :class:`headwise.heads.NLIFeatures`. With an
            interaction network, its outputs are the last of them.
        hidden_size: Width of the hidden layer, which an abstention head reads too.
        dropout: Share of the hidden layer that is dropped in training.
        input_dropout: The same of the features.
        interaction: What compares the tokens of both texts; ``None`` for heads that read pooled
            vectors alone.

    Attributes:
        nli_hidden: Linear, layer norm, GELU, dropout; ``(..., F)`` to ``(..., hidden_size)``.
        nli_output: Linear; ``(..., hidden_size)`` to ``(..., 3)``.
    """

    def __init__(
        self,
        *,
        input_size: int,
        hidden_size: int = 512,
        dropout: float = 0.1,
        input_dropout: float = 0.0,
        interaction: InteractionNetwork | None = None,
    ) -> None:
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        self.input_dropout = input_dropout
        self.nli_hidden = nn.Sequential(
            nn.Linear(input_size, hidden_size),
            nn.LayerNorm(hidden_size),
            nn.GELU(),
            nn.Dropout(dropout),
        )
        self.nli_output = nn.Linear(hidden_size, len(NLI_LABELS))
        self.interaction = interaction

    def reset_parameters(self) -> None:
        """Draw all layers anew, as PyTorch does for linear layers and layer norms."""
        reset_layers(self)

    def forward(self, inputs: Tensor | InferenceInputs) -> Tensor:
        """Logits of the three classes, ``(..., 3)``, float32; see :meth:`read`."""
        return self.read(inputs).logits

    def hidden(self, inputs: Tensor | InferenceInputs) -> Tensor:
        """The hidden layer, ``(..., hidden_size)``, float32; see :meth:`read`."""
        return self.read(inputs).hidden

    def read(self, inputs: Tensor | InferenceInputs) -> NLIReading:
        """Read features ``(..., F)``, or n pairs.

        Args:
            inputs: Features of pairs, or their features and token vectors.

        Raises:
            ValueError: If the head compares tokens and none are given.
        """
        alignments = None
        if isinstance(inputs, Tensor):
            features = inputs.float()
        elif self.interaction is None:
            features = inputs.pooled.float()
        elif inputs.tokens is None:
            raise ValueError("The head compares tokens, and `inputs` has none; give `tokens`.")
        else:
            compared, alignments = self.interaction.read(inputs.tokens)
            features = torch.cat([inputs.pooled.float(), compared], dim=-1)
        hidden = self.nli_hidden(F.dropout(features, self.input_dropout, self.training))
        return NLIReading(hidden, self.nli_output(hidden), alignments)
