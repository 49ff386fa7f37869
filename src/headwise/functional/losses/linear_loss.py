"""A loss over logits that are built, read and turned into gradients chunk by chunk."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from headwise.functional.logit_chunks import over_logits
from headwise.functional.losses.counted_positions import CountedPositions, Reduction
from headwise.functional.losses.logit_layer import LayerGradients, LogitLayer
from headwise.functional.losses.logit_losses import LogitLoss
from headwise.functional.losses.vocabulary_slices import VocabularySlice


@dataclass(frozen=True, slots=True)
class LinearLoss:
    """A loss of the logits ``h . w_v + b_v + c_t``.

    Attributes:
        rule: The loss, and which token is each position's target.
        rows: Which hidden states count, ``(n,)``; ``None`` for all N.
        dtype: In which the products are computed; sums and losses are in float32, or in float64
            if this is.
        workspace_bytes: Bound on the memory held beyond inputs, results and gradients.
        vocabulary: The slice of the vocabulary that this process has; ``None`` for all of it.
    """

    rule: LogitLoss
    rows: Tensor | None
    dtype: torch.dtype
    workspace_bytes: int
    vocabulary: VocabularySlice | None = None

    def reduced(
        self,
        positions: CountedPositions,
        reduction: Reduction,
        weights: Sequence[Tensor],
        biases: Sequence[Tensor | None],
        row_bias: Tensor | None = None,
    ) -> Tensor:
        """The loss of a batch, in the cheaper of the two ways that can give it.

        ``weights`` are blocks of rows of the unembedding, ``(V_i, H)``, each with its bias,
        ``(V_i,)``, and ``row_bias`` is c, ``(N,)``.
        """
        inputs = (positions.hidden, *weights, *biases, row_bias)
        trained = any(each is not None and each.requires_grad for each in inputs)
        given = positions.weights is None or not positions.weights.requires_grad
        # In float16 gradients vanish unless the loss scale is in them from the start
        exact = all(each is None or each.dtype != torch.float16 for each in inputs)
        exact = exact and self.dtype != torch.float16
        if reduction != "none" and trained and torch.is_grad_enabled() and given and exact:
            scales = positions.scales(reduction, dtype=self.sums)
            return self.summed(scales, positions.hidden, weights, biases, row_bias)
        values = self.each(positions.hidden, weights, biases, row_bias)
        return positions.reduced(values[:, 0], reduction)

    @property
    def sums(self) -> torch.dtype:
        """The dtype of logits, losses and sums."""
        return torch.promote_types(self.dtype, torch.float32)

    def each(
        self,
        hidden: Tensor,
        weights: Sequence[Tensor],
        biases: Sequence[Tensor | None],
        row_bias: Tensor | None = None,
    ) -> Tensor:
        """Values of each position, ``(n, C)``; the backward pass builds the logits anew."""
        values: Tensor = _Values.apply(self, hidden, row_bias, *weights, *biases)  # type: ignore[no-untyped-call]
        return values

    def summed(
        self,
        token_weights: Tensor,
        hidden: Tensor,
        weights: Sequence[Tensor],
        biases: Sequence[Tensor | None],
        row_bias: Tensor | None = None,
    ) -> Tensor:
        """Weighted sum of the losses; the gradients are computed at once, with the loss.

        That saves building the logits twice. It needs the weights, ``(n,)``, to be known, and a
        dtype in which gradients do not vanish before a loss scale reaches them.
        """
        total: Tensor = _Sum.apply(self, token_weights, hidden, row_bias, *weights, *biases)  # type: ignore[no-untyped-call]
        return total

    def layer(self, tensors: Sequence[Tensor | None]) -> LogitLayer:
        """The unembedding with room for one chunk; tensors in the order of `each`."""
        return LogitLayer(
            tensors,
            rows=self.rows,
            dtype=self.dtype,
            temporaries=self.rule.temporaries,
            workspace_bytes=self.workspace_bytes,
            vocabulary=self.vocabulary,
        )

    def stacked(self, values: list[Tensor], layer: LogitLayer) -> Tensor:
        """Values of all chunks, ``(n, C)``."""
        empty = layer.hidden.new_empty(0, self.rule.columns, dtype=layer.sums)
        return torch.cat(values or [empty])


class _Values(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, loss: LinearLoss, *tensors: Tensor | None) -> Tensor:
        ctx.loss = loss

        def work(part: slice, logits: Tensor) -> Tensor:
            loss.rule.prepare_(logits, part)
            return loss.rule.values(logits, part, layer.slabs)

        with _no_autocast(tensors):
            layer = loss.layer(tensors)
            values = loss.stacked(over_logits(work, layer.logits, layer.plan), layer)
        ctx.save_for_backward(values, *tensors)
        return values

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        _refuse_second_derivatives()
        values, *tensors = ctx.saved_tensors
        wanted = ctx.needs_input_grad[1:]
        return None, *_gradients(ctx.loss, tensors, upstream, wanted=wanted, values=values)[1]


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, loss: LinearLoss, token_weights: Tensor, *tensors: Tensor | None
    ) -> Tensor:
        ctx.loss = loss
        upstream = _upstream(loss, token_weights)
        values, ctx.gradients = _gradients(loss, tensors, upstream, wanted=ctx.needs_input_grad[2:])
        ctx.save_for_backward(values, token_weights, *tensors)
        return torch.dot(values[:, 0], token_weights.to(values.dtype))

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        _refuse_second_derivatives()
        values, token_weights, *tensors = ctx.saved_tensors
        # They are given away, so that they need not be copied; who comes again pays anew
        gradients, ctx.gradients = ctx.gradients, None
        if gradients is None:
            _, gradients = _gradients(
                ctx.loss,
                tensors,
                _upstream(ctx.loss, token_weights * upstream),
                wanted=ctx.needs_input_grad[2:],
                values=values,
            )
        # Asking another device for the number would make this process wait for it
        elif upstream.device.type != "cpu" or upstream.item() != 1.0:
            for gradient in gradients:
                if gradient is not None:
                    gradient.mul_(upstream)
        return None, None, *gradients


def _refuse_second_derivatives() -> None:
    # PyTorch's `once_differentiable` looks at the upstream gradient alone; where that is a
    # constant, second derivatives would lack this loss without a word
    if torch.is_grad_enabled():
        raise RuntimeError(
            "This loss can be differentiated once, but `create_graph=True` asks for more; compute "
            "it from `hidden @ weight.T` where second derivatives are needed."
        )


def _upstream(loss: LinearLoss, token_weights: Tensor) -> Tensor:
    """Gradient of the values where only the loss counts, ``(n, C)``."""
    upstream = token_weights.new_zeros(len(token_weights), loss.rule.columns)
    upstream[:, 0] = token_weights
    return upstream


def _no_autocast(tensors: Sequence[Tensor | None]) -> torch.autocast:
    # The layer has chosen its dtypes itself
    assert tensors[0] is not None
    return torch.autocast(tensors[0].device.type, enabled=False)


def _gradients(
    loss: LinearLoss,
    tensors: Sequence[Tensor | None],
    upstream: Tensor,
    *,
    wanted: Sequence[bool],
    values: Tensor | None = None,
) -> tuple[Tensor, list[Tensor | None]]:
    """Values, unless they are known, and the gradients of all tensors, from one set of logits."""
    with _no_autocast(tensors):
        layer = loss.layer(tensors)
        gradients = LayerGradients(layer, wanted)
        upstream = upstream.to(layer.sums)

        def work(part: slice, logits: Tensor) -> Tensor:
            loss.rule.prepare_(logits, part)
            found = loss.rule.values(logits, part, layer.slabs) if values is None else values[part]
            loss.rule.gradient_(logits, part, found, upstream[part], layer.slabs)
            gradients.add(part, logits)
            return found

        found = over_logits(work, layer.logits, layer.plan)
        layer.let_go()
        return loss.stacked(found, layer), gradients.finished()
