"""Texts one after another: their rows, side by side, and their means and maxima."""

import pytest
import torch

from headwise.functional.packed_texts import (
    packed_mean_and_max,
    packed_rows,
    packed_starts,
    padded,
)

LENGTHS = torch.tensor([3, 1, 4, 2])
CHOSEN = torch.tensor([2, 0, 2, 3, 1])


def test_rows_and_padding_are_those_of_each_text() -> None:
    packed = torch.randn(10, 5)
    each = packed.split(LENGTHS.tolist())
    starts = packed_starts(LENGTHS)
    assert starts.tolist() == [0, 3, 4, 8]
    rows = packed_rows(starts[CHOSEN], LENGTHS[CHOSEN])
    assert torch.equal(packed[rows], torch.cat([each[i] for i in CHOSEN]))
    side_by_side, real = padded(packed, starts[CHOSEN], LENGTHS[CHOSEN])
    assert side_by_side.shape == (5, 4, 5)
    assert torch.equal(side_by_side[real], packed[rows])
    assert real.sum(dim=1).tolist() == LENGTHS[CHOSEN].tolist()


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_means_and_maxima_are_those_of_each_text(sign: float) -> None:
    packed = (sign * torch.rand(10, 5)).requires_grad_()
    each = packed.split(LENGTHS.tolist())
    expected = torch.stack([torch.cat([one.mean(0), one.amax(0)]) for one in each])
    found = packed_mean_and_max(packed, LENGTHS)
    torch.testing.assert_close(found, expected)
    weights = torch.randn_like(found)
    (gradient,) = torch.autograd.grad((found * weights).sum(), packed)
    (plain,) = torch.autograd.grad((expected * weights).sum(), packed)
    torch.testing.assert_close(gradient, plain)
