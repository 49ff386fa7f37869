"""The sides of the comparison of linear cross-entropy: one step of each, and what it holds."""

import gc
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from comparison import PeakMemory
from headwise.functional import linear_cross_entropy
from headwise.functional.losses.backends import LossBackend, LossOptions, choose_backend
from headwise.functional.losses.external_losses import core_loss
from peak_memory import peak_bytes

DENSE, CORE, OURS = "dense", "core", "ours"
Gradients = tuple[Tensor, ...]
Loss = Callable[[Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Problem:
    """Sizes of a step, and where it runs."""

    positions: int
    hidden: int
    vocabulary: int
    dtype: torch.dtype
    device: torch.device

    def tensors(self) -> tuple[Tensor, Tensor, Tensor]:
        """Hidden states (N, H), weight (V, H) and targets (N,), the same at every call."""
        generator = torch.Generator().manual_seed(0)
        hidden = torch.randn(self.positions, self.hidden, generator=generator)
        # Logits with a standard deviation of 2, so that the softmax is neither flat nor one token
        weight = torch.randn(self.vocabulary, self.hidden, generator=generator)
        weight.mul_(2 / self.hidden**0.5)
        targets = torch.randint(self.vocabulary, (self.positions,), generator=generator)
        hidden, weight = (x.to(self.device, self.dtype) for x in (hidden, weight))
        return hidden.requires_grad_(), weight.requires_grad_(), targets.to(self.device)

    @property
    def gradient_bytes(self) -> int:
        """Size of the gradients of hidden states and weight."""
        return (self.positions + self.vocabulary) * self.hidden * self.dtype.itemsize


def dense(hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """All logits at once."""
    return F.cross_entropy((hidden @ weight.T).float(), targets)


def core(hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """PyTorch's own chunks."""
    return core_loss(hidden, weight, targets, None, reduction="mean")


def backend(name: LossBackend) -> Loss:
    """Linear cross-entropy with a backend."""
    return lambda hidden, weight, targets: linear_cross_entropy(
        hidden, weight, targets, backend=name
    )


def cut_cross_entropy_default(hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """As the package is called by most: its filter drops small gradients."""
    from cut_cross_entropy import linear_cross_entropy as cut

    return cut(hidden, weight, targets)


def available(problem: Problem, *, asked: tuple[LossBackend, ...]) -> list[LossBackend]:
    """The backends that run here on such a problem."""
    options = LossOptions(
        reduction="mean",
        softcap=None,
        label_smoothing=0.0,
        z_loss=0.0,
        bias=False,
        token_weights=False,
        statistics=False,
        parallel=False,
        blocks=1,
    )
    found = []
    for name in asked:
        try:
            choose_backend(
                name,
                options=options,
                device=problem.device,
                dtype=problem.dtype,
                vocabulary_size=problem.vocabulary,
            )
        except (ImportError, ValueError):
            continue
        found.append(name)
    return found


def sides(problem: Problem) -> dict[str, Loss]:
    """Dense, core where this PyTorch has it, ours, and the kernels that are installed."""
    found: dict[str, Loss] = {DENSE: dense}
    if hasattr(torch.nn, "LinearCrossEntropyOptions"):
        found[CORE] = core
    found[OURS] = backend(LossBackend.TORCH)
    for name in available(problem, asked=(LossBackend.CCE, LossBackend.LIGER)):
        found[str(name)] = backend(name)
        if name is LossBackend.CCE:
            found["cce, its defaults"] = cut_cross_entropy_default
    return found


def step(loss: Loss, tensors: tuple[Tensor, Tensor, Tensor]) -> Gradients:
    """Forward and backward pass: the gradients of hidden states and weight."""
    hidden, weight, targets = tensors
    gradients = torch.autograd.grad(loss(hidden, weight, targets), (hidden, weight))
    if hidden.is_cuda:
        torch.cuda.synchronize()
    return gradients


def allocator_extra(
    loss: Loss, tensors: tuple[Tensor, Tensor, Tensor], problem: Problem
) -> tuple[int, Gradients]:
    """Bytes beyond the gradients' own that a step holds at most, counted at the allocator."""
    gc.collect()
    if problem.device.type == "cuda":
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        gradients = step(loss, tensors)
        peak = torch.cuda.max_memory_allocated() - before
    else:
        peak, gradients = peak_bytes(lambda: step(loss, tensors))
    return peak - problem.gradient_bytes, gradients


def resident_extra(loss: Loss, problem: Problem) -> int:
    """The same by the resident memory of a process that has done little else."""
    tensors = problem.tensors()
    # The first products allocate the library's own buffers, which belong to no side
    few = Problem(8, problem.hidden, 64, problem.dtype, problem.device)
    step(loss, few.tensors())
    with PeakMemory() as peak:
        step(loss, tensors)
    return peak.extra - problem.gradient_bytes
