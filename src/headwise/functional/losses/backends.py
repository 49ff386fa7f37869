"""The backends of linear cross-entropy: what each can do, and the choice among them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec

import torch
from torch import Tensor
from torch.nn import functional as F

from headwise.functional.losses.backend_table import SECONDS
from headwise.functional.losses.counted_positions import CountedPositions, Reduction
from headwise.functional.losses.external_losses import (
    core_loss,
    cut_cross_entropy_arguments,
    cut_cross_entropy_loss,
    liger_loss,
)


class LossBackend(StrEnum):
    """Who computes linear cross-entropy."""

    AUTO = "auto"
    """The fastest that has the options asked for, where that was measured; else ``torch``."""
    TORCH = "torch"
    """Our own: every option, any device."""
    CORE = "core"
    """``torch.nn.functional.linear_cross_entropy``, PyTorch 2.13 or newer. It chooses its own
    chunks, and a mean or a sum takes one backward pass."""
    CCE = "cce"
    """The kernels of cut-cross-entropy, on CUDA. Its filter of small gradients is switched off.
    Releases without ``accum_e_fp32`` sum gradients in the inputs' dtype."""
    LIGER = "liger"
    """The kernels of Liger, on CUDA."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LossOptions:
    """What one call of linear cross-entropy asks for, tensors aside.

    Attributes:
        softcap: Logits become ``softcap * tanh(logits / softcap)``.
        label_smoothing: In [0, 1].
        z_loss: Weight of the squared logsumexp.
        statistics: Whether logsumexp or entropy are returned.
        parallel: Whether processes share the vocabulary.
        blocks: Number of blocks of rows the weight consists of.
    """

    reduction: Reduction
    softcap: float | None
    label_smoothing: float
    z_loss: float
    bias: bool
    token_weights: bool
    statistics: bool
    parallel: bool
    blocks: int

    def asked(self) -> set[str]:
        """Names of the arguments that not every backend has."""
        wanted = {
            "bias": self.bias,
            "label_smoothing": self.label_smoothing != 0.0,
            "process_group": self.parallel,
            "reduction='none'": self.reduction == "none",
            "return_logsumexp or return_entropy": self.statistics,
            "softcap": self.softcap is not None,
            "token_weights": self.token_weights,
            "z_loss": self.z_loss != 0.0,
        }
        return {name for name, here in wanted.items() if here}


@dataclass(frozen=True, slots=True)
class _Abilities:
    """What a backend can do: its options, dtypes, devices (None: any), and how to get it."""

    options: frozenset[str]
    dtypes: frozenset[torch.dtype]
    devices: frozenset[str] | None
    install: str


_HALVES = frozenset({torch.bfloat16, torch.float16})
_ABILITIES = {
    LossBackend.CORE: _Abilities(
        frozenset({"bias", "reduction='none'", "token_weights"}),
        # Its loss has the inputs' dtype; ours is float32, which bfloat16 does not hold
        frozenset({torch.float32, torch.float64}),
        None,
        "pip install 'torch>=2.13'",
    ),
    LossBackend.CCE: _Abilities(
        frozenset({"bias", "reduction='none'", "softcap", "token_weights"}),
        _HALVES,
        frozenset({"cuda"}),
        "pip install cut-cross-entropy",
    ),
    # Its losses of single tokens are left out: their gradients differ between its releases
    LossBackend.LIGER: _Abilities(
        frozenset({"bias", "label_smoothing", "softcap", "z_loss"}),
        _HALVES | {torch.float32},
        frozenset({"cuda"}),
        "pip install liger-kernel",
    ),
}


def choose_backend(
    asked: LossBackend | str,
    *,
    options: LossOptions,
    device: torch.device,
    dtype: torch.dtype,
    vocabulary_size: int,
) -> LossBackend:
    """Check a backend that is asked for by name, or find the fastest; never returns ``auto``.

    ``auto`` is the fastest that is installed and has the options, by measurements at the nearest
    vocabulary size. It is ``torch`` where there are none, as on CUDA, and for several blocks,
    which the others would need in one.

    Raises:
        ImportError: If the backend is not installed.
        ValueError: If there is no such backend, or it lacks an option, the dtype or the device.
    """
    if asked not in tuple(LossBackend):
        raise ValueError(f"`backend` must be one of {_quoted(LossBackend)}, got {asked!r}.")
    backend = LossBackend(asked)
    if backend is LossBackend.AUTO:
        return _fastest(options, device, dtype, vocabulary_size)
    refusal = _refusal(backend, options, device, dtype)
    if refusal is not None:
        raise refusal
    return backend


def run_backend(
    backend: LossBackend,
    positions: CountedPositions,
    weight: Tensor,
    bias: Tensor | None,
    options: LossOptions,
) -> Tensor:
    """Compute the loss with a backend that :func:`choose_backend` returned.

    The backend sees the counted positions alone, so that all backends agree on the others:
    without a counted one the loss is 0, and so are the gradients. The loss is float32, or float64
    of float64 inputs.

    Raises:
        ValueError: For the backends that are not run here.
    """
    hidden = positions.chosen(positions.hidden).to(weight.dtype)
    each = options.reduction == "none" or positions.weights is not None
    if len(positions):
        tensors = (hidden, weight, positions.targets, bias)
        # Autocast would round what the caller has cast on purpose
        with torch.autocast(hidden.device.type, enabled=False):
            losses = _call(backend, tensors, "none" if each else options.reduction, options)
    else:
        # Sums of nothing, so that the gradients are zeros and not missing
        losses = hidden.sum(dim=-1) + weight[:0].sum() + (0 if bias is None else bias[:0].sum())
        losses = losses if each else losses.sum()
    losses = losses.to(torch.promote_types(weight.dtype, torch.float32))
    return positions.reduced(losses, options.reduction) if each else losses


def _fastest(
    options: LossOptions, device: torch.device, dtype: torch.dtype, vocabulary_size: int
) -> LossBackend:
    name = str(dtype).removeprefix("torch.")
    by_size = {
        size: seconds
        for (kind, of, size), seconds in SECONDS.items()
        if (kind, of) == (device.type, name)
    }
    if by_size and options.blocks == 1:
        # Nearest by ratio: costs grow with the size
        nearest = min(by_size, key=lambda size: abs(math.log(size / max(vocabulary_size, 1))))
        for found in sorted(by_size[nearest], key=by_size[nearest].__getitem__):
            if _refusal(LossBackend(found), options, device, dtype) is None:
                return LossBackend(found)
    return LossBackend.TORCH


def _refusal(
    backend: LossBackend, options: LossOptions, device: torch.device, dtype: torch.dtype
) -> Exception | None:
    """The error that says why a backend cannot serve a call, or None if it can."""
    if backend is LossBackend.TORCH:
        return None
    can = _ABILITIES[backend]
    if can.devices is not None and device.type not in can.devices:
        return ValueError(
            f"The backend '{backend}' needs a device of type {_quoted(can.devices)}, got "
            f"'{device}'. Use 'torch', which runs anywhere."
        )
    if dtype not in can.dtypes:
        return ValueError(
            f"The backend '{backend}' needs hidden states and weight of dtype "
            f"{', '.join(sorted(map(str, can.dtypes)))}, got {dtype}. Use 'torch', which takes any."
        )
    if not _installed(backend):
        return ImportError(f"The backend '{backend}' is not installed: {can.install}")
    missing = options.asked() - can.options
    if backend is LossBackend.CCE and options.bias and "bias" not in cut_cross_entropy_arguments():
        return ImportError(
            "This release of cut-cross-entropy has no `bias`. Use the backend 'torch', or a newer "
            "one: pip install 'cut-cross-entropy @ git+https://github.com/apple/ml-cross-entropy'"
        )
    if missing:
        able = [str(LossBackend.TORCH)]
        able += [str(other) for other, its in _ABILITIES.items() if options.asked() <= its.options]
        return ValueError(
            f"The backend '{backend}' has no {', '.join(sorted(missing))}. "
            f"These have all that was asked for: {_quoted(able)}."
        )
    return None


def _installed(backend: LossBackend) -> bool:
    match backend:
        case LossBackend.CORE:
            return hasattr(F, "linear_cross_entropy") and hasattr(
                torch.nn, "LinearCrossEntropyOptions"
            )
        case LossBackend.CCE:
            return find_spec("cut_cross_entropy") is not None
        case _:
            return find_spec("liger_kernel") is not None


def _call(
    backend: LossBackend,
    tensors: tuple[Tensor, Tensor, Tensor, Tensor | None],
    reduction: str,
    options: LossOptions,
) -> Tensor:
    match backend:
        case LossBackend.CORE:
            return core_loss(*tensors, reduction=reduction)
        case LossBackend.CCE:
            return cut_cross_entropy_loss(*tensors, reduction=reduction, softcap=options.softcap)
        case LossBackend.LIGER:
            return liger_loss(
                *tensors,
                reduction=reduction,
                softcap=options.softcap,
                label_smoothing=options.label_smoothing,
                z_loss=options.z_loss,
            )
        case _:
            raise ValueError(f"`backend` must be 'core', 'cce' or 'liger' here, got '{backend}'.")


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
