"""The Sigmoid Head that shares the language model's unembedding: it stores no vocabulary."""

from torch import Tensor, nn

from headwise.heads.checks import whole_number
from headwise.heads.quality.biased_head import PositionBias
from headwise.heads.quality.rescaling_head import RescalingHead, TokenLogits


class SharedUnembeddingHead(RescalingHead):
    """Logits of the language model with a threshold that each position decides.

    ``s(v | x, y_<t) = sigmoid(a * logit_v(h'_t) + b + g(h_t))``, where the logits are those of the
    frozen output layer and ``h' = h + U D h`` is a correction of low rank R, or h itself.

    What a softmax divides by differs between positions: where many tokens are right, none gets
    much. g says how large a logit must be here. Nothing is learned of single tokens, so that what
    is learned on one language serves others, and the head has a few hundred thousand numbers where
    a new unembedding has V * H.

    This head is not one of the paper's.

    Args:
        unembedding: The frozen language model's output layer; not a part of the head.
        hidden_size: H.
        context_size: Inner width of g.
        rank: R; 0 for none, which leaves the hidden states as they are.

    Attributes:
        scale: a, a scalar, 1 at the start.
        bias: b, a scalar, 0 at the start.
        context: g, ``(..., H)`` to ``(..., 1)``, 0 everywhere at the start.
        reduce: D, ``(..., H)`` to ``(..., R)``; ``None`` without a correction.
        expand: U, ``(..., R)`` to ``(..., H)``, 0 at the start; likewise.

    Raises:
        ValueError: If a size is below 1, or ``rank`` below 0.
    """

    head_type = "shared_unembedding_head"

    def __init__(
        self, *, unembedding: TokenLogits, hidden_size: int, context_size: int = 64, rank: int = 0
    ) -> None:
        super().__init__(unembedding=unembedding)
        self.hidden_size = whole_number("hidden_size", hidden_size)
        self.rank = whole_number("rank", rank, least=0)
        self.context = PositionBias(hidden_size, whole_number("context_size", context_size))
        self.reduce = self.expand = None
        if self.rank:
            self.reduce = nn.Linear(hidden_size, self.rank, bias=False)
            self.expand = nn.Linear(self.rank, hidden_size, bias=False)
            nn.init.zeros_(self.expand.weight)

    def reset_parameters(self) -> None:
        """Reset to the language model's own logits."""
        super().reset_parameters()
        self.context.reset_parameters()
        if self.reduce is not None and self.expand is not None:
            self.reduce.reset_parameters()
            nn.init.zeros_(self.expand.weight)

    def logits(self, hidden: Tensor, token_ids: Tensor | None = None) -> Tensor:
        """Scores before the sigmoid; see :meth:`SigmoidHead.score`."""
        hidden = hidden.float()
        threshold: Tensor = self.context(hidden)  # (..., 1)
        if token_ids is not None and token_ids.ndim < hidden.ndim:
            threshold = threshold.squeeze(-1)
        return super().logits(self.corrected(hidden), token_ids) + threshold

    def corrected(self, hidden: Tensor) -> Tensor:
        """The hidden states that enter the output layer, ``(..., H)``, float32."""
        if self.reduce is None or self.expand is None:
            return hidden
        correction: Tensor = self.expand(self.reduce(hidden))
        return hidden + correction
