"""The NLI head: entailment, neutral or contradiction from what was read of a pair."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from headwise.choices import NLI_LABELS
from headwise.heads.checks import reset_layers
from headwise.heads.entailment.interaction_network import InteractionNetwork
from headwise.heads.entailment.paired_tokens import InferenceInputs


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

    def features(self, inputs: Tensor | InferenceInputs) -> Tensor:
        """What the hidden layer reads of n pairs, ``(n, F)``; features ``(..., F)`` stay.

        Raises:
            ValueError: If the head compares tokens and none are given.
        """
        if isinstance(inputs, Tensor):
            return inputs
        if self.interaction is None:
            return inputs.pooled
        if inputs.tokens is None:
            raise ValueError("The head compares tokens, and `inputs` has none; give `tokens`.")
        compared = self.interaction(inputs.tokens)
        return torch.cat([inputs.pooled.float(), compared], dim=-1)

    def hidden(self, inputs: Tensor | InferenceInputs) -> Tensor:
        """The hidden layer, ``(..., hidden_size)``, float32; of features ``(..., F)``, or pairs."""
        features = F.dropout(self.features(inputs).float(), self.input_dropout, self.training)
        hidden: Tensor = self.nli_hidden(features)
        return hidden

    def forward(self, inputs: Tensor | InferenceInputs) -> Tensor:
        """Logits of the three classes, ``(..., 3)``, float32, as :meth:`hidden`."""
        return self.with_hidden(inputs)[1]

    def with_hidden(self, inputs: Tensor | InferenceInputs) -> tuple[Tensor, Tensor]:
        """The hidden layer ``(..., hidden_size)`` and the logits ``(..., 3)``, in one pass."""
        hidden = self.hidden(inputs)
        return hidden, self.nli_output(hidden)
