"""Cross-entropy of an output layer whose logits are never held all at once."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, overload

import torch
from torch import Tensor
from torch.distributed import ProcessGroup

from headwise.functional.chunking import DEFAULT_WORKSPACE_BYTES
from headwise.functional.counted_positions import (
    LM_IGNORE_INDEX,
    CountedPositions,
    Reduction,
    check_reduction,
)
from headwise.functional.graph_break import outside_graphs
from headwise.functional.linear_layers import blocks_of, product_dtype
from headwise.functional.linear_loss import LinearLoss
from headwise.functional.loss_backends import (
    LossBackend,
    LossOptions,
    choose_backend,
    run_backend,
)
from headwise.functional.loss_rules import SoftmaxLoss
from headwise.functional.vocabulary_slices import VocabularySlice

BackendName = LossBackend | Literal["auto", "torch", "core", "cce", "liger"]


class LinearCrossEntropyOutput(NamedTuple):
    """A loss and what came with it.

    Attributes:
        loss: As without statistics.
        logsumexp: Log-sum-exp of each position's logits, in the shape of losses that are not
            reduced, 0 where nothing counts; ``None`` if not asked for.
        entropy: Entropy of each position's distribution in nats; likewise.
    """

    loss: Tensor
    logsumexp: Tensor | None
    entropy: Tensor | None


@overload
def linear_cross_entropy(
    hidden: Tensor,
    weight: Tensor | Sequence[Tensor],
    targets: Tensor,
    *,
    bias: Tensor | Sequence[Tensor | None] | None = None,
    ignore_index: int = LM_IGNORE_INDEX,
    reduction: Reduction = "mean",
    shift: bool = False,
    softcap: float | None = None,
    label_smoothing: float = 0.0,
    token_weights: Tensor | None = None,
    z_loss: float = 0.0,
    return_logsumexp: Literal[False] = False,
    return_entropy: Literal[False] = False,
    backend: BackendName = "auto",
    process_group: ProcessGroup | None = None,
    workspace_bytes: int = DEFAULT_WORKSPACE_BYTES,
) -> Tensor: ...


@overload
def linear_cross_entropy(
    hidden: Tensor,
    weight: Tensor | Sequence[Tensor],
    targets: Tensor,
    *,
    bias: Tensor | Sequence[Tensor | None] | None = None,
    ignore_index: int = LM_IGNORE_INDEX,
    reduction: Reduction = "mean",
    shift: bool = False,
    softcap: float | None = None,
    label_smoothing: float = 0.0,
    token_weights: Tensor | None = None,
    z_loss: float = 0.0,
    return_logsumexp: bool = False,
    return_entropy: bool = False,
    backend: BackendName = "auto",
    process_group: ProcessGroup | None = None,
    workspace_bytes: int = DEFAULT_WORKSPACE_BYTES,
) -> Tensor | LinearCrossEntropyOutput: ...


@outside_graphs
def linear_cross_entropy(
    hidden: Tensor,
    weight: Tensor | Sequence[Tensor],
    targets: Tensor,
    *,
    bias: Tensor | Sequence[Tensor | None] | None = None,
    ignore_index: int = LM_IGNORE_INDEX,
    reduction: Reduction = "mean",
    shift: bool = False,
    softcap: float | None = None,
    label_smoothing: float = 0.0,
    token_weights: Tensor | None = None,
    z_loss: float = 0.0,
    return_logsumexp: bool = False,
    return_entropy: bool = False,
    backend: BackendName = "auto",
    process_group: ProcessGroup | None = None,
    workspace_bytes: int = DEFAULT_WORKSPACE_BYTES,
) -> Tensor | LinearCrossEntropyOutput:
    """Cross-entropy of ``hidden @ weight.T + bias`` without the logits of all positions.

    The logits of a few positions are built, read, overwritten by their own gradient, and dropped.
    With a reduction that is done once, in the forward pass, and the gradients wait for the
    backward pass: three matrix products, as many as the plain formula takes. Without a
    reduction, or with statistics, the backward pass builds the logits anew: four. Sums are in
    float32, in float64 for a weight of float64. Differentiable once.

    `torch.compile` breaks the graph here and runs this function as it is.

    Args:
        hidden: Hidden states, ``(..., H)``, floating point; cast to the dtype of the weight, or
            to that of autocast where it is on.
        weight: Unembedding, ``(V, H)``, or blocks of its rows, ``(V_i, H)``, in order. A block
            that needs no gradient costs none.
        targets: Token ids, ``(...)``, int64.
        bias: ``(V,)``, or one tensor ``(V_i,)`` or ``None`` a block.
        ignore_index: Target of a position that does not count; it costs nothing.
        reduction: ``mean`` over what counts, ``sum``, or ``none``.
        shift: Whether position t predicts ``targets[..., t + 1]``, the last one nothing.
        softcap: c, makes logits ``c * tanh(z / c)``; ``None`` for none.
        label_smoothing: Share of the target's mass that all tokens get alike, in [0, 1].
        token_weights: Weight of each position, ``(...)``; a mean divides by their sum. With
            ``shift``, those of the targets.
        z_loss: Adds ``z_loss * logsumexp**2`` to each position's loss.
        return_logsumexp: Whether to return the log-sum-exp; differentiable.
        return_entropy: Whether to return the entropy; differentiable.
        backend: Who computes it; see :class:`LossBackend`. ``auto`` is the fastest that can.
        process_group: Processes that each hold a slice of the vocabulary, in the order of their
            ranks. All must call with the same hidden states, targets (ids of the whole
            vocabulary) and options; each gets the whole loss, the whole gradient of the hidden
            states, and that of its own slice.
        workspace_bytes: Bound on the memory held beyond inputs, results and gradients, by the
            backend ``torch``.

    Returns:
        The loss, float32 or float64: a scalar, or ``(...)`` with 0 where nothing counts,
        ``(..., T-1)`` with ``shift``. With statistics, a record of loss and statistics. 0 if
        nothing counts.

    Raises:
        ImportError: If the backend is not installed.
        ValueError: If shapes, dtypes or options do not fit, a target is no token, one position
            does not fit into the workspace, or the backend lacks an option.

    References:
        Wijmans et al. 2025, arXiv 2411.09009 (the loss without the logits); Hsu et al. 2024,
        arXiv 2410.10989, section 3 (gradients in the forward pass, chunk by chunk).
    """
    check_reduction(reduction)
    _check_options(softcap, label_smoothing)
    weights, biases = blocks_of(weight, bias, hidden_size=hidden.shape[-1] if hidden.ndim else 0)
    size = sum(len(block) for block in weights)
    vocabulary = None
    if process_group is not None:
        vocabulary = VocabularySlice.of(size, group=process_group, device=hidden.device)
        size = vocabulary.total
    positions = CountedPositions.of(
        hidden,
        targets,
        vocabulary_size=size,
        ignore_index=ignore_index,
        shift=shift,
        token_weights=token_weights,
    )
    statistics = return_logsumexp or return_entropy
    dtype = product_dtype(weights[0])
    options = LossOptions(
        softcap=softcap,
        label_smoothing=label_smoothing,
        z_loss=z_loss,
        reduction=reduction,
        bias=any(each is not None for each in biases),
        token_weights=token_weights is not None,
        statistics=statistics,
        parallel=vocabulary is not None,
        blocks=len(weights),
    )
    chosen = choose_backend(
        backend, options=options, device=hidden.device, dtype=dtype, vocabulary_size=size
    )
    if chosen is not LossBackend.TORCH:
        bias = _joined(weights, biases).to(dtype) if options.bias else None
        return run_backend(chosen, positions, torch.cat(weights).to(dtype), bias, options)
    loss = LinearLoss(
        rule=SoftmaxLoss(
            targets=positions.targets,
            softcap=softcap,
            label_smoothing=label_smoothing,
            z_loss=z_loss,
            with_entropy=return_entropy,
            vocabulary=vocabulary,
        ),
        rows=positions.rows,
        dtype=dtype,
        workspace_bytes=workspace_bytes,
        vocabulary=vocabulary,
    )
    if not statistics:
        return loss.reduced(positions, reduction, weights, biases)
    values = loss.each(positions.hidden, weights, biases)
    return LinearCrossEntropyOutput(
        positions.reduced(values[:, 0], reduction),
        positions.in_shape(values[:, 1]) if return_logsumexp else None,
        positions.in_shape(values[:, 2]) if return_entropy else None,
    )


def _check_options(softcap: float | None, label_smoothing: float) -> None:
    if softcap is not None and not softcap > 0.0:
        raise ValueError(f"`softcap` must be positive or None, got {softcap}.")
    if not 0.0 <= label_smoothing <= 1.0:
        raise ValueError(f"`label_smoothing` must lie in [0, 1], got {label_smoothing}.")


def _joined(weights: Sequence[Tensor], biases: Sequence[Tensor | None]) -> Tensor:
    return torch.cat(
        [
            weight.new_zeros(len(weight)) if bias is None else bias
            for weight, bias in zip(weights, biases, strict=True)
        ]
    )
