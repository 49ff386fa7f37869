"""Linear cross-entropy as other packages compute it; no target may be one to ignore.

Everywhere ``hidden`` is ``(N, H)``, ``weight`` ``(V, H)`` of the same dtype, ``targets`` ``(N,)``,
int64, and ``bias`` ``(V,)``; the options are those of
:func:`~headwise.functional.losses.linear_cross_entropy`. Packages with kernels want CUDA.
"""

import inspect
from importlib import import_module

import torch
from torch import Tensor
from torch.nn import functional as F


def core_loss(
    hidden: Tensor, weight: Tensor, targets: Tensor, bias: Tensor | None, *, reduction: str
) -> Tensor:
    """The chunked function of PyTorch 2.13 and newer; the loss has the inputs' dtype."""
    return F.linear_cross_entropy(
        hidden,
        weight,
        targets,
        linear_bias=bias,
        reduction=reduction,
        options=torch.nn.LinearCrossEntropyOptions(),
    )


def cut_cross_entropy_arguments() -> set[str]:
    """Names of the arguments that the installed release of cut-cross-entropy takes."""
    function = import_module("cut_cross_entropy").linear_cross_entropy
    return set(inspect.signature(function).parameters)


def cut_cross_entropy_loss(
    hidden: Tensor,
    weight: Tensor,
    targets: Tensor,
    bias: Tensor | None,
    *,
    reduction: str,
    softcap: float | None,
) -> Tensor:
    """The kernels of cut-cross-entropy, in the setting that the package calls exact; float32.

    By default the package drops the gradients of probabilities below the dtype's epsilon over 32,
    which a rare token would never receive. A release that has the arguments sums gradients in
    float32; 25.1.1 sums them in the inputs' dtype.

    References:
        Wijmans et al. 2025, arXiv 2411.09009, section 4.3 (the filter).
    """
    newer = {"accum_e_fp32": True, "accum_c_fp32": True, "bias": bias}
    known = cut_cross_entropy_arguments()
    loss: Tensor = import_module("cut_cross_entropy").linear_cross_entropy(
        hidden,
        weight,
        targets,
        softcap=softcap,
        reduction=reduction,
        filter_eps=None,
        **{name: value for name, value in newer.items() if name in known},
    )
    return loss


def liger_loss(
    hidden: Tensor,
    weight: Tensor,
    targets: Tensor,
    bias: Tensor | None,
    *,
    reduction: str,
    softcap: float | None,
    label_smoothing: float,
    z_loss: float,
) -> Tensor:
    """The kernels of Liger, which compute all gradients in the forward pass; a float32 scalar."""
    if torch.is_grad_enabled() and not hidden.requires_grad:
        # Without gradients of the hidden states Liger computes none of weight and bias either,
        # and says nothing: a head on a frozen model would not be trained
        trained = weight.requires_grad or (bias is not None and bias.requires_grad)
        hidden = hidden.detach().requires_grad_(trained)
    module = import_module("liger_kernel.transformers.fused_linear_cross_entropy")
    loss: Tensor = module.LigerFusedLinearCrossEntropyLoss(
        lse_square_scale=z_loss,
        label_smoothing=label_smoothing,
        reduction=reduction,
        softcap=softcap,
        accum_dtype=torch.float32,
    )(weight, hidden, targets, bias)
    return loss
