"""The abstention head: how doubtful the NLI head's label is."""

import torch
from torch import Tensor, nn

from headwise.choices import NLI_LABELS
from headwise.heads.checks import reset_layers


class AbstentionHead(nn.Module):
    """Two layers that read what the NLI head thought and said.

    The hidden layer tells more about a pair than the probabilities that come out of it, so that
    the head may find errors among confident answers.

    ``hidden_size`` is the width of the NLI head's hidden layer, ``inner_size`` that of its own,
    of which ``dropout`` is a share in training.

    Attributes:
        abstention_head: Linear, layer norm, GELU, dropout, linear;
            ``(..., hidden_size + 3)`` to ``(..., 2)``.
    """

    def __init__(
        self, *, hidden_size: int = 512, inner_size: int = 128, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.hidden_size, self.inner_size = hidden_size, inner_size
        self.abstention_head = nn.Sequential(
            nn.Linear(hidden_size + len(NLI_LABELS), inner_size),
            nn.LayerNorm(inner_size),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(inner_size, 2),
        )

    def reset_parameters(self) -> None:
        """Draw all layers anew, as PyTorch does for linear layers and layer norms."""
        reset_layers(self)

    @torch.no_grad()
    def start_from_logits(self) -> None:
        """Let the first layer read the logits alone; training adds the hidden layer to them.

        Three logits among hundreds of hidden units would otherwise be hard to hear.
        """
        first = self.abstention_head[0]
        assert isinstance(first, nn.Linear)
        first.weight[:, : self.hidden_size] = 0.0
        nn.init.normal_(first.weight[:, self.hidden_size :])

    def forward(self, hidden: Tensor, logits: Tensor) -> Tensor:
        """Logits of confident and uncertain, ``(..., 2)``, float32.

        They come from the NLI head's hidden layer ``(..., hidden_size)`` and logits ``(..., 3)``.
        """
        scores: Tensor = self.abstention_head(torch.cat([hidden.float(), logits.float()], dim=-1))
        return scores

    def uncertainty(self, hidden: Tensor, logits: Tensor) -> Tensor:
        """Softmax of uncertain, in (0, 1), ``(...)``, float32.

        The probability that the NLI head is wrong, if errors and right answers had their own
        weights in training; with balanced classes it only orders the pairs.
        """
        return self.forward(hidden, logits).softmax(dim=-1)[..., 1]
