"""The sigmoid loss over a whole vocabulary against the dense formula, and its memory."""

from itertools import product
from typing import Any

import pytest
import torch
from dense_losses import assert_same, dense_sigmoid_cross_entropy, loss_inputs
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from headwise.functional import LM_IGNORE_INDEX, linear_sigmoid_cross_entropy
from peak_memory import peak_bytes

EXACT = {"rtol": 1e-9, "atol": 1e-11}
LEAVES = ("hidden", "weight", "bias", "row_bias")


def inputs(
    *shape: int, v: int = 13, h: int = 5, a: int = 3, dtype: torch.dtype = torch.float64
) -> dict[str, Tensor]:
    """Leaves that require gradients; targets, some ignored; tokens to leave out, some twice."""
    given = loss_inputs(*shape, v=v, h=h, dtype=dtype)
    generator = torch.Generator().manual_seed(sum(shape) + v + h + a)
    excluded = torch.randint(-1, v, (*shape, a), generator=generator)
    if a > 2:
        excluded[..., 1] = excluded[..., 0]
        excluded[..., 2] = given["targets"].clamp(min=-1)
    row_bias = torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)
    return given | {
        "row_bias": row_bias.requires_grad_(),
        "excluded": excluded,
        "target_weights": torch.rand(shape, generator=generator).to(dtype) * 3,
    }


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_equals_the_dense_formula_with_every_combination_of_options(reduction: str) -> None:
    data = inputs(3, 7)
    optional = ("bias", "row_bias", "token_weights", "target_weights", "excluded")
    for shift, *chosen in product((False, True), repeat=1 + len(optional)):
        asked = {name: data[name] for name, wanted in zip(optional, chosen, strict=True) if wanted}
        options: dict[str, Any] = {"reduction": reduction, "shift": shift, **asked}
        given = data["hidden"], data["weight"], data["targets"]
        found = linear_sigmoid_cross_entropy(*given, workspace_bytes=4000, **options)
        wanted = dense_sigmoid_cross_entropy(*given, **options)
        leaves = [data[name] for name in LEAVES[:2]] + [
            asked[name] for name in LEAVES[2:] if name in asked
        ]
        assert_same([found], [wanted], leaves)


@settings(max_examples=60)
@given(
    shape=st.lists(st.integers(0, 4), min_size=0, max_size=3),
    v=st.integers(1, 20),
    h=st.integers(1, 6),
    a=st.integers(0, 5),
    reduction=st.sampled_from(["none", "mean", "sum"]),
    workspace=st.sampled_from([3000, 8000, 2**20]),
)
def test_equals_the_dense_formula_for_any_shape(
    shape: list[int], v: int, h: int, a: int, reduction: str, workspace: int
) -> None:
    data = inputs(*shape, v=v, h=h, a=a)
    data["targets"] = torch.where(data["targets"] >= v, 0, data["targets"])
    found = linear_sigmoid_cross_entropy(**data, reduction=reduction, workspace_bytes=workspace)
    wanted = dense_sigmoid_cross_entropy(**data, reduction=reduction)
    assert_same([found], [wanted], [data[name] for name in LEAVES])


