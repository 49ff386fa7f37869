"""The embedding head: one vector a text, compared by inner products."""

from torch import Tensor, nn
from torch.nn import functional as F

from headwise.heads.checks import check_hidden_states, whole_number
from headwise.heads.pooling_mask import linear_inputs, selected_positions


class EmbeddingHead(nn.Module):
    """Projects pooled hidden states and makes them unit vectors, both if wanted.

    Args:
        hidden_size: H, width of the pooled hidden states.
        output_size: D, width of the embeddings; ``None`` leaves the projection out, and D is H.
        normalise: Whether embeddings get unit length.

    Attributes:
        projection: ``(..., H)`` to ``(..., D)``, without a bias; ``None`` if left out.

    Raises:
        ValueError: If a size is below 1.
    """

    def __init__(
        self, *, hidden_size: int, output_size: int | None = None, normalise: bool = True
    ) -> None:
        super().__init__()
        self.hidden_size = self.output_size = whole_number("hidden_size", hidden_size)
        self.normalise = normalise
        self.projection = None
        if output_size is not None:
            self.output_size = whole_number("output_size", output_size)
            self.projection = nn.Linear(self.hidden_size, self.output_size, bias=False)

    def reset_parameters(self) -> None:
        """Draw the projection anew, as PyTorch does for linear layers."""
        if self.projection is not None:
            self.projection.reset_parameters()

    def forward(self, pooled: Tensor, pooling_mask: Tensor | None = None) -> Tensor:
        """Embed.

        The projection runs in its own dtype, the norm in float32.

        Args:
            pooled: Pooled hidden states, ``(..., H)``; with a mask, those of all positions.
            pooling_mask: 1 or true at the positions to embed, such as each text's last token,
                ``(...)``; all if ``None``.

        Returns:
            Embeddings, float32: ``(N, D)`` for N marked positions, ``(..., D)`` without a mask.

        Raises:
            UninitialisedError: If the head is on the ``meta`` device.
            ValueError: If the hidden states have another width, or the mask has another shape or
                other values.
        """
        if self.projection is None:
            check_hidden_states(pooled, hidden_size=self.hidden_size)
            chosen = selected_positions(pooled, pooling_mask)
        else:
            chosen = self.projection(linear_inputs(self.projection, pooled, pooling_mask))
        embeddings = chosen.float()
        return F.normalize(embeddings, dim=-1) if self.normalise else embeddings
