"""Heads whose vectors are compared: one a text by inner products, one a token by MaxSim."""

from torch import Tensor, nn
from torch.nn import functional as F

from headwise.functional.max_sim import max_sim
from headwise.heads.checks import check_hidden_states, whole_number
from headwise.heads.linear_heads import linear_inputs, selected_positions


class _ProjectionHead(nn.Module):
    """A projection without a bias, ``(..., H)`` to ``(..., D)``; none without ``output_size``."""

    def __init__(self, *, hidden_size: int, output_size: int | None = None) -> None:
        super().__init__()
        self.hidden_size = self.output_size = whole_number("hidden_size", hidden_size)
        self.projection = None
        if output_size is not None:
            self.output_size = whole_number("output_size", output_size)
            self.projection = nn.Linear(self.hidden_size, self.output_size, bias=False)

    def reset_parameters(self) -> None:
        """Draw the projection anew, as PyTorch does for linear layers."""
        if self.projection is not None:
            self.projection.reset_parameters()


class EmbeddingHead(_ProjectionHead):
    """Projects pooled hidden states ``(..., H)`` to ``(..., D)`` and makes them unit vectors.

    Args:
        hidden_size: H.
        output_size: D; ``None`` leaves the projection out, and D is H.
        normalise: Whether embeddings get unit length.

    Raises:
        ValueError: If a size is below 1.
    """

    def __init__(
        self, *, hidden_size: int, output_size: int | None = None, normalise: bool = True
    ) -> None:
        super().__init__(hidden_size=hidden_size, output_size=output_size)
        self.normalise = normalise

    def forward(self, pooled: Tensor, pooling_mask: Tensor | None = None) -> Tensor:
        """Embed; the projection runs in its own dtype, the norm in float32.

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


class LateInteractionHead(_ProjectionHead):
    """Projects hidden states and makes them unit vectors, one a token; sizes as in embeddings.

    References:
        Khattab & Zaharia 2020, arXiv 2004.12832, sections 3.2 and 3.3.
    """

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Turn hidden states into token vectors; dtypes as in :meth:`EmbeddingHead.forward`.

        Args:
            hidden: Last hidden states, ``(B, T, H)``.
            mask: Which tokens are real, ``(B, T)``, bool or 0 and 1.

        Returns:
            Vectors of unit length, and zeros at padding, ``(B, T, D)``, float32.

        Raises:
            ValueError: If the shapes do not fit.
        """
        if mask.shape != hidden.shape[:-1]:
            raise ValueError(
                f"`mask` must have the shape of `hidden` without its last dimension, "
                f"{tuple(hidden.shape[:-1])}, got {tuple(mask.shape)}."
            )
        # Before the projection: what stands at padding, were it nan, reaches no gradient
        hidden = hidden.masked_fill(~mask.bool().unsqueeze(-1), 0.0)
        if self.projection is not None:
            hidden = self.projection(hidden.to(self.projection.weight.dtype))
        return F.normalize(hidden.float(), dim=-1)

    def score(
        self,
        queries: Tensor,
        documents: Tensor,
        *,
        query_mask: Tensor | None = None,
        document_mask: Tensor | None = None,
    ) -> Tensor:
        """Score every document for every query, ``(Q, N)``, float32.

        Arguments are those of :func:`headwise.functional.max_sim.max_sim`.
        """
        return max_sim(queries, documents, query_mask=query_mask, document_mask=document_mask)