def test_by_hand() -> None:
    hidden = torch.tensor([[1.0]], dtype=torch.float64)
    weight = torch.tensor([[0.0], [1.0], [2.0], [-1.0]], dtype=torch.float64)

    def softplus(value: float) -> float:
        return float(torch.tensor(value).double().exp().log1p())

    found = linear_sigmoid_cross_entropy(
        hidden,
        weight,
        torch.tensor([2]),
        row_bias=torch.tensor([0.5], dtype=torch.float64),
        target_weights=torch.tensor([3.0], dtype=torch.float64),
        # Twice the same, the target itself, and none
        excluded=torch.tensor([[1, 1, 2, -1]]),
        reduction="none",
    )
    assert float(found) == pytest.approx(3 * softplus(-2.5) + softplus(0.5) + softplus(-0.5))


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_gradients_are_those_of_finite_differences(reduction: str) -> None:
    data = inputs(4, v=5, h=2)
    rest = {name: value for name, value in data.items() if name not in LEAVES}

    def loss(hidden: Tensor, weight: Tensor, bias: Tensor, row_bias: Tensor) -> Tensor:
        return linear_sigmoid_cross_entropy(
            hidden, weight, bias=bias, row_bias=row_bias, reduction=reduction, **rest
        )

    assert torch.autograd.gradcheck(loss, tuple(data[name] for name in LEAVES))


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("case", ["all ignored", "no weight", "no rows"])
def test_nothing_to_learn_from_is_zero_and_never_nan(case: str, reduction: str) -> None:
    data = inputs(0) if case == "no rows" else inputs(2, 3)
    if case == "all ignored":
        data["targets"].fill_(LM_IGNORE_INDEX)
    if case == "no weight":
        data["token_weights"].zero_()
    loss = linear_sigmoid_cross_entropy(**data, reduction=reduction)
    assert loss.shape == (data["targets"].shape if reduction == "none" else ())
    assert not bool(loss.any())
    for gradient in torch.autograd.grad(loss.sum(), [data[name] for name in LEAVES]):
        assert not bool(gradient.any())


def test_logits_of_ten_thousand() -> None:
    data = inputs(30, v=40, h=2, dtype=torch.float32)
    data["hidden"] = (data["hidden"].detach() * 1e4).requires_grad_()
    found = linear_sigmoid_cross_entropy(**data)
    doubles = {
        name: value.detach().double().requires_grad_() if value.is_floating_point() else value
        for name, value in data.items()
    }
    wanted = dense_sigmoid_cross_entropy(**doubles)
    assert found.item() == pytest.approx(wanted.item(), rel=1e-5)
    for name, own in zip(
        LEAVES, torch.autograd.grad(found, [data[name] for name in LEAVES]), strict=True
    ):
        (truth,) = torch.autograd.grad(wanted, [doubles[name]], retain_graph=True)
        assert float((own - truth).norm() / truth.norm()) < 1e-4


@pytest.mark.parametrize("sure", [20.0, 60.0, 1e4])
def test_a_sure_target_does_not_drown_the_negatives(sure: float) -> None:
    weight = torch.tensor([[sure], [-12.0], [-13.0]])
    found = linear_sigmoid_cross_entropy(torch.ones(1, 1), weight, torch.tensor([0]))
    negatives = torch.nn.functional.softplus(weight[1:]).sum()
    positive = torch.nn.functional.softplus(-weight[0]).sum()
    assert found.item() == pytest.approx((negatives + positive).item(), rel=1e-4)


@pytest.mark.parametrize("reduction", ["none", "mean"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.bfloat16, 2e-2), (torch.float16, 3e-3)])
def test_half_precision(dtype: torch.dtype, tolerance: float, reduction: str) -> None:
    data = inputs(50, v=101, h=16, dtype=dtype)
    found = linear_sigmoid_cross_entropy(**data, reduction=reduction, workspace_bytes=50_000)
    assert found.dtype == torch.float32
    doubles = {
        name: value.detach().double().requires_grad_() if value.is_floating_point() else value
        for name, value in data.items()
    }
    wanted = dense_sigmoid_cross_entropy(**doubles, reduction=reduction)
    torch.testing.assert_close(found.double(), wanted, rtol=tolerance, atol=tolerance)
    gradients = torch.autograd.grad(found.sum(), [data[name] for name in LEAVES])
    truths = torch.autograd.grad(wanted.sum(), [doubles[name] for name in LEAVES])
    for own, truth in zip(gradients, truths, strict=True):
        assert own.dtype == dtype
        assert float((own - truth).norm() / truth.norm()) < tolerance


