"""Half precision against float64, by cut-cross-entropy's own measure."""

from functools import partial
from typing import Any

import pytest
import torch
from dense_losses import dense_cross_entropy
from torch import Tensor, nn

from headwise.functional import linear_cross_entropy

fused = partial(linear_cross_entropy, backend="torch")
# How much worse than the dense formula in the same precision an entry may be: the tolerances of
# cut-cross-entropy's tests (arXiv 2411.09009, github.com/apple/ml-cross-entropy)
TOLERANCES = {torch.bfloat16: 1e-2, torch.float16: 1e-3}
WORKSPACE = 100_000


def inputs(dtype: torch.dtype, *, n: int = 252, v: int = 507, h: int = 123) -> list[Tensor]:
    """As there: half of the rows have a token that fits them exactly."""
    torch.manual_seed(0)
    hidden = (torch.randn(n, h) / h**0.5).to(dtype)
    weight = torch.randn(v, h).to(dtype)
    weight[: min(n, v) // 2] = hidden[: min(n, v) // 2]
    targets = torch.randint(0, v, (n,))
    targets[torch.randperm(n)[: n // 5]] = -100
    return [hidden, weight, (torch.randn(v) * 0.02).to(dtype), targets]


def dense_low(hidden: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, **options: Any) -> Any:
    """Logits in the inputs' own precision, what follows in float32."""
    softcap = options.pop("softcap")
    logits = hidden @ weight.T + bias
    if softcap is not None:
        logits = softcap * torch.tanh(logits / softcap)
    return nn.functional.cross_entropy(logits.float(), targets, **options)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("softcap", [None, 20.0])
@pytest.mark.parametrize("dtype", TOLERANCES)
def test_half_precision_is_as_exact_as_the_dense_formula(
    dtype: torch.dtype, softcap: float | None, reduction: str
) -> None:
    *leaves, targets = inputs(dtype)
    options: dict[str, Any] = {"softcap": softcap, "reduction": reduction}

    def measured(of: Any, leaves: list[Tensor]) -> list[Tensor]:
        own = [leaf.detach().clone().requires_grad_() for leaf in leaves]
        found = of(own, options)
        loss = found if reduction == "mean" else found.sum() / (targets >= 0).sum()
        return [found.detach(), *torch.autograd.grad(loss, own)]

    exact = measured(
        lambda own, o: dense_cross_entropy(own[0], own[1], targets, bias=own[2], **o).loss,
        [leaf.double() for leaf in leaves],
    )
    low = measured(lambda own, o: dense_low(*own, targets, **o), leaves)
    found = measured(
        lambda own, o: fused(own[0], own[1], targets, bias=own[2], workspace_bytes=WORKSPACE, **o),
        leaves,
    )

    assert found[0].dtype == torch.float32
    assert all(gradient.dtype == dtype for gradient in found[1:])
    for own, plain, truth in zip(found, low, exact, strict=True):
        allowed = (plain - truth).abs() + TOLERANCES[dtype]
        assert bool(((own - truth).abs() <= allowed).all())
        # Gradients of a mean are smaller than that tolerance; these are not
        assert float((own - truth).norm() / truth.norm()) < 2e-2


@pytest.mark.parametrize("reduction", ["sum", "none"])
def test_many_small_gradients_are_added_up_in_float32(reduction: str) -> None:
    torch.manual_seed(1)
    hidden = (1 + 0.1 * torch.randn(3000, 4)).bfloat16()
    weight = torch.randn(5, 4).bfloat16().requires_grad_()
    targets = torch.randint(0, 5, (3000,))
    found = fused(hidden, weight, targets, reduction=reduction, workspace_bytes=1000).sum()
    doubles = weight.detach().double().requires_grad_()
    wanted = dense_cross_entropy(hidden.double(), doubles, targets, reduction="sum").loss
    (own,), (truth,) = (
        torch.autograd.grad(found, [weight]),
        torch.autograd.grad(wanted, [doubles]),
    )
    # In bfloat16, a sum of thousands stops to grow at a few hundred times its terms
    assert float((own - truth).norm() / truth.norm()) < 1e-2


@pytest.mark.parametrize("reduction", ["none", "mean"])
@pytest.mark.parametrize("weight_dtype", [torch.float16, torch.float32])
def test_a_loss_scale_reaches_small_float16_gradients_in_time(
    weight_dtype: torch.dtype, reduction: str
) -> None:
    torch.manual_seed(3)
    hidden = torch.randn(1000, 8).half().requires_grad_()
    # Unscaled gradients of hidden states are about 1e-7, and float16 ends at 6e-8
    weight = (torch.randn(50, 8) * 1e-4).to(weight_dtype).requires_grad_()
    targets = torch.randint(0, 50, (1000,))
    scale = 2.0**14

    def scaled(loss: Tensor) -> Tensor:
        return scale * (loss if reduction == "mean" else loss.sum() / len(targets))

    found = scaled(fused(hidden, weight, targets, reduction=reduction))
    doubles = [leaf.detach().double().requires_grad_() for leaf in (hidden, weight)]
    wanted = scaled(dense_cross_entropy(*doubles, targets, reduction=reduction).loss)
    for own, truth in zip(
        torch.autograd.grad(found, [hidden, weight]),
        torch.autograd.grad(wanted, doubles),
        strict=True,
    ):
        assert float((own - truth).norm() / truth.norm()) < 2e-3


@pytest.mark.parametrize("reduction", ["none", "mean"])
@pytest.mark.parametrize(
    ("hidden_dtype", "weight_dtype"),
    [
        (torch.float32, torch.bfloat16),
        (torch.bfloat16, torch.float32),
        (torch.float64, torch.float32),
        (torch.float32, torch.float64),
    ],
)
def test_gradients_have_the_dtype_of_what_they_belong_to(
    hidden_dtype: torch.dtype, weight_dtype: torch.dtype, reduction: str
) -> None:
    hidden, weight, bias, targets = inputs(torch.float32, n=20, v=31, h=8)
    leaves = [
        leaf.to(dtype).requires_grad_()
        for leaf, dtype in zip(
            (hidden, weight, bias), (hidden_dtype, weight_dtype, weight_dtype), strict=True
        )
    ]
    found = fused(*leaves[:2], targets, bias=leaves[2], reduction=reduction)
    assert found.dtype == (torch.float64 if weight_dtype == torch.float64 else torch.float32)
    doubles = [leaf.detach().double().requires_grad_() for leaf in leaves]
    wanted = dense_cross_entropy(*doubles[:2], targets, bias=doubles[2], reduction=reduction).loss
    torch.testing.assert_close(found.double(), wanted, rtol=1e-2, atol=1e-2)
    gradients = torch.autograd.grad(found.sum(), leaves)
    for leaf, own, truth in zip(
        leaves, gradients, torch.autograd.grad(wanted.sum(), doubles), strict=True
    ):
        assert own.dtype == leaf.dtype
        assert float((own - truth).norm() / truth.norm()) < 2e-2


@pytest.mark.parametrize("reduction", ["none", "mean"])
@pytest.mark.parametrize("backward_inside", [False, True])
def test_autocast(backward_inside: bool, reduction: str) -> None:
    hidden, weight, bias, targets = inputs(torch.float32, n=40, v=61, h=16)
    torch.manual_seed(2)
    inner = nn.Linear(16, 16)
    leaves = [inner.weight, weight.requires_grad_(), bias.requires_grad_()]

    with torch.autocast("cpu", torch.bfloat16):
        states = inner(hidden * 4)
        assert states.dtype == torch.bfloat16
        found = fused(states, weight, targets, bias=bias, reduction=reduction)
        if backward_inside:
            gradients = torch.autograd.grad(found.sum(), leaves)
    if not backward_inside:
        gradients = torch.autograd.grad(found.sum(), leaves)

    assert found.dtype == torch.float32
    wanted = dense_cross_entropy(inner(hidden * 4), weight, targets, bias=bias, reduction=reduction)
    torch.testing.assert_close(found, wanted.loss, rtol=1e-2, atol=2e-2)
    truths = torch.autograd.grad(wanted.loss.sum(), leaves)
    for own, truth in zip(gradients, truths, strict=True):
        assert own.dtype == torch.float32
        assert float((own - truth).norm() / truth.norm()) < 2e-2
