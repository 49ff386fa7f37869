"""Stand-ins for packages that run on CUDA alone, with the arguments of the real ones."""

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest
import torch
from torch.nn import functional as F

from headwise.functional.losses.backends import LossOptions


def options_of(**changes: object) -> LossOptions:
    """What a plain call asks for, with changes."""
    plain: dict[str, object] = {
        "reduction": "mean",
        "softcap": None,
        "label_smoothing": 0.0,
        "z_loss": 0.0,
        "bias": False,
        "token_weights": False,
        "statistics": False,
        "parallel": False,
        "blocks": 1,
    }
    return LossOptions(**(plain | changes))  # type: ignore[arg-type]


def put_module(monkeypatch: pytest.MonkeyPatch, name: str) -> ModuleType:
    """An empty package under this name, as if it were installed."""
    parents = name.split(".")
    for end in range(1, len(parents) + 1):
        path = ".".join(parents[:end])
        module = ModuleType(path)
        module.__spec__ = ModuleSpec(path, None)
        monkeypatch.setitem(sys.modules, path, module)
    return module


def put_cce(monkeypatch: pytest.MonkeyPatch, *, newer: bool) -> list[dict[str, object]]:
    """A cut-cross-entropy with the arguments of 25.1.1, or of the later ones on GitHub."""
    calls: list[dict[str, object]] = []

    def loss_of(e, c, targets, bias, softcap, reduction):
        logits = e @ c.T if bias is None else e @ c.T + bias
        logits = logits if softcap is None else softcap * torch.tanh(logits / softcap)
        return F.cross_entropy(logits.float(), targets, reduction=reduction)

    def old(
        e,
        c,
        targets,
        ignore_index=-100,
        softcap=None,
        reduction="mean",
        shift=False,
        filter_eps="high",
        impl="cce",
    ):
        calls.append(dict(locals()))
        return loss_of(e, c, targets, None, softcap, reduction)

    def new(
        e,
        c,
        targets,
        bias=None,
        ignore_index=-100,
        softcap=None,
        reduction="mean",
        shift=0,
        filter_eps="auto",
        accum_e_fp32=False,
        accum_c_fp32=False,
        filter_e_grad=True,
        filter_c_grad=True,
        impl="cce",
        vocab_parallel_options=None,
    ):
        calls.append(dict(locals()))
        return loss_of(e, c, targets, bias, softcap, reduction)

    put_module(monkeypatch, "cut_cross_entropy").linear_cross_entropy = new if newer else old
    return calls


def put_liger(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """A Liger with the arguments of 0.8.5, which like it forgets weights of frozen states."""
    calls: list[dict[str, object]] = []

    class LigerFusedLinearCrossEntropyLoss(torch.nn.Module):
        def __init__(
            self,
            ce_weight=None,
            ignore_index=-100,
            lse_square_scale=0.0,
            label_smoothing=0.0,
            reduction="mean",
            softcap=None,
            return_z_loss=False,
            accum_dtype=None,
            use_token_scaling=False,
            return_token_accuracy=False,
            return_predicted_tokens=False,
        ):
            super().__init__()
            calls.append({k: v for k, v in locals().items() if k not in ("self", "__class__")})

        def forward(self, lin_weight, _input, target, bias=None):
            asked = calls[-1]
            if not _input.requires_grad:
                lin_weight = lin_weight.detach()
            logits = _input @ lin_weight.T if bias is None else _input @ lin_weight.T + bias
            if asked["softcap"] is not None:
                logits = asked["softcap"] * torch.tanh(logits / asked["softcap"])
            loss = F.cross_entropy(
                logits.float(), target, label_smoothing=asked["label_smoothing"], reduction="none"
            )
            loss = loss + asked["lse_square_scale"] * logits.float().logsumexp(-1) ** 2
            return loss.mean() if asked["reduction"] == "mean" else loss.sum()

    name = "liger_kernel.transformers.fused_linear_cross_entropy"
    put_module(
        monkeypatch, name
    ).LigerFusedLinearCrossEntropyLoss = LigerFusedLinearCrossEntropyLoss
    return calls
