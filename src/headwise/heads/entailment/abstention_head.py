"""The abstention head: how doubtful the NLI head's label is."""

import torch
from torch import Tensor, nn

from headwise.choices import NLI_LABELS
from headwise.heads.checks import reset_layers


class AbstentionHead(nn.Module):
    """Two layers that read what the NLI head thought and said, and what else tells of a pair.

    The hidden layer tells more about a pair than the probabilities that come out of it, so that
    the head may find errors among confident answers.

    Args:
        hidden_size: Width of the NLI head's hidden layer; 0 for a head that does not read it.
        evidence_size: E, how many further numbers of a pair it reads; see
            :attr:`headwise.heads.TaskHeads.evidence_size`.
        inner_size: Width of its own hidden layer.
        dropout: Share of that layer that is dropped in training.
        corrects_odds: Whether the layers correct the odds that the largest probability is wrong,
            ``(1 - p) / p``. The layer norm forgets how far apart a few logits are, so that layers
            that read little else say less than that probability without it.

    Attributes:
        abstention_head: Linear, layer norm, GELU, dropout, linear;
            ``(..., hidden_size + 3 + E)`` to ``(..., 2)``.
    """

    def __init__(
        self,
        *,
        hidden_size: int = 512,
        evidence_size: int = 0,
        inner_size: int = 128,
        dropout: float = 0.1,
        corrects_odds: bool = False,
    ) -> None:
        super().__init__()
        self.hidden_size, self.evidence_size = hidden_size, evidence_size
        self.inner_size, self.corrects_odds = inner_size, corrects_odds
        self.abstention_head = nn.Sequential(
            nn.Linear(hidden_size + len(NLI_LABELS) + evidence_size, inner_size),
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
        """Let the first layer read the logits and evidence alone; training adds the hidden layer.

        A few such numbers among hundreds of hidden units would otherwise be hard to hear. Where
        odds are corrected, the correction is nothing yet.
        """
        first, last = self.abstention_head[0], self.abstention_head[-1]
        assert isinstance(first, nn.Linear)
        assert isinstance(last, nn.Linear)
        first.weight[:, : self.hidden_size] = 0.0
        nn.init.normal_(first.weight[:, self.hidden_size :])
        if self.corrects_odds:
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, hidden: Tensor, logits: Tensor, evidence: Tensor | None = None) -> Tensor:
        """Logits of confident and uncertain, ``(..., 2)``, float32.

        They come from the NLI head's hidden layer ``(..., hidden_size)`` (anything if it is not
        read), its logits ``(..., 3)``, and evidence ``(..., E)``.

        Raises:
            ValueError: If the head reads evidence and none is given.
        """
        parts = [hidden.float()] if self.hidden_size else []
        parts.append(logits.float())
        if self.evidence_size:
            if evidence is None:
                raise ValueError(f"The head reads {self.evidence_size} numbers of `evidence`.")
            parts.append(evidence.float())
        scores: Tensor = self.abstention_head(torch.cat(parts, dim=-1))
        if self.corrects_odds:
            odds = _log_odds_of_an_error(logits.float())
            scores = scores + torch.stack([torch.zeros_like(odds), odds], dim=-1)
        return scores

    def uncertainty(self, hidden: Tensor, logits: Tensor, evidence: Tensor | None = None) -> Tensor:
        """Softmax of uncertain, in (0, 1), ``(...)``, float32; arguments are those of `forward`.

        The probability that the NLI head is wrong, if errors and right answers had their own
        weights in training; with balanced classes it only orders the pairs.
        """
        return self.forward(hidden, logits, evidence).softmax(dim=-1)[..., 1]


def _log_odds_of_an_error(logits: Tensor) -> Tensor:
    """``log((1 - p) / p)`` of the largest probability p, ``(...)``, from logits ``(..., 3)``."""
    ordered = logits.sort(dim=-1, descending=True).values
    return ordered[..., 1:].logsumexp(dim=-1) - ordered[..., 0]
