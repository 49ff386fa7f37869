"""The error head: how likely a token is wrong, and that something is missing before it."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from headwise.choices import ONLY_LAST, ErrorVariant
from headwise.heads.checks import dropout_layer, mean_and_spread, reset_layers, whole_number
from headwise.heads.layers import checked_layers, checked_widths

STATISTICS = ("log-probability", "entropy", "logarithm of the rank")
"""What the columns of ``statistics`` are."""

# Streams have no end to look at: the head must do without it
_END_DROPPED = 0.5


class ErrorHead(nn.Module):
    """Two layers that read the hidden state before a token together with the token's own row.

    With ``g_t`` the standardised ``[h_t, w_t, h_t * w_t]`` of a position, its logits are a linear
    function of ``GELU(A g_t + P g_{t-1} + B g_{t+1} + C h_last)``; the causal variant has A and P
    alone. Positions outside of a text count as 0, and so does the end of a text that is not whole.

    This head is not one of the paper's.

    Args:
        hidden_size: H.
        variant: How far it looks.
        inner_size: Width of the hidden layer.
        rank: Width R that hidden states and rows are projected to before everything else;
            ``None`` to read them as they are, R = H.
        statistics: Whether it also reads log-probability, entropy and rank of each token.
        dropout: Share of the hidden layer that is dropped in training, in [0, 1).
        layers: Layers of the language model whose hidden states are h, side by side: their numbers
            as :meth:`LanguageBackbone.hidden_states` has them; by default the last.
        layer_count: How many layers that model has, if it is not the last alone.
        layer_widths: Widths of their hidden states, where these are not all H. Together they are
            projected to R, unless that is H already.

    Attributes:
        mean: Of the inputs ``[h, w, h * w]`` and the statistics, ``(F,)``; see
            :meth:`standardise`.
        scale: Their standard deviations, likewise.
        own: A, with a bias, and the weights of the statistics; ``(N, F)`` to ``(N, inner_size)``.
        preceding: P, ``(N, 3 R)`` to ``(N, inner_size)``.
        following: B, likewise; ``None`` in the causal variant.
        end: C, ``(N, R)`` to ``(N, inner_size)``; ``None`` in the causal variant.
        output: ``(N, inner_size)`` to ``(N, 2)``.

    Raises:
        ValueError: If a size is below 1, ``dropout`` is not in [0, 1), or there is no such
            variant.
    """

    head_type = "error_head"
    lookback = 1
    """How many tokens before a token it reads."""

    def __init__(
        self,
        *,
        hidden_size: int,
        variant: ErrorVariant | str = ErrorVariant.HINDSIGHT,
        inner_size: int = 128,
        rank: int | None = None,
        statistics: bool = False,
        dropout: float = 0.1,
        layers: Sequence[int] = ONLY_LAST,
        layer_count: int | None = None,
        layer_widths: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        self.hidden_size = whole_number("hidden_size", hidden_size)
        self.variant = _variant(variant)
        self.inner_size = whole_number("inner_size", inner_size)
        self.rank = None if rank is None else whole_number("rank", rank)
        if not isinstance(statistics, bool):
            raise ValueError(f"`statistics` must be true or false, got {statistics!r:.60}.")
        self.statistics = statistics
        self.dropout = dropout_layer(dropout)
        self.layers, self.layer_count = checked_layers(layers, layer_count), layer_count
        self.layer_widths = layer_widths
        self.input_size = sum(checked_widths(self.layers, self.hidden_size, layer_widths))
        self.hidden_projection = self.row_projection = None
        self._width = self.rank or self.hidden_size
        if self.rank is not None or self.input_size != self.hidden_size:
            self.hidden_projection = nn.Linear(self.input_size, self._width, bias=False)
        if self.rank is not None:
            self.row_projection = nn.Linear(self.hidden_size, self.rank, bias=False)
        inputs = 3 * self._width + (len(STATISTICS) if statistics else 0)
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("scale", torch.ones(inputs))
        self.own = nn.Linear(inputs, self.inner_size)
        self.preceding = nn.Linear(3 * self._width, self.inner_size, bias=False)
        self.following = self.end = None
        if self.variant is ErrorVariant.HINDSIGHT:
            self.following = nn.Linear(3 * self._width, self.inner_size, bias=False)
            self.end = nn.Linear(self._width, self.inner_size, bias=False)
        self.output = nn.Linear(self.inner_size, 2)

    @property
    def delay(self) -> int:
        """How many tokens after a token must be known before it is judged."""
        return 1 if self.variant is ErrorVariant.HINDSIGHT else 0

    def reset_parameters(self) -> None:
        """Draw all layers anew, as PyTorch does for linear layers, and forget what was measured."""
        reset_layers(self)
        nn.init.zeros_(self.mean)
        nn.init.ones_(self.scale)

    @torch.no_grad()
    def standardise(self, hidden: Tensor, rows: Tensor, statistics: Tensor | None = None) -> None:
        """Measure mean and spread of the inputs on a sample; inputs are standardised by them.

        An input that is constant in the sample keeps its scale. Projections are taken as they
        are now, arguments are those of :meth:`logits`.

        Args:
            hidden: Hidden states of the sample, ``(N, W)``.
            rows: Rows of the unembedding of its tokens, ``(N, H)``.
            statistics: Log-probability, entropy and rank, ``(N, 3)``, if the head reads them.

        Raises:
            ValueError: If the shapes do not fit, or the sample is empty.
        """
        self._check(hidden, rows, (len(hidden),), statistics)
        mean, spread = mean_and_spread(self.inputs(hidden, rows, statistics))
        self.mean.copy_(mean)
        self.scale.copy_(spread)

    def logits(
        self,
        hidden: Tensor,
        rows: Tensor,
        counts: Sequence[int],
        *,
        statistics: Tensor | None = None,
        ended: bool | Tensor = True,
    ) -> Tensor:
        """Scores before the sigmoid.

        In training, half of the texts are read as if they were not whole, so that the head works
        on streams.

        Args:
            hidden: Hidden states of the head's layers that predict the tokens, ``(N, H)``, one
                text after another; of several layers side by side, ``(N, input_size)``.
            rows: The tokens' rows of the unembedding, ``(N, H)``.
            counts: How many of the positions each text has; together N.
            statistics: Log-probability, entropy in nats and logarithm of the rank of the tokens,
                ``(N, 3)``; if and only if the head reads them.
            ended: Whether the texts are whole, for all of them or one by one ``(texts,)``, bool.

        Returns:
            Logits that a token is wrong, and that something is missing right before it,
            ``(N, 2)``, float32.

        Raises:
            ValueError: If the shapes do not fit.
        """
        self._check(hidden, rows, counts, statistics)
        inputs = self.inputs(hidden, rows, statistics)
        inputs = inputs.sub_(self.mean).mul_(self.scale.reciprocal())
        inner = self.own(inputs)
        if len(hidden):
            inner = inner + self._around(inputs[:, : 3 * self._width], torch.tensor(counts), ended)
        logits: Tensor = self.output(self.dropout(nn.functional.gelu(inner)))
        return logits

    def score(
        self,
        hidden: Tensor,
        rows: Tensor,
        counts: Sequence[int],
        *,
        statistics: Tensor | None = None,
        ended: bool | Tensor = True,
    ) -> Tensor:
        """Probabilities ``(N, 2)``, float32, in (0, 1), where :meth:`logits` gives logits."""
        return torch.sigmoid(self.logits(hidden, rows, counts, statistics=statistics, ended=ended))

    def _around(self, own: Tensor, counts: Tensor, ended: bool | Tensor) -> Tensor:
        """What the other positions of its text add to each position, ``(N, inner_size)``."""
        ends = counts.cumsum(0)
        first = (ends - counts)[counts > 0].to(own.device)
        # A roll brings the neighbouring text to the edges of a text, where nothing is to be read
        added: Tensor = self.preceding(own).roll(1, 0).index_fill(0, first, 0.0)
        if self.following is not None and self.end is not None:
            last = (ends - 1)[counts > 0].to(own.device)
            added = added + self.following(own).roll(-1, 0).index_fill(0, last, 0.0)
            # Empty texts have no end to look at
            closing = self.end(own[last, : self._width])
            whole = self._whole(ended, len(counts), own.device)[(counts > 0).to(own.device)]
            text = torch.arange(len(last)).repeat_interleave(counts[counts > 0])
            added = added + (closing * whole.unsqueeze(1))[text.to(own.device)]
        return added

    def inputs(self, hidden: Tensor, rows: Tensor, statistics: Tensor | None) -> Tensor:
        """``[h, w, h * w]`` and the statistics, not standardised, ``(N, F)``, float32.

        Args:
            hidden: Hidden states, ``(N, W)``.
            rows: Rows of the unembedding of the tokens, ``(N, H)``.
            statistics: Log-probability, entropy and rank, ``(N, 3)``, if the head reads them.
        """
        hidden, rows = hidden.float(), rows.float()
        if self.hidden_projection is not None:
            hidden = self.hidden_projection(hidden)
        if self.row_projection is not None:
            rows = self.row_projection(rows)
        parts = [hidden, rows, hidden * rows]
        return torch.cat(parts if statistics is None else [*parts, statistics.float()], dim=1)

    def _whole(self, ended: bool | Tensor, texts: int, device: torch.device) -> Tensor:
        """Whose end is read, ``(texts,)``, bool."""
        if isinstance(ended, bool):
            whole = torch.full((texts,), ended, device=device)
        elif ended.shape != (texts,):
            raise ValueError(
                f"`ended` must be one bool, or one for each of the {texts} texts, got the shape "
                f"{tuple(ended.shape)}."
            )
        else:
            whole = ended.to(device, torch.bool)
        if self.training:
            whole = whole & (torch.rand(texts, device=device) >= _END_DROPPED)
        return whole

    def _check(
        self, hidden: Tensor, rows: Tensor, counts: Sequence[int], statistics: Tensor | None
    ) -> None:
        if (
            hidden.ndim != 2
            or hidden.shape[1] != self.input_size
            or rows.shape != (len(hidden), self.hidden_size)
        ):
            several = f" and {self.input_size} for `hidden`" * (self.input_size != self.hidden_size)
            raise ValueError(
                f"`hidden` and `rows` must be (N, H) with the head's hidden size of "
                f"{self.hidden_size} as H{several}, got {tuple(hidden.shape)} and "
                f"{tuple(rows.shape)}."
            )
        if sum(counts) != len(hidden) or min(counts, default=0) < 0:
            raise ValueError(
                f"`counts` must share out the {len(hidden)} positions among texts, got "
                f"{list(counts)!r:.60}, which sum to {sum(counts)}."
            )
        if (statistics is not None) != self.statistics:
            raise ValueError(
                f"The head reads {', '.join(STATISTICS)} of each token: give `statistics`."
                if self.statistics
                else "The head does not read `statistics`; leave them out."
            )
        if statistics is not None and statistics.shape != (len(hidden), len(STATISTICS)):
            raise ValueError(
                f"`statistics` must be ({len(hidden)}, {len(STATISTICS)}), got "
                f"{tuple(statistics.shape)}."
            )


def _variant(name: ErrorVariant | str) -> ErrorVariant:
    try:
        return ErrorVariant(name)
    except ValueError:
        raise ValueError(f"`variant` must be {' or '.join(ErrorVariant)}, got {name!r}.") from None
