"""Adam over touched rows, against PyTorch's Adam over whole tensors."""

import copy
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from headwise.functional import gathered_logits
from headwise.training.sigmoid import row_adam
from headwise.training.sigmoid.row_adam import RowAdam, touched_rows_pay

V, H = 37, 5


@pytest.fixture(params=[1, 400, 2**20])
def _chunk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """One row at a time, a partial last chunk, all rows at once."""
    monkeypatch.setattr(row_adam, "_CHUNK_BYTES", request.param)


def weight() -> nn.Parameter:
    return nn.Parameter(torch.randn(V, H, generator=torch.Generator().manual_seed(3)))


def sparse(rows: Sequence[int], values: Tensor) -> Tensor:
    """A gradient of some rows of a ``(V, H)`` weight; rows may stand twice."""
    return torch.sparse_coo_tensor(
        torch.tensor([list(rows)], dtype=torch.int64), values, (V, H), check_invariants=True
    )


def rates(steps: int) -> list[float]:
    """A schedule whose first step, as in a warm-up, has rate 0."""
    return [0.01 * step / steps for step in range(steps)]


@pytest.mark.usefixtures("_chunk")
def test_where_every_row_is_touched_it_is_adam() -> None:
    generator = torch.Generator().manual_seed(0)
    ours, theirs = weight(), weight()
    optimizer, adam = RowAdam([ours], eps=1e-6), torch.optim.Adam([theirs], eps=1e-6)
    for rate in rates(12):
        optimizer.param_groups[0]["lr"] = adam.param_groups[0]["lr"] = rate
        # Gradients of many sizes, so that eps matters in some columns
        theirs.grad = torch.randn(V, H, generator=generator) * 10.0 ** -torch.arange(H)
        order = torch.randperm(V, generator=generator)
        ours.grad = sparse(order.tolist(), theirs.grad[order])
        optimizer.step()
        adam.step()
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)
    assert not torch.allclose(ours, weight(), atol=1e-3)


@pytest.mark.parametrize("shape", [(), (V,), (V, H), (3, 4, 5)])
def test_with_dense_gradients_it_is_adam(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    ours = nn.Parameter(torch.randn(shape))
    theirs = copy.deepcopy(ours)
    optimizer, adam = (
        RowAdam([ours], lr=0.02, betas=(0.8, 0.95)),
        torch.optim.Adam([theirs], lr=0.02, betas=(0.8, 0.95)),
    )
    for _ in range(8):
        theirs.grad = torch.randn(shape)
        ours.grad = theirs.grad.clone()
        optimizer.step()
        adam.step()
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)


@pytest.mark.usefixtures("_chunk")
def test_rows_live_on_their_own() -> None:
    generator = torch.Generator().manual_seed(1)
    parameter = weight()
    optimizer = RowAdam([parameter])
    alone = {row: nn.Parameter(weight()[row].detach().clone()) for row in range(V)}
    adams = {row: torch.optim.Adam([one]) for row, one in alone.items()}
    touched_ever: set[int] = set()
    for rate in rates(15):
        # Rows at every pace: row r in one of about r steps; the last three in none
        picked = torch.rand(V - 3, generator=generator) < 1 / torch.arange(1, V - 2)
        rows = picked.nonzero().flatten().tolist()
        values = torch.randn(len(rows), H, generator=generator)
        parameter.grad = sparse(rows, values)
        before = parameter.detach().clone()
        optimizer.param_groups[0]["lr"] = rate
        optimizer.step()
        untouched = [row for row in range(V) if row not in rows]
        assert torch.equal(parameter[untouched], before[untouched])
        for row, value in zip(rows, values, strict=True):
            alone[row].grad = value
            adams[row].param_groups[0]["lr"] = rate
            adams[row].step()
        touched_ever.update(rows)
    assert 5 < len(touched_ever) < V - 3
    expected = torch.stack([alone[row] for row in range(V)])
    torch.testing.assert_close(parameter, expected, rtol=1e-6, atol=1e-6)
    never = [row for row in range(V) if row not in touched_ever]
    assert torch.equal(parameter[never], weight()[never])
    assert not optimizer.state[parameter]["second"][never].any()


