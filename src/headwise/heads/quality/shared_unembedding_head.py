"""The Sigmoid Head that shares the language model's unembedding: it stores no vocabulary."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from headwise.choices import LAST_LAYER, ONLY_LAST
from headwise.heads.checks import check_hidden_states, mean_and_spread, whole_number
from headwise.heads.layers import checked_layers, checked_widths
from headwise.heads.quality.biased_head import PositionBias
from headwise.heads.quality.rescaling_head import RescalingHead, TokenLogits


class SharedUnembeddingHead(RescalingHead):
    """Logits of the language model with a threshold that each position decides.

    ``s(v | x, y_<t) = sigmoid(a * logit_v(h'_t) + b + g(z_t))``, where the logits are those of the
    frozen output layer, ``h' = h + U D h`` is a correction of low rank R, or h itself, and z is the
    hidden state of a layer that may be another one.

    What a softmax divides by differs between positions: where many tokens are right, none gets
    much. g says how large a logit must be here; a middle layer may know it better than the one
    that is about to name a token. Nothing is learned of single tokens, so that what
    is learned on one language serves others, and the head has a few hundred thousand numbers where
    a new unembedding has V * H.

    This head is not one of the paper's.

    Args:
        unembedding: The frozen language model's output layer; not a part of the head.
        hidden_size: H.
        context_size: Inner width of g.
        rank: R; 0 for none, which leaves the hidden states as they are.
        layers: Layers whose hidden states it is given, side by side, numbered as
            :meth:`LanguageBackbone.hidden_states` does: the last, -1, and after it the one that g
            reads if that is another.
        layer_count: How many layers that model has, if it is not the last alone.
        layer_widths: Widths of their hidden states, where these are not all H.

    Attributes:
        input_size: Width of what it is given: H, and that of z where it is another layer's.
        scale: a, a scalar, 1 at the start.
        bias: b, a scalar, 0 at the start.
        context: g, of z, to ``(..., 1)``, 0 everywhere at the start.
        context_mean: Of z, where it is another layer's; g reads it standardised, since layers below
            the final norm have numbers of any size. See :meth:`standardise`.
        context_spread: Its standard deviations, likewise.
        reduce: D, ``(..., H)`` to ``(..., R)``; ``None`` without a correction.
        expand: U, ``(..., R)`` to ``(..., H)``, 0 at the start; likewise.

    Raises:
        ValueError: If a size is below 1, ``rank`` below 0, or g is to read what is no layer.
    """

    head_type = "shared_unembedding_head"

    def __init__(
        self,
        *,
        unembedding: TokenLogits,
        hidden_size: int,
        context_size: int = 64,
        rank: int = 0,
        layers: Sequence[int] = ONLY_LAST,
        layer_count: int | None = None,
        layer_widths: Sequence[int] | None = None,
    ) -> None:
        super().__init__(unembedding=unembedding)
        self.hidden_size = whole_number("hidden_size", hidden_size)
        self.rank = whole_number("rank", rank, least=0)
        self.layers, self.layer_count = checked_layers(layers, layer_count), layer_count
        if self.layers[0] != LAST_LAYER or len(self.layers) > 2:
            raise ValueError(
                "`layers` must be the last, and after it the one that g reads if that is another, "
                f"such as [-1, 12], got {list(layers)}."
            )
        self.layer_widths = layer_widths
        widths = checked_widths(self.layers, self.hidden_size, layer_widths)
        self.input_size = sum(widths)
        self.context = PositionBias(widths[-1], whole_number("context_size", context_size))
        self.context_mean: Tensor
        self.context_spread: Tensor
        if self.layers != ONLY_LAST:
            self.register_buffer("context_mean", torch.zeros(widths[-1]))
            self.register_buffer("context_spread", torch.ones(widths[-1]))
        self.reduce = self.expand = None
        if self.rank:
            self.reduce = nn.Linear(hidden_size, self.rank, bias=False)
            self.expand = nn.Linear(self.rank, hidden_size, bias=False)
            nn.init.zeros_(self.expand.weight)

    def reset_parameters(self) -> None:
        """Reset to the language model's own logits."""
        super().reset_parameters()
        self.context.reset_parameters()
        if self.layers != ONLY_LAST:
            nn.init.zeros_(self.context_mean)
            nn.init.ones_(self.context_spread)
        if self.reduce is not None and self.expand is not None:
            self.reduce.reset_parameters()
            nn.init.zeros_(self.expand.weight)

    @torch.no_grad()
    def standardise(self, hidden: Tensor) -> None:
        """Measure mean and spread of z on a sample of ``hidden``, ``(N, input_size)``.

        A head that reads the last layer alone takes it as it is.

        Raises:
            ValueError: If the sample is empty or of another width.
        """
        check_hidden_states(hidden, hidden_size=self.input_size)
        if self.layers != ONLY_LAST:
            mean, spread = mean_and_spread(hidden[:, self.hidden_size :].float())
            self.context_mean.copy_(mean)
            self.context_spread.copy_(spread)

    def logits(self, hidden: Tensor, token_ids: Tensor | None = None) -> Tensor:
        """Scores before the sigmoid; see :meth:`SigmoidHead.score`.

        ``hidden`` is that of the head's layers side by side, ``(..., input_size)``.
        """
        check_hidden_states(hidden, hidden_size=self.input_size)
        hidden = hidden.float()
        read = hidden
        if self.layers != ONLY_LAST:
            hidden, read = hidden.tensor_split([self.hidden_size], dim=-1)
            read = (read - self.context_mean) * self.context_spread.reciprocal()
        threshold: Tensor = self.context(read)  # (..., 1)
        if token_ids is not None and token_ids.ndim < hidden.ndim:
            threshold = threshold.squeeze(-1)
        return super().logits(self.corrected(hidden), token_ids) + threshold

    def corrected(self, hidden: Tensor) -> Tensor:
        """The hidden states that enter the output layer, ``(..., H)``, float32.

        Args:
            hidden: Hidden states of the last layer, ``(..., H)``.
        """
        if self.reduce is None or self.expand is None:
            return hidden
        correction: Tensor = self.expand(self.reduce(hidden))
        return hidden + correction