@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_backward_twice(reduction: str) -> None:
    data = inputs(6)
    leaves = [data[name] for name in LEAVES]
    loss = linear_sigmoid_cross_entropy(**data, reduction=reduction).sum()
    first = torch.autograd.grad(loss, leaves, retain_graph=True)
    again = torch.autograd.grad(loss, leaves)
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    with pytest.raises(RuntimeError, match="second time"):
        torch.autograd.grad(loss, leaves)


@pytest.mark.parametrize("asks", LEAVES)
@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_gradients_of_those_who_ask(asks: str, reduction: str) -> None:
    data = inputs(6)
    wanted = dense_sigmoid_cross_entropy(**data, reduction=reduction).sum()
    (gradient,) = torch.autograd.grad(wanted, [data[asks]])
    data = {name: value.detach() for name, value in data.items()}
    data[asks].requires_grad_()
    linear_sigmoid_cross_entropy(**data, reduction=reduction).sum().backward()
    torch.testing.assert_close(data[asks].grad, gradient, **EXACT)


def test_without_gradients() -> None:
    data = inputs(6)
    with torch.inference_mode():
        found = linear_sigmoid_cross_entropy(**data)
    assert float(found) == pytest.approx(dense_sigmoid_cross_entropy(**data).item())


def test_inputs_need_not_be_contiguous_and_are_left_alone() -> None:
    data = inputs(4, 3)
    turned = {
        name: value if name in ("weight", "bias") else value.transpose(0, 1)
        for name, value in data.items()
    }
    before = {name: value.detach().clone() for name, value in data.items()}
    found = linear_sigmoid_cross_entropy(**turned, reduction="none", workspace_bytes=4000)
    wanted = dense_sigmoid_cross_entropy(**turned, reduction="none")
    assert_same([found], [wanted], [data[name] for name in LEAVES])
    for name, value in data.items():
        torch.testing.assert_close(value.detach(), before[name], rtol=0, atol=0)


@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_memory_stays_within_the_workspace(reduction: str) -> None:
    n, v, h, a, workspace = 256, 3000, 24, 5, 400_000
    data = inputs(n, v=v, h=h, a=a, dtype=torch.float32)
    leaves = [data[name] for name in LEAVES]
    gradients = sum(leaf.nbytes for leaf in leaves)
    per_position = n * (16 * 8 + 2 * h * 4 + 3 * a * 8) + 16 * 1024

    def forward() -> Tensor:
        return linear_sigmoid_cross_entropy(**data, reduction=reduction, workspace_bytes=workspace)

    peak, loss = peak_bytes(forward)
    assert workspace / 4 < peak <= workspace + per_position + gradients
    total = loss.sum()
    peak, _ = peak_bytes(lambda: torch.autograd.grad(total, leaves))
    assert peak <= workspace + per_position + gradients


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"targets": torch.tensor([0, 1, 13])}, "targets.*13"),
        ({"targets": torch.tensor([0, 1, -7])}, "targets.*-7"),
        ({"targets": torch.zeros(3, dtype=torch.int32)}, "targets"),
        ({"targets": torch.zeros(2, dtype=torch.int64)}, "targets"),
        ({"weight": torch.zeros(13, 4).double()}, "weight"),
        ({"bias": torch.zeros(12).double()}, "bias"),
        ({"row_bias": torch.zeros(2).double()}, "row_bias"),
        ({"token_weights": torch.zeros(2).double()}, "token_weights"),
        ({"target_weights": torch.zeros(2).double()}, "target_weights"),
        ({"excluded": torch.zeros(3, dtype=torch.int64)}, "excluded"),
        ({"excluded": torch.zeros(2, 4, dtype=torch.int64)}, "excluded"),
        ({"excluded": torch.full((3, 1), 13)}, "excluded.*13"),
        ({"reduction": "average"}, "reduction"),
        ({"workspace_bytes": 1}, "workspace_bytes"),
    ],
)
def test_what_does_not_fit_is_named(changes: dict[str, Any], named: str) -> None:
    with pytest.raises((ValueError, TypeError), match=named):
        linear_sigmoid_cross_entropy(**inputs(3) | changes)
