"""Values and gradients against the dense formula, for every combination of options and shapes."""

from functools import partial
from itertools import product
from typing import Any

import pytest
import torch
from dense_losses import assert_same, dense_cross_entropy, loss_inputs, tensors
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from headwise.functional import linear_cross_entropy

# The core is what is tested here, whatever the fastest backend is
fused = partial(linear_cross_entropy, backend="torch")


@pytest.mark.parametrize("statistics", [False, True])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_equals_the_dense_formula_with_every_combination_of_options(
    reduction: str, statistics: bool
) -> None:
    data = loss_inputs(3, 7)
    hidden, weight, bias = (data[name] for name in ("hidden", "weight", "bias"))
    for shift, softcap, smoothing, weighted, z_loss, biased, blocks in product(
        (False, True),
        (None, 1.5),
        (0.0, 0.2),
        (False, True),
        (0.0, 0.03),
        (False, True),
        (None, (6, 0, 4, 3)),
    ):
        options: dict[str, Any] = {
            "reduction": reduction,
            "shift": shift,
            "softcap": softcap,
            "label_smoothing": smoothing,
            "z_loss": z_loss,
            "token_weights": data["token_weights"] if weighted else None,
        }
        if biased:
            options["bias"] = bias if blocks is None else bias.split(blocks)
        parts = weight if blocks is None else weight.split(blocks)
        found = fused(
            hidden,
            parts,
            data["targets"],
            workspace_bytes=4000,
            return_logsumexp=statistics,
            return_entropy=statistics,
            **options,
        )
        dense = dense_cross_entropy(hidden, parts, data["targets"], **options)
        wanted = list(dense) if statistics else [dense.loss]
        assert_same(tensors(found), wanted, [hidden, weight, *([bias] if biased else [])])


@settings(max_examples=80)
@given(
    shape=st.lists(st.integers(0, 4), min_size=0, max_size=3),
    sizes=st.lists(st.integers(0, 9), min_size=1, max_size=4).filter(any),
    h=st.integers(1, 6),
    ignored=st.sampled_from([0.0, 0.4, 1.0]),
    reduction=st.sampled_from(["none", "mean", "sum"]),
    softcap=st.sampled_from([None, 0.7, 30.0]),
    smoothing=st.sampled_from([0.0, 0.1, 1.0]),
    z_loss=st.sampled_from([0.0, 0.1]),
    weighted=st.booleans(),
    biased=st.booleans(),
    statistics=st.booleans(),
    workspace=st.sampled_from([3000, 6000, 2**20]),
)
def test_equals_the_dense_formula_for_any_shape(
    shape: list[int],
    sizes: list[int],
    h: int,
    ignored: float,
    reduction: str,
    softcap: float | None,
    smoothing: float,
    z_loss: float,
    weighted: bool,
    biased: bool,
    statistics: bool,
    workspace: int,
) -> None:
    data = loss_inputs(*shape, v=sum(sizes), h=h, ignored=ignored)
    blocks = [block.detach().requires_grad_() for block in data["weight"].split(sizes)]
    # Some blocks have a bias, others none
    biases = [
        one.detach().requires_grad_() if number % 2 == 0 else None
        for number, one in enumerate(data["bias"].split(sizes))
    ]
    options: dict[str, Any] = {
        "reduction": reduction,
        "softcap": softcap,
        "label_smoothing": smoothing,
        "z_loss": z_loss,
        "token_weights": data["token_weights"] if weighted else None,
        "bias": biases if biased else None,
    }
    found = fused(
        data["hidden"],
        blocks,
        data["targets"],
        workspace_bytes=workspace,
        return_entropy=statistics,
        **options,
    )
    dense = dense_cross_entropy(data["hidden"], blocks, data["targets"], **options)
    wanted = [dense.loss, dense.entropy] if statistics else [dense.loss]
    leaves = [data["hidden"], *blocks, *([b for b in biases if b is not None] if biased else [])]
    assert_same(tensors(found), wanted, leaves)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_equals_torch(reduction: str, smoothing: float) -> None:
    data = loss_inputs(37, v=101, h=11)
    options: dict[str, Any] = {"reduction": reduction, "label_smoothing": smoothing}
    logits = data["hidden"] @ data["weight"].T
    wanted = F.cross_entropy(logits, data["targets"], **options)
    found = fused(data["hidden"], data["weight"], data["targets"], **options)
    assert_same([found], [wanted], [data["hidden"], data["weight"]])


