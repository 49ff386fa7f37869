"""Where nothing counts, logits are huge or forbidden, or memory holds a single position."""

import re
from functools import partial
from typing import Any

import pytest
import torch
from dense_losses import assert_same, dense_cross_entropy, loss_inputs

from headwise.functional import LM_IGNORE_INDEX, linear_cross_entropy

fused = partial(linear_cross_entropy, backend="torch")


@pytest.mark.parametrize("statistics", [False, True])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("case", ["all ignored", "no weight", "no rows", "one token", "no length"])
def test_nothing_to_learn_from_is_zero_and_never_nan(
    case: str, reduction: str, statistics: bool
) -> None:
    shape = {"no rows": (0,), "one token": (3, 1), "no length": (3, 0)}.get(case, (3, 4))
    data = loss_inputs(*shape)
    if case == "all ignored":
        data["targets"].fill_(LM_IGNORE_INDEX)
    weights = torch.zeros(shape, dtype=torch.float64) if case == "no weight" else None
    found = fused(
        data["hidden"],
        data["weight"],
        data["targets"],
        bias=data["bias"],
        token_weights=weights,
        reduction=reduction,
        shift=case == "one token",
        label_smoothing=0.1,
        z_loss=0.1,
        return_entropy=statistics,
    )
    loss = found.loss if statistics else found
    expected = {"no rows": (0,), "one token": (3, 0), "no length": (3, 0)}.get(case, (3, 4))
    assert loss.shape == (expected if reduction == "none" else ())
    assert not bool(loss.any())
    leaves = [data[name] for name in ("hidden", "weight", "bias")]
    for gradient in torch.autograd.grad(loss.sum(), leaves):
        assert not bool(gradient.any())


@pytest.mark.parametrize("softcap", [None, 25.0])
@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_logits_of_ten_thousand(reduction: str, softcap: float | None) -> None:
    data = loss_inputs(40, v=50, h=2, dtype=torch.float32)
    hidden = (data["hidden"].detach() * 1e4).requires_grad_()
    options: dict[str, Any] = {"reduction": reduction, "softcap": softcap, "z_loss": 1e-4}
    found = fused(hidden, data["weight"], data["targets"], return_entropy=True, **options)
    doubles = [leaf.detach().double().requires_grad_() for leaf in (hidden, data["weight"])]
    wanted = dense_cross_entropy(*doubles, data["targets"], **options)
    torch.testing.assert_close(found.loss.double(), wanted.loss, rtol=1e-3, atol=1e-2)
    assert bool(found.entropy.isfinite().all())
    gradients = torch.autograd.grad(found.loss.sum(), [hidden, data["weight"]])
    targets = torch.autograd.grad(wanted.loss.sum(), doubles)
    for own, target in zip(gradients, targets, strict=True):
        assert float((own - target).norm() / target.norm()) < 1e-2


@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_tokens_that_a_bias_forbids_are_as_if_they_did_not_exist(reduction: str) -> None:
    data = loss_inputs(9, v=13)
    data["targets"].remainder_(6)
    bias = torch.zeros(13, dtype=torch.float64)
    bias[[6, 7, 12]] = -torch.inf
    allowed = [0, 1, 2, 3, 4, 5, 8, 9, 10, 11]
    found = fused(
        data["hidden"],
        data["weight"],
        data["targets"],
        bias=bias,
        reduction=reduction,
        return_entropy=True,
    )
    wanted = dense_cross_entropy(
        data["hidden"], data["weight"][allowed], data["targets"], reduction=reduction
    )
    assert_same(
        [found.loss, found.entropy],
        [wanted.loss, wanted.entropy],
        [data["hidden"], data["weight"]],
    )


@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_the_smallest_workspace_holds_one_position(reduction: str) -> None:
    data = loss_inputs(9, v=300)
    given = data["hidden"], data["weight"], data["targets"]
    with pytest.raises(ValueError, match="`workspace_bytes` must be at least") as refused:
        fused(*given, reduction=reduction, workspace_bytes=1)
    match = re.search(r"at least ([\d,]+)", str(refused.value))
    assert match is not None
    least = int(match[1].replace(",", ""))
    found = fused(*given, reduction=reduction, workspace_bytes=least)
    wanted = dense_cross_entropy(*given, reduction=reduction).loss
    assert_same([found], [wanted], [data["hidden"], data["weight"]])
