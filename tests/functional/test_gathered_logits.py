import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from headwise.functional import gathered_logits
from peak_memory import peak_bytes

FLOAT32 = 4


def inputs(n: int, v: int, h: int, k: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(n + v + h + k)
    return torch.randn(n, h), torch.randn(v, h), torch.randint(0, v, (n, k))


def dense(hidden: torch.Tensor, weight: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    return (hidden @ weight.T).gather(1, ids)


@given(
    n=st.integers(0, 9),
    v=st.integers(1, 33),
    h=st.integers(1, 13),
    k=st.integers(0, 5),
    rows=st.integers(1, 10),
)
def test_equals_the_dense_formula_for_any_size_and_chunk(
    n: int, v: int, h: int, k: int, rows: int
) -> None:
    hidden, weight, ids = inputs(n, v, h, k)
    workspace = rows * (k + 1) * (h + 1) * FLOAT32
    found = gathered_logits(hidden, weight, ids, workspace_bytes=workspace)
    assert found.shape == (n, k)
    torch.testing.assert_close(found, dense(hidden, weight, ids))


@pytest.mark.parametrize("learned", ["hidden", "weight", "both"])
def test_gradients_equal_those_of_the_dense_formula(learned: str) -> None:
    hidden, weight, ids = inputs(7, 31, 5, 3)
    ids[0] = ids[1, 0]  # one token several times: its row collects several gradients
    grown = torch.randn(7, 3)
    gradients = []
    for formula in (gathered_logits, dense):
        a, b = hidden.clone(), weight.clone()
        wanted = [t for t, name in ((a, "hidden"), (b, "weight")) if learned in (name, "both")]
        for tensor in wanted:
            tensor.requires_grad_()
        value = formula(a, b, ids)
        gradients.append(torch.autograd.grad((value * grown).sum(), wanted))
    torch.testing.assert_close(gradients[0], gradients[1])


def test_gradient_formula_itself() -> None:
    hidden, weight, ids = inputs(3, 5, 4, 2)
    a, b = hidden.double().requires_grad_(), weight.double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x, y: gathered_logits(x, y, ids), (a, b))


@pytest.mark.parametrize(
    ("hidden_dtype", "weight_dtype"),
    [
        (torch.bfloat16, torch.bfloat16),
        (torch.float32, torch.bfloat16),
        (torch.bfloat16, torch.float32),
    ],
)
def test_bfloat16_keeps_the_dtype_of_the_weight(
    hidden_dtype: torch.dtype, weight_dtype: torch.dtype
) -> None:
    hidden, weight, ids = inputs(6, 11, 16, 2)
    hidden, weight = hidden.to(hidden_dtype), weight.to(weight_dtype)
    found = gathered_logits(hidden, weight, ids)
    assert found.dtype == weight_dtype
    torch.testing.assert_close(
        found.float(), dense(hidden.float(), weight.float(), ids), rtol=0.02, atol=0.05
    )


def test_a_workspace_that_holds_no_row_is_refused() -> None:
    with pytest.raises(ValueError, match="`workspace_bytes` must be at least"):
        gathered_logits(*inputs(2, 9, 8, 3), workspace_bytes=16)


@pytest.mark.parametrize(
    ("hidden", "weight", "ids"),
    [
        ((4, 5), (9, 6), (4, 2)),
        ((5,), (9, 5), (4, 2)),
        ((4, 5), (9, 5), (3, 2)),
        ((4, 5), (9, 5), (4,)),
    ],
)
def test_shapes_that_do_not_fit_are_refused(
    hidden: tuple[int, ...], weight: tuple[int, ...], ids: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match="must be"):
        gathered_logits(torch.zeros(hidden), torch.zeros(weight), torch.zeros(ids).long())


def test_memory_stays_within_the_workspace() -> None:
    hidden, weight, ids = inputs(512, 2000, 64, 4)
    workspace = 20_000
    peak, result = peak_bytes(
        lambda: gathered_logits(hidden, weight, ids, workspace_bytes=workspace)
    )
    assert peak <= workspace + result.nbytes
    dense_peak, _ = peak_bytes(lambda: dense(hidden, weight, ids))
    assert dense_peak > 100 * workspace