def test_a_row_that_stands_twice_gets_one_step_of_the_sum() -> None:
    twice, once = weight(), weight()
    values = torch.randn(3, H, generator=torch.Generator().manual_seed(2))
    twice.grad = sparse([4, 9, 4], values)
    once.grad = sparse([4, 9], torch.stack([values[0] + values[2], values[1]]))
    optimizers = RowAdam([twice]), RowAdam([once])
    for optimizer in optimizers:
        optimizer.step()
    torch.testing.assert_close(twice, once, rtol=0, atol=0)
    assert optimizers[0].state[twice]["steps"][[4, 9, 10]].tolist() == [1.0, 1.0, 0.0]


def test_a_dense_gradient_may_follow_a_sparse_one_and_the_other_way_round() -> None:
    values = torch.randn(3, V, H, generator=torch.Generator().manual_seed(4))
    whole = list(range(V))
    ours, theirs = weight(), weight()
    optimizer, adam = RowAdam([ours]), torch.optim.Adam([theirs])
    for gradient in (values[0], sparse(whole, values[1]), values[2]):
        ours.grad = gradient
        theirs.grad = gradient.to_dense() if gradient.is_sparse else gradient.clone()
        optimizer.step()
        adam.step()
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)


def test_a_gradient_of_no_row_changes_nothing() -> None:
    parameter = weight()
    parameter.grad = sparse([], torch.empty(0, H))
    RowAdam([parameter]).step()
    assert torch.equal(parameter, weight())


def test_it_takes_the_gradient_of_gathered_logits() -> None:
    torch.manual_seed(5)
    ours, theirs = weight(), weight()
    optimizer = RowAdam([ours], lr=0.1)
    hidden, ids = torch.randn(4, H), torch.tensor([[1, 2], [2, 30], [1, 1], [0, 36]])
    gathered_logits(hidden, ours, ids, sparse_gradient=True).square().sum().backward()
    (hidden @ theirs.T).gather(1, ids).square().sum().backward()
    before = ours.detach().clone()
    optimizer.step()
    assert theirs.grad is not None
    # Adam's first step is the rate times the gradient's sign
    torch.testing.assert_close(before - ours, 0.1 * theirs.grad.sign(), rtol=1e-4, atol=1e-6)


def test_its_state_survives_a_round_trip() -> None:
    torch.manual_seed(6)
    ours = weight()
    optimizer = RowAdam([ours], lr=0.03, betas=(0.7, 0.9), eps=1e-5)

    def steps(parameter: nn.Parameter, chosen: RowAdam) -> None:
        generator = torch.Generator().manual_seed(7)
        for _ in range(4):
            rows = torch.randperm(V, generator=generator)[:6].tolist()
            parameter.grad = sparse(rows, torch.randn(6, H, generator=generator))
            chosen.step()

    steps(ours, optimizer)
    copied = nn.Parameter(ours.detach().clone())
    restored = RowAdam([copied])
    restored.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    steps(ours, optimizer)
    steps(copied, restored)
    torch.testing.assert_close(copied, ours, rtol=0, atol=0)


def test_a_closure_is_called_with_gradients() -> None:
    parameter = weight()
    optimizer = RowAdam([parameter], lr=0.1)

    def closure() -> float:
        loss = parameter.square().sum()
        loss.backward()
        return loss.item()

    assert optimizer.step(closure) == pytest.approx(weight().square().sum().item())
    assert parameter.square().sum() < weight().square().sum()


def test_touched_rows_pay_for_small_batches_of_large_vocabularies_on_a_cpu() -> None:
    cpu = torch.device("cpu")
    assert touched_rows_pay(128_000, 45_000, cpu)
    assert not touched_rows_pay(128_000, 90_000, cpu)
    assert touched_rows_pay(32_000, 5_000, cpu)
    assert not touched_rows_pay(32_000, 11_000, cpu)
    assert not touched_rows_pay(8_000, 22_000, cpu)
    assert not touched_rows_pay(128_000, 100, torch.device("cuda"))
