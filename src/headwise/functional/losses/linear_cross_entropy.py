"""Cross-entropy of an output layer whose logits are never held all at once."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypedDict, Unpack, overload
from zlib import crc32

import torch
from torch import Tensor
from torch.distributed import ProcessGroup

from headwise.functional.chunking import DEFAULT_WORKSPACE_BYTES
from headwise.functional.losses.backends import (
    LossBackend,
    LossOptions,
    choose_backend,
    run_backend,
)
from headwise.functional.losses.checks import (
    check_number,
    check_tensors,
    check_workspace,
    joined_bias,
    outside_graphs,
    product_dtype,
    weight_blocks,
)
from headwise.functional.losses.counted_positions import (
    LM_IGNORE_INDEX,
    CountedPositions,
    Reduction,
    check_reduction,
)
from headwise.functional.losses.linear_loss import LinearLoss
from headwise.functional.losses.logit_losses import SoftmaxLoss
from headwise.functional.losses.vocabulary_slices import VocabularySlice

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


class _Options(TypedDict, total=False):
    """What an overload takes besides the two switches that decide what is returned."""

    bias: Tensor | Sequence[Tensor | None] | None
    ignore_index: int
    reduction: Reduction
    shift: bool
    softcap: float | None
    label_smoothing: float
    token_weights: Tensor | None
    z_loss: float
    backend: BackendName
    process_group: ProcessGroup | None
    workspace_bytes: int


# Type checkers learn from the overloads that a loss comes alone unless a statistic is asked for
@overload
def linear_cross_entropy(
    hidden: Tensor,
    weight: Tensor | Sequence[Tensor],
    targets: Tensor,
    *,
    return_logsumexp: Literal[False] = False,
    return_entropy: Literal[False] = False,
    **options: Unpack[_Options],
) -> Tensor: ...


@overload
def linear_cross_entropy(
    hidden: Tensor,
    weight: Tensor | Sequence[Tensor],
    targets: Tensor,
    *,
    return_logsumexp: Literal[True],
    return_entropy: bool = False,
    **options: Unpack[_Options],
) -> LinearCrossEntropyOutput: ...


@overload
def linear_cross_entropy(
    hidden: Tensor,
    weight: Tensor | Sequence[Tensor],
    targets: Tensor,
    *,
    return_logsumexp: bool = False,
    return_entropy: Literal[True],
    **options: Unpack[_Options],
) -> LinearCrossEntropyOutput: ...


@overload
def linear_cross_entropy(
    hidden: Tensor,
    weight: Tensor | Sequence[Tensor],
    targets: Tensor,
    *,
    return_logsumexp: bool = False,
    return_entropy: bool = False,
    **options: Unpack[_Options],
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

    `torch.compile` breaks the graph here and runs this function as it is; `torch.func` cannot
    transform it.

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
        workspace_bytes: Bound on what the backend ``torch`` holds beyond inputs, results,
            gradients and, where the products are in a lower precision than float32, two things
            more: the float32 sums of the weight's gradient, and under autocast its cast copy.

    Returns:
        The loss, float32 or float64: a scalar, or ``(...)`` with 0 where nothing counts,
        ``(..., T-1)`` with ``shift``. With statistics, a record of loss and statistics. 0 if
        nothing counts.

    Raises:
        ImportError: If the backend is not installed.
        TypeError: If an argument is of another type.
        ValueError: If shapes, dtypes or options do not fit, a target is no token, one position
            does not fit into the workspace, or the backend lacks an option.

    References:
        Wijmans et al. 2025, arXiv 2411.09009 (the loss without the logits); Hsu et al. 2024,
        arXiv 2410.10989, section 3 (gradients in the forward pass, chunk by chunk).
    """
    check_reduction(reduction)
    if softcap is not None:
        check_number("softcap", softcap, least=0.0, above=True)
    check_number("label_smoothing", label_smoothing, least=0.0, most=1.0)
    check_number("z_loss", z_loss, least=0.0)
    check_workspace(workspace_bytes)
    weights, biases = weight_blocks(weight, bias, hidden=hidden)
    check_tensors(hidden=hidden, targets=targets, token_weights=token_weights)
    size = sum(len(block) for block in weights)
    vocabulary = None
    if process_group is not None:
        options = (ignore_index, reduction, shift, softcap, label_smoothing, z_loss)
        # `hash` of a text differs between processes
        told = crc32(repr((*options, return_logsumexp, return_entropy)).encode())
        vocabulary = VocabularySlice.of(
            size,
            call=(*hidden.shape, int(targets.sum()), told),
            group=process_group,
            device=hidden.device,
        )
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
    asked = LossOptions(
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
        backend, options=asked, device=hidden.device, dtype=dtype, vocabulary_size=size
    )
    if chosen is not LossBackend.TORCH:
        # Joining a single block would copy it
        whole = weights[0] if len(weights) == 1 else torch.cat(weights)
        bias = joined_bias(weights, biases).to(dtype) if asked.bias else None
        return run_backend(chosen, positions, whole.to(dtype), bias, asked)
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
