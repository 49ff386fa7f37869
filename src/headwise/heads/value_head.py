"""The value head: one or several numbers from hidden states, for rewards and regression."""

from torch import Tensor, nn

from headwise.heads.checks import dropout_layer, whole_number
from headwise.heads.pooling_mask import linear_inputs


class ValueHead(nn.Module):
    """Dropout and a linear layer with a bias, ``W . dropout(h) + b``.

    Args:
        hidden_size: H.
        output_size: How many numbers a position gets.
        dropout: Share of the hidden states that is dropped in training, in [0, 1).

    Attributes:
        score: ``(..., H)`` to ``(..., output_size)``.

    Raises:
        ValueError: If a size is below 1, or ``dropout`` is not in [0, 1).
    """

    def __init__(self, *, hidden_size: int, output_size: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        self.hidden_size = whole_number("hidden_size", hidden_size)
        self.output_size = whole_number("output_size", output_size)
        self.dropout = dropout_layer(dropout)
        self.score = nn.Linear(self.hidden_size, self.output_size)

    def reset_parameters(self) -> None:
        """Draw weight and bias anew, as PyTorch does for linear layers."""
        self.score.reset_parameters()

    def forward(self, hidden_states: Tensor, pooling_mask: Tensor | None = None) -> Tensor:
        """Give values.

        Args:
            hidden_states: Hidden states, ``(..., H)``; cast to the dtype of the weight.
            pooling_mask: 1 or true at the positions that get a value, ``(...)``; all if ``None``.

        Returns:
            Values, float32: ``(N, output_size)`` for N marked positions, ``(..., output_size)``
            without a mask; the last dimension is left out if ``output_size`` is 1.

        Raises:
            UninitialisedError: If the head is on the ``meta`` device.
            ValueError: If the hidden states have another width, or the mask has another shape or
                other values.
        """
        chosen = linear_inputs(self.score, hidden_states, pooling_mask)
        values: Tensor = self.score(self.dropout(chosen))
        return values.float().squeeze(-1) if self.output_size == 1 else values.float()
