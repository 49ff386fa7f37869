"""The late-interaction head: one unit vector a token, compared by MaxSim."""

from torch import Tensor, nn
from torch.nn import functional as F

from headwise.functional.max_sim import max_sim


class LateInteractionHead(nn.Module):
    """Projects hidden states, if wanted, and makes them unit vectors.

    Args:
        hidden_size: H, width of the hidden states.
        output_size: D, width of the token vectors; ``None`` leaves the projection out, and D is H.

    Attributes:
        projection: ``(..., H)`` to ``(..., D)``, without a bias; ``None`` if left out.

    References:
        Khattab & Zaharia 2020, arXiv 2004.12832, sections 3.2 and 3.3.
    """

    def __init__(self, *, hidden_size: int, output_size: int | None = None) -> None:
        super().__init__()
        self.hidden_size, self.output_size = hidden_size, output_size or hidden_size
        self.projection = (
            None if output_size is None else nn.Linear(hidden_size, output_size, bias=False)
        )

    def reset_parameters(self) -> None:
        """Draw the projection anew, as PyTorch does for linear layers."""
        if self.projection is not None:
            self.projection.reset_parameters()

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Turn hidden states into token vectors.

        The projection runs in its own dtype, the norm in float32.

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
        """Score every document for every query; see :func:`headwise.functional.max_sim`.

        Args:
            queries: Token vectors, ``(Q, S, D)``.
            documents: Token vectors, ``(N, T, D)``.
            query_mask: Which of the queries' tokens are real, ``(Q, S)``; all if ``None``.
            document_mask: Which of the documents' tokens are real, ``(N, T)``; all if ``None``.

        Returns:
            Sums over the query's tokens of their largest cosine, ``(Q, N)``, float32.
        """
        return max_sim(queries, documents, query_mask=query_mask, document_mask=document_mask)
