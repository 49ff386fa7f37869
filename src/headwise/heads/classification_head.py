"""The classification head: classes from hidden states by one linear layer."""

from torch import Tensor, nn

from headwise.heads.checks import dropout_layer, whole_number
from headwise.heads.pooling_mask import linear_inputs


class ClassificationHead(nn.Module):
    """Dropout and a linear layer without a bias, ``W . dropout(h)``.

    State dicts have d9d's names, ``score.weight``.

    Args:
        hidden_size: H.
        num_labels: C.
        dropout: Share of the hidden states that is dropped in training, in [0, 1).

    Attributes:
        score: ``(..., H)`` to ``(..., C)``.

    Raises:
        ValueError: If a size is below 1, or ``dropout`` is not in [0, 1).
    """

    def __init__(self, *, hidden_size: int, num_labels: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.hidden_size = whole_number("hidden_size", hidden_size)
        self.num_labels = whole_number("num_labels", num_labels)
        self.dropout = dropout_layer(dropout)
        self.score = nn.Linear(self.hidden_size, self.num_labels, bias=False)

    def reset_parameters(self) -> None:
        """Draw the weight anew, as PyTorch does for linear layers."""
        self.score.reset_parameters()

    def forward(self, hidden_states: Tensor, pooling_mask: Tensor | None = None) -> Tensor:
        """Score the classes.

        Args:
            hidden_states: Hidden states, ``(..., H)``; cast to the dtype of the weight.
            pooling_mask: 1 or true at the positions to classify, ``(...)``; all if ``None``.

        Returns:
            Logits, float32: ``(N, C)`` for N marked positions, ``(..., C)`` without a mask.

        Raises:
            UninitialisedError: If the head is on the ``meta`` device.
            ValueError: If the hidden states have another width, or the mask has another shape or
                other values.
        """
        chosen = linear_inputs(self.score, hidden_states, pooling_mask)
        logits: Tensor = self.score(self.dropout(chosen))
        return logits.float()
