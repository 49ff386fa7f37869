"""The NLI head: entailment, neutral or contradiction from one vector of a pair."""

from torch import Tensor, nn

from headwise.choices import NLI_LABELS
from headwise.heads.checks import reset_layers


class NLIHead(nn.Module):
    """Two layers that classify a pair, ``W2 . gelu(norm(W1 x + b1)) + b2``.

    Args:
        input_size: F, width of the features; see :class:`headwise.heads.NLIFeatures`.
        hidden_size: Width of the hidden layer, which an abstention head reads too.
        dropout: Share of the hidden layer that is dropped in training.

    Attributes:
        nli_hidden: Linear, layer norm, GELU, dropout; ``(..., F)`` to ``(..., hidden_size)``.
        nli_output: Linear; ``(..., hidden_size)`` to ``(..., 3)``.
    """

    def __init__(self, *, input_size: int, hidden_size: int = 512, dropout: float = 0.1) -> None:
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        self.nli_hidden = nn.Sequential(
            nn.Linear(input_size, hidden_size),
            nn.LayerNorm(hidden_size),
            nn.GELU(),
            nn.Dropout(dropout),
        )
        self.nli_output = nn.Linear(hidden_size, len(NLI_LABELS))

    def reset_parameters(self) -> None:
        """Draw all layers anew, as PyTorch does for linear layers and layer norms."""
        reset_layers(self)

    def hidden(self, features: Tensor) -> Tensor:
        """The hidden layer, ``(..., F)`` to ``(..., hidden_size)``, float32."""
        hidden: Tensor = self.nli_hidden(features.float())
        return hidden

    def forward(self, features: Tensor) -> Tensor:
        """Logits of the three classes, ``(..., 3)``, float32, from features ``(..., F)``."""
        return self.with_hidden(features)[1]

    def with_hidden(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """The hidden layer ``(..., hidden_size)`` and the logits ``(..., 3)``, in one pass."""
        hidden = self.hidden(features)
        return hidden, self.nli_output(hidden)
