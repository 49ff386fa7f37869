"""How `linear_cross_entropy` behaves inside a graph: backward twice, compiled, checkpointed."""

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import pytest
import torch
from dense_losses import dense_cross_entropy
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from headwise.functional import linear_cross_entropy

fused = partial(linear_cross_entropy, backend="torch")
CLOSE = {"rtol": 1e-9, "atol": 1e-12}
REDUCTIONS = ["none", "mean", "sum"]


def inputs(
    n: int = 6, v: int = 9, h: int = 3, dtype: torch.dtype = torch.float64
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    torch.manual_seed(n + v + h)
    targets = torch.randint(0, v, (n,))
    targets[1] = -100
    hidden, weight, bias = (
        torch.randn(size, dtype=dtype, requires_grad=True) for size in ((n, h), (v, h), (v,))
    )
    return hidden, weight, bias, targets


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"softcap": 2.0},
        {"label_smoothing": 0.2, "z_loss": 0.1},
        {"return_logsumexp": True, "return_entropy": True},
        {"return_entropy": True, "softcap": 2.0, "label_smoothing": 0.2, "z_loss": 0.1},
    ],
    ids=lambda options: " ".join(options) or "plain",
)
def test_gradients_are_those_of_finite_differences(reduction: str, options: dict[str, Any]) -> None:
    hidden, weight, bias, targets = inputs(4, 5, 2)
    weights = torch.tensor([0.5, 1.0, 2.0, 0.0], dtype=torch.float64)

    def losses(hidden: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, ...]:
        found = fused(
            hidden,
            weight.split([2, 3]),
            targets,
            bias=bias.split([2, 3]),
            reduction=reduction,
            token_weights=weights,
            workspace_bytes=3000,
            **options,
        )
        if isinstance(found, Tensor):
            return (found,)
        return tuple(part for part in found if part is not None)

    assert torch.autograd.gradcheck(losses, (hidden, weight, bias))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("statistics", [False, True])
def test_backward_twice_gives_the_same_if_the_graph_is_kept(
    reduction: str, statistics: bool
) -> None:
    hidden, weight, bias, targets = inputs()
    found = fused(
        hidden, weight, targets, bias=bias, reduction=reduction, return_logsumexp=statistics
    )
    total = 3 * (found.loss if statistics else found).sum()
    first = torch.autograd.grad(total, [hidden, weight, bias], retain_graph=True)
    again = torch.autograd.grad(total, [hidden, weight, bias], retain_graph=True)
    other = torch.autograd.grad(total, [hidden, weight, bias], torch.tensor(2.0).double())
    for one, same, double in zip(first, again, other, strict=True):
        torch.testing.assert_close(one, same, **CLOSE)
        torch.testing.assert_close(2 * one, double, **CLOSE)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_backward_twice_is_refused_if_the_graph_is_not_kept(reduction: str) -> None:
    hidden, weight, _, targets = inputs()
    loss = fused(hidden, weight, targets, reduction=reduction).sum()
    loss.backward()
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_second_derivatives_are_refused(reduction: str) -> None:
    hidden, weight, _, targets = inputs()

    def second() -> None:
        loss = fused(hidden, weight, targets, reduction=reduction).sum()
        (first,) = torch.autograd.grad(loss, [hidden], create_graph=True)
        # Without the last term, autograd itself would notice that nothing is there to derive
        torch.autograd.grad(first.square().sum() + hidden.sum(), [hidden])

    with pytest.raises(RuntimeError, match=r"once|twice|second"):
        second()


def test_a_weight_that_changed_before_backward_is_refused() -> None:
    hidden, weight, _, targets = inputs()
    loss = fused(hidden, weight, targets, reduction="none").sum()
    with torch.no_grad():
        weight.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_inputs_are_left_alone(reduction: str) -> None:
    hidden, weight, bias, targets = inputs()
    before = [tensor.detach().clone() for tensor in (hidden, weight, bias, targets)]
    fused(hidden, weight, targets, bias=bias, reduction=reduction, softcap=2.0).sum().backward()
    for tensor, copy in zip((hidden, weight, bias, targets), before, strict=True):
        torch.testing.assert_close(tensor.detach(), copy, rtol=0, atol=0)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_without_gradients(mode: Callable[[], Any], reduction: str) -> None:
    hidden, weight, bias, targets = inputs()
    with mode():
        found = fused(
            hidden, weight, targets, bias=bias, reduction=reduction, return_logsumexp=True
        )
    wanted = dense_cross_entropy(hidden, weight, targets, bias=bias, reduction=reduction)
    assert not found.loss.requires_grad
    assert not found.logsumexp.requires_grad
    torch.testing.assert_close(found.loss, wanted.loss.detach(), **CLOSE)


@pytest.mark.parametrize("reduction", ["none", "mean"])
@pytest.mark.parametrize("needed", list(product((False, True), repeat=3)))
def test_gradients_of_those_who_ask(needed: tuple[bool, ...], reduction: str) -> None:
    hidden, weight, bias, targets = inputs()
    leaves = [
        leaf.requires_grad_(asks)
        for leaf, asks in zip(
            (hidden.detach(), weight.detach(), bias.detach()), needed, strict=True
        )
    ]
    loss = fused(*leaves[:2], targets, bias=leaves[2], reduction=reduction).sum()
    assert loss.requires_grad == any(needed)
    if not any(needed):
        return
    loss.backward()
    wanted = dense_cross_entropy(hidden, weight, targets, bias=bias, reduction=reduction)
    dense = torch.autograd.grad(wanted.loss.sum(), [hidden, weight, bias])
    for leaf, asks, gradient in zip(leaves, needed, dense, strict=True):
        assert (leaf.grad is not None) == asks
        if leaf.grad is not None:
            torch.testing.assert_close(leaf.grad, gradient, **CLOSE)


