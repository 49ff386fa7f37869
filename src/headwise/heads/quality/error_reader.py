"""Read a text with an error head token by token: what was computed for one is kept for the next."""

import torch
from torch import Tensor, nn

from headwise.heads.quality.error_head import ErrorHead


class ErrorReader:
    """Probabilities of a text that goes on: those of :meth:`ErrorHead.score`, without an end.

    A position and what it adds to its neighbours are computed once, by one product. The causal
    variant judges a token at once, the other one when the next token is there.

    Args:
        head: An error head in evaluation mode; it is read as it is now.

    Attributes:
        head: That head.
    """

    def __init__(self, head: ErrorHead) -> None:
        self.head = head
        layers = [head.own, head.preceding, *([head.following] if head.following else [])]
        width = head.own.in_features
        with torch.inference_mode():
            # The statistics stand last, and only the position's own layer reads them
            weights = [
                nn.functional.pad(one.weight, (0, width - one.in_features)) for one in layers
            ]
            self._weight = torch.cat(weights)
            assert head.own.bias is not None
            self._bias = nn.functional.pad(head.own.bias, (0, len(self._weight) - head.inner_size))
            self._mean, self._scale = head.mean, head.scale.reciprocal()
            self._output, self._output_bias = head.output.weight, head.output.bias
        self._inner = head.inner_size
        self._before: Tensor | None = None  # what the position before adds
        self._waiting: Tensor | None = None  # a position that lacks the one after it

    def push(
        self, hidden: Tensor, row: Tensor, statistics: Tensor | None = None
    ) -> tuple[float, float] | None:
        """Add a position.

        Args:
            hidden: The hidden state that predicts the token, ``(1, input_size)``.
            row: The token's row of the unembedding, ``(1, H)``.
            statistics: Log-probability, entropy and logarithm of the rank, ``(1, 3)``; if and only
                if the head reads them.

        Returns:
            Probabilities that a token is wrong, and that something is missing right before it: of
            this token, or of the one before it, where the head looks ahead and there is one.
        """
        with torch.inference_mode():
            inputs = self.head.inputs(hidden, row, statistics)
            inputs = inputs.sub_(self._mean).mul_(self._scale)
            found = nn.functional.linear(inputs, self._weight, self._bias)
            own, before, *after = found.split(self._inner, 1)
            if self._before is not None:
                own = own.add_(self._before)
            self._before = before
            if not after:
                return self._judged(own)
            waiting, self._waiting = self._waiting, own
            return None if waiting is None else self._judged(waiting.add_(after[0]))

    def finish(self) -> tuple[float, float] | None:
        """Forget the text; the probabilities of a token that still waits, with nothing after it."""
        waiting, self._waiting, self._before = self._waiting, None, None
        with torch.inference_mode():
            return None if waiting is None else self._judged(waiting)

    def _judged(self, inner: Tensor) -> tuple[float, float]:
        # Plain functions: for one position, a module's own work would take as long as the product
        active = nn.functional.gelu(inner)
        logits = nn.functional.linear(active, self._output, self._output_bias)
        wrong, missing = logits.sigmoid().tolist()[0]
        return wrong, missing
