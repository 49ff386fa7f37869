"""The losses over a vocabulary by the book, with every logit built; inputs; and comparisons."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

Blocks = Tensor | Sequence[Tensor]
BiasBlocks = Tensor | Sequence[Tensor | None] | None


class Dense(NamedTuple):
    """Loss as reduced, and per token, 0 where ignored, the rest."""

    loss: Tensor
    logsumexp: Tensor
    entropy: Tensor


def dense_logits(hidden: Tensor, weight: Blocks, bias: BiasBlocks = None) -> Tensor:
    """Logits ``(..., V)`` of all blocks."""
    blocks = [weight] if isinstance(weight, Tensor) else list(weight)
    biases = [bias] * len(blocks) if bias is None or isinstance(bias, Tensor) else list(bias)
    parts = [
        hidden @ block.T if one is None else hidden @ block.T + one
        for block, one in zip(blocks, biases, strict=True)
    ]
    return torch.cat(parts, dim=-1)


def predicting(tensor: Tensor, *, shift: bool, matrix: bool = False) -> Tensor:
    """The positions that predict something; ``matrix`` if a last axis follows them."""
    if not shift:
        return tensor
    return tensor[..., :-1, :] if matrix else tensor[..., :-1]


def reduced(losses: Tensor, counted: Tensor, weights: Tensor | None, reduction: str) -> Tensor:
    """Weighted losses; the mean divides by the weights of the counted, and no weight gives 0."""
    weight = (torch.ones_like(losses) if weights is None else weights.to(losses.dtype)) * counted
    losses = losses * weight
    if reduction == "none":
        return losses
    total = weight.sum() if reduction == "mean" else losses.new_ones(())
    return losses.sum() / torch.where(total == 0, torch.ones_like(total), total)


def dense_cross_entropy(
    hidden: Tensor,
    weight: Blocks,
    targets: Tensor,
    *,
    bias: BiasBlocks = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    shift: bool = False,
    softcap: float | None = None,
    label_smoothing: float = 0.0,
    token_weights: Tensor | None = None,
    z_loss: float = 0.0,
) -> Dense:
    """What `linear_cross_entropy` must equal."""
    hidden = predicting(hidden, shift=shift, matrix=True)
    if shift:
        targets = targets[..., 1:]
        token_weights = None if token_weights is None else token_weights[..., 1:]
    logits = dense_logits(hidden, weight, bias)  # (..., V)
    if softcap is not None:
        logits = softcap * torch.tanh(logits / softcap)
    counted = targets != ignore_index
    log_probs = logits.log_softmax(-1)
    own = log_probs.gather(-1, targets.where(counted, 0).unsqueeze(-1)).squeeze(-1)
    logsumexp = logits.logsumexp(-1)
    losses = (
        -(1 - label_smoothing) * own - label_smoothing * log_probs.mean(-1) + z_loss * logsumexp**2
    )
    entropy = -(log_probs.exp() * log_probs).sum(-1)
    return Dense(
        reduced(losses, counted, token_weights, reduction), logsumexp * counted, entropy * counted
    )


def dense_sigmoid_cross_entropy(
    hidden: Tensor,
    weight: Blocks,
    targets: Tensor,
    *,
    bias: BiasBlocks = None,
    row_bias: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    shift: bool = False,
    token_weights: Tensor | None = None,
    target_weights: Tensor | None = None,
    excluded: Tensor | None = None,
) -> Tensor:
    """What `linear_sigmoid_cross_entropy` must equal."""
    hidden = predicting(hidden, shift=shift, matrix=True)
    row_bias = None if row_bias is None else predicting(row_bias, shift=shift)
    if shift:
        targets = targets[..., 1:]
        token_weights = None if token_weights is None else token_weights[..., 1:]
        target_weights = None if target_weights is None else target_weights[..., 1:]
        excluded = None if excluded is None else excluded[..., 1:, :]
    logits = dense_logits(hidden, weight, bias)
    if row_bias is not None:
        logits = logits + row_bias.unsqueeze(-1)
    counted = targets != ignore_index
    own = targets.where(counted, 0).unsqueeze(-1)
    negative = torch.ones_like(logits, dtype=torch.bool)
    if excluded is not None:
        for column in excluded.unbind(-1):
            index = column.clamp(min=0).unsqueeze(-1)
            kept = negative.gather(-1, index) & (column < 0).unsqueeze(-1)
            negative = negative.scatter(-1, index, kept)
    negative = negative.scatter(-1, own, torch.zeros_like(own, dtype=torch.bool))
    positives = torch.nn.functional.softplus(-logits.gather(-1, own).squeeze(-1))
    if target_weights is not None:
        positives = positives * target_weights
    losses = positives + (torch.nn.functional.softplus(logits) * negative).sum(-1)
    return reduced(losses, counted, token_weights, reduction)


def loss_inputs(
    *shape: int, v: int = 13, h: int = 5, ignored: float = 0.25, dtype: torch.dtype = torch.float64
) -> dict[str, Tensor]:
    """Leaves that require gradients, and targets some of which are ignored."""
    generator = torch.Generator().manual_seed(sum(shape) + v + h)

    def leaf(*size: int) -> Tensor:
        values = torch.randn(size, generator=generator, dtype=torch.float64).to(dtype)
        return values.requires_grad_()

    targets = torch.randint(0, v, shape, generator=generator)
    if ignored:
        targets[torch.rand(shape, generator=generator) < ignored] = -100
    return {
        "hidden": leaf(*shape, h),
        "weight": leaf(v, h),
        "bias": leaf(v),
        "targets": targets,
        "token_weights": torch.rand(shape, generator=generator).to(dtype),
    }


def upstream_sum(outputs: list[Tensor]) -> Tensor:
    """A scalar in which no two entries have the same upstream gradient, and none has 1."""
    total = outputs[0].new_zeros(())
    for number, output in enumerate(outputs, 1):
        steps = torch.arange(2, output.numel() + 2, dtype=output.dtype).view_as(output)
        total = total - 1.7 * number * (output * steps.sin()).sum()
    return total


def tensors(found: Any) -> list[Tensor]:
    """The outputs that were asked for."""
    return [found] if isinstance(found, Tensor) else [part for part in found if part is not None]


def assert_same(
    found: list[Tensor], wanted: list[Tensor], leaves: list[Tensor], **close: float
) -> None:
    """Equal values, and equal gradients of every leaf."""
    close = close or {"rtol": 1e-9, "atol": 1e-11}
    assert len(found) == len(wanted)
    for part, target in zip(found, wanted, strict=True):
        torch.testing.assert_close(part, target, check_dtype=False, **close)
    gradients = [
        torch.autograd.grad(upstream_sum(outputs), leaves, allow_unused=True)
        for outputs in (found, wanted)
    ]
    for own, target, leaf in zip(*gradients, leaves, strict=True):
        assert (own is None) == (target is None) or not bool(target.any()), tuple(leaf.shape)
        if own is not None and target is not None:
            torch.testing.assert_close(own, target, **close)
