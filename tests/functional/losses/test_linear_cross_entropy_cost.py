"""What `linear_cross_entropy` costs: bytes beyond gradients, and matrix products."""

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from headwise.functional import linear_cross_entropy
from peak_memory import peak_bytes

fused = partial(linear_cross_entropy, backend="torch")
N, V, H = 256, 3000, 24
# What a loss may hold for its positions: a few numbers each, and hidden states once more
PER_POSITION = N * (16 * 8 + 2 * H * 4) + 16 * 1024


def inputs(dtype: torch.dtype = torch.float32, ignored: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(N)
    targets = torch.randint(0, V, (N,))
    targets[torch.randperm(N)[:ignored]] = -100
    hidden, weight = torch.randn(N, H).to(dtype), torch.randn(V, H).to(dtype)
    return hidden.requires_grad_(), weight.requires_grad_(), targets


@pytest.mark.parametrize("workspace", [200_000, 600_000])
@pytest.mark.parametrize(
    "options",
    [
        {"reduction": "mean"},
        {"reduction": "none"},
        {"reduction": "mean", "softcap": 10.0},
        {"reduction": "none", "softcap": 10.0, "return_entropy": True},
        {"reduction": "sum", "label_smoothing": 0.1, "z_loss": 0.1, "return_logsumexp": True},
        {"reduction": "mean", "softcap": 10.0, "label_smoothing": 0.1, "z_loss": 0.1},
    ],
    ids=lambda options: " ".join(str(value) for value in options.values()),
)
def test_memory_stays_within_the_workspace(options: dict[str, Any], workspace: int) -> None:
    hidden, weight, targets = inputs()
    gradients = hidden.nbytes + weight.nbytes

    def forward() -> Tensor:
        found = fused(hidden, weight, targets, workspace_bytes=workspace, **options)
        return found if isinstance(found, Tensor) else found.loss

    peak, loss = peak_bytes(forward)
    fast = options["reduction"] != "none" and not any(name.startswith("return") for name in options)
    assert peak <= workspace + PER_POSITION + (gradients if fast else 0)
    assert peak > workspace / 4  # nor is the estimate far too cautious
    total = loss.sum()
    peak, _ = peak_bytes(lambda: torch.autograd.grad(total, [hidden, weight]))
    # Where gradients wait since the forward pass, the upstream gradient may scale a copy of them
    assert peak <= PER_POSITION + gradients + (0 if fast else workspace)


@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_memory_of_bfloat16(reduction: str) -> None:
    hidden, weight, targets = inputs(torch.bfloat16)
    workspace = 300_000

    def step() -> tuple[Tensor, ...]:
        loss = fused(hidden, weight, targets, reduction=reduction, workspace_bytes=workspace)
        return torch.autograd.grad(loss.sum(), [hidden, weight])

    peak, _ = peak_bytes(step)
    # Gradients are added up in float32 and then rounded
    assert peak <= workspace + PER_POSITION + 2 * 3 * (hidden.nbytes + weight.nbytes) // 2


def test_scoring_holds_no_gradients() -> None:
    hidden, weight, targets = inputs()
    with torch.no_grad():
        peak, _ = peak_bytes(lambda: fused(hidden, weight, targets, workspace_bytes=200_000))
    assert peak <= 200_000 + PER_POSITION


def _flops_of_addmm(
    _: tuple[int, ...], left: tuple[int, int], right: tuple[int, int], **__: object
) -> int:
    return 2 * left[0] * left[1] * right[1]


# PyTorch's own counter does not know the form that works in place
counted = partial(
    FlopCounterMode, display=False, custom_mapping={torch.ops.aten.addmm_: _flops_of_addmm}
)


def products(
    hidden: Tensor, weight: Tensor | list[Tensor], targets: Tensor, **options: Any
) -> tuple[float, float]:
    """Matrix products of forward and backward pass, in units of one over all positions."""
    with counted() as forward:
        found = fused(hidden, weight, targets, workspace_bytes=2_000_000, **options)
    total = (found if isinstance(found, Tensor) else found.loss).sum()
    with counted() as backward:
        if total.requires_grad:
            total.backward()
    unit = 2 * N * V * H
    return forward.get_total_flops() / unit, backward.get_total_flops() / unit


def test_the_products_of_a_pass() -> None:
    given = inputs()
    assert products(*given) == (3, 0)
    assert products(*given, reduction="none") == (1, 3)
    assert products(*given, return_logsumexp=True) == (1, 3)
    with torch.no_grad():
        assert products(*given) == (1, 0)


@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_ignored_positions_cost_nothing(reduction: str) -> None:
    everything = sum(products(*inputs(), reduction=reduction))
    quarter = sum(products(*inputs(ignored=3 * N // 4), reduction=reduction))
    assert quarter == pytest.approx(everything / 4)
    assert products(*inputs(ignored=N), reduction=reduction) == (0, 0)


@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_nobody_pays_for_gradients_that_nobody_asks_for(reduction: str) -> None:
    hidden, weight, targets = inputs()
    everything = sum(products(hidden, weight, targets, reduction=reduction))
    only_weight = sum(products(hidden.detach(), weight, targets, reduction=reduction))
    only_hidden = sum(products(hidden, weight.detach(), targets, reduction=reduction))
    assert only_weight == only_hidden == everything - 1
    frozen, trained = weight.detach().split([2 * V // 3, V // 3])
    blocks = [frozen, trained.clone().requires_grad_()]
    split = sum(products(hidden, blocks, targets, reduction=reduction))
    assert split == pytest.approx(everything - 2 / 3)