@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_frozen_blocks_get_no_gradient(reduction: str) -> None:
    hidden, weight, bias, targets = inputs()
    blocks = [block.detach().clone() for block in weight.split([4, 2, 3])]
    blocks[1].requires_grad_()
    found = fused(hidden, blocks, targets, bias=bias.split([4, 2, 3]), reduction=reduction)
    found.sum().backward()
    wanted = dense_cross_entropy(hidden, weight, targets, bias=bias, reduction=reduction)
    _, dense = torch.autograd.grad(wanted.loss.sum(), [hidden, weight])
    assert blocks[0].grad is None
    assert blocks[2].grad is None
    torch.testing.assert_close(blocks[1].grad, dense[4:6], **CLOSE)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_micro_batches_accumulate(reduction: str) -> None:
    hidden, weight, _, targets = inputs(8)
    for part in (slice(0, 3), slice(3, 8)):
        fused(hidden[part], weight, targets[part], reduction=reduction).sum().backward()
    total = sum(
        dense_cross_entropy(hidden[part], weight, targets[part], reduction=reduction).loss.sum()
        for part in (slice(0, 3), slice(3, 8))
    )
    for leaf, gradient in zip(
        (hidden, weight), torch.autograd.grad(total, [hidden, weight]), strict=True
    ):
        torch.testing.assert_close(leaf.grad, gradient, **CLOSE)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_a_weight_that_embeds_and_unembeds(reduction: str) -> None:
    _, weight, _, targets = inputs()
    ids = targets.clamp(min=0)

    def gradient(of: Callable[..., Any]) -> Tensor:
        hidden = nn.functional.embedding(ids, weight).tanh()
        loss = of(hidden, weight, targets, reduction=reduction)
        loss = loss if isinstance(loss, Tensor) else loss.loss
        return torch.autograd.grad(loss.sum(), [weight])[0]

    torch.testing.assert_close(gradient(fused), gradient(dense_cross_entropy), **CLOSE)


def test_one_weight_as_two_blocks_sums_their_gradients() -> None:
    hidden, weight, _, targets = inputs()
    (found,) = torch.autograd.grad(fused(hidden, [weight, weight], targets), [weight])
    dense = dense_cross_entropy(hidden, [weight, weight], targets).loss
    torch.testing.assert_close(found, *torch.autograd.grad(dense, [weight]), **CLOSE)


@pytest.mark.parametrize("reduction", ["none", "mean"])
@pytest.mark.parametrize("reentrant", [False, True])
def test_checkpointed(reentrant: bool, reduction: str) -> None:
    hidden, weight, _, targets = inputs()

    def block(hidden: Tensor) -> Tensor:
        return fused(hidden.tanh(), weight, targets, reduction=reduction).sum()

    plain = torch.autograd.grad(block(hidden), [hidden, weight])
    loss = checkpoint(block, hidden, use_reentrant=reentrant)
    assert isinstance(loss, Tensor)
    loss.backward()
    for leaf, gradient in zip((hidden, weight), plain, strict=True):
        torch.testing.assert_close(leaf.grad, gradient, **CLOSE)


def _step(inner: nn.Linear, hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    return 2 * fused(inner(hidden).tanh(), weight, targets) + weight.square().mean()


@pytest.mark.parametrize(
    "backend", ["eager", "aot_eager", pytest.param("inductor", marks=pytest.mark.slow)]
)
def test_compiled_around(backend: str) -> None:
    hidden, weight, _, targets = inputs(dtype=torch.float32)
    inner = nn.Linear(3, 3)
    leaves = [hidden, weight, inner.weight]
    plain = _step(inner, hidden, weight, targets)
    torch.compiler.reset()
    compiled = torch.compile(_step, backend=backend)(inner, hidden, weight, targets)
    torch.testing.assert_close(compiled, plain)
    for own, target in zip(
        torch.autograd.grad(compiled, leaves), torch.autograd.grad(plain, leaves), strict=True
    ):
        torch.testing.assert_close(own, target)


@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_targets_may_be_refilled_before_backward(reduction: str) -> None:
    hidden, weight, _, targets = inputs()
    wanted = torch.autograd.grad(
        fused(hidden, weight, targets, reduction=reduction).sum(), [hidden, weight]
    )
    loss = fused(hidden, weight, targets, reduction=reduction).sum()
    targets.fill_(-100)
    found = torch.autograd.grad(loss, [hidden, weight])
    torch.testing.assert_close(found, wanted, **CLOSE)


def test_blocks_may_have_dtypes_of_their_own() -> None:
    hidden, weight, _, targets = inputs()
    base, new = weight.detach().float().split([len(weight) - 2, 2])
    new = new.double().requires_grad_()
    loss = fused(hidden, [base, new], targets)
    dense = torch.nn.functional.cross_entropy(
        hidden.float() @ torch.cat([base, new.float()]).T, targets
    )
    torch.testing.assert_close(loss, dense)
    (found,), (wanted,) = (torch.autograd.grad(each, [new]) for each in (loss, dense))
    assert found.dtype == torch.float64
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-7)
