import pytest
import torch

from headwise.functional.finite import not_finite


@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16, torch.float8_e4m3fn]
)
def test_tensors_with_nan_or_infinity_are_named(dtype: torch.dtype) -> None:
    whole = torch.full((3, 5), 400.0)
    values = {"whole": whole, "nan": whole.clone(), "none": torch.empty(0)}
    values["nan"][2, 4] = float("nan")
    if dtype != torch.float8_e4m3fn:  # it has no infinity
        values["inf"], values["both"] = whole.clone(), whole.clone()
        values["inf"][0, 0] = values["both"][1, 1] = float("inf")
        values["both"][1, 2] = -float("inf")
    tensors = {name: tensor.to(dtype) for name, tensor in values.items()}
    assert not_finite(tensors.items()) == [n for n in values if n not in ("whole", "none")]


def test_numbers_whose_sum_is_too_large_are_finite() -> None:
    large = torch.full((9,), 60000.0, dtype=torch.float16)
    ids = torch.tensor([1, 2])
    empty = torch.ones(3, device="meta")
    assert not_finite([("large", large), ("ids", ids), ("empty", empty)]) == []