def test_float32_gradients_are_within_one_in_a_hundred_thousand() -> None:
    data = loss_inputs(203, v=1009, h=33, dtype=torch.float32)
    names = ("hidden", "weight", "bias")
    leaves = [data[name] for name in names]
    found = fused(*leaves[:2], data["targets"], bias=leaves[2], workspace_bytes=200_000)
    assert found.dtype == torch.float32
    doubles = [leaf.detach().double().requires_grad_() for leaf in leaves]
    wanted = dense_cross_entropy(*doubles[:2], data["targets"], bias=doubles[2]).loss
    for own, target in zip(
        torch.autograd.grad(found, leaves), torch.autograd.grad(wanted, doubles), strict=True
    ):
        assert own.dtype == torch.float32
        assert float((own - target).norm() / target.norm()) < 1e-5


def test_auto_agrees() -> None:
    data = loss_inputs(3, 9, dtype=torch.float32)
    wanted = dense_cross_entropy(data["hidden"], data["weight"], data["targets"]).loss
    found = linear_cross_entropy(data["hidden"], data["weight"], data["targets"])
    assert_same([found], [wanted], [data["hidden"], data["weight"]], rtol=1e-4, atol=1e-6)


def test_only_what_is_asked_for_is_returned() -> None:
    data = loss_inputs(4, 6)
    given = data["hidden"], data["weight"], data["targets"]
    assert isinstance(fused(*given), Tensor)
    found = fused(*given, return_logsumexp=True, shift=True)
    assert found.entropy is None
    assert found.logsumexp.shape == (4, 5)
    found = fused(*given, return_entropy=True)
    assert found.logsumexp is None
    assert found.entropy.shape == (4, 6)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_weights_of_tokens_may_be_learnt(reduction: str) -> None:
    data = loss_inputs(3, 7)
    weights = data["token_weights"].requires_grad_()
    given = data["hidden"], data["weight"], data["targets"]
    options: dict[str, Any] = {"token_weights": weights, "reduction": reduction, "shift": True}
    found = fused(*given, **options)
    wanted = dense_cross_entropy(*given, **options).loss
    assert_same([found], [wanted], [data["hidden"], data["weight"], weights])


@pytest.mark.parametrize("shape", [(), (6,), (2, 6), (2, 3, 4)])
@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_any_number_of_dimensions(shape: tuple[int, ...], reduction: str) -> None:
    data = loss_inputs(*shape, ignored=0.0)
    found = fused(data["hidden"], data["weight"], data["targets"], reduction=reduction)
    wanted = dense_cross_entropy(
        data["hidden"], data["weight"], data["targets"], reduction=reduction
    )
    assert found.shape == wanted.loss.shape
    assert_same([found], [wanted.loss], [data["hidden"], data["weight"]])


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_inputs_need_not_be_contiguous(reduction: str) -> None:
    data = loss_inputs(5, 4)
    hidden = data["hidden"].transpose(0, 1)
    weight = data["weight"].T.contiguous().T
    targets = data["targets"].T
    assert not hidden.is_contiguous()
    assert not weight.is_contiguous()
    options: dict[str, Any] = {
        "reduction": reduction,
        "token_weights": data["token_weights"].T,
        "bias": torch.stack([data["bias"]] * 2, dim=-1)[:, 0],
    }
    found = fused(hidden, weight, targets, workspace_bytes=4000, **options)
    wanted = dense_cross_entropy(hidden, weight, targets, **options).loss
    assert_same([found], [wanted], [data[name] for name in ("hidden", "weight", "bias")])


def test_a_broadcast_hidden_state_has_its_gradients_summed() -> None:
    data = loss_inputs(6)
    hidden = data["hidden"][:1].expand(6, -1)
    found = fused(hidden, data["weight"], data["targets"])
    wanted = dense_cross_entropy(hidden, data["weight"], data["targets"]).loss
    assert_same([found], [wanted], [data["hidden"], data["weight"]])


def test_the_token_that_is_ignored_may_be_one_of_the_vocabulary() -> None:
    data = loss_inputs(20, ignored=0.0)
    for ignore_index in (0, 3, -1):
        found = fused(data["hidden"], data["weight"], data["targets"], ignore_index=ignore_index)
        wanted = dense_cross_entropy(
            data["hidden"], data["weight"], data["targets"], ignore_index=ignore_index
        )
        assert_same([found], [wanted.loss], [data["hidden"], data["weight"]])
