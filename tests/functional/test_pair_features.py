import pytest
import torch

from headwise.functional.pair_features import pair_features


def test_embeddings_distance_and_product_stand_in_this_order() -> None:
    u, v = torch.tensor([[1.0, -2.0]]), torch.tensor([[3.0, 4.0]])
    right = torch.tensor([[1.0, -2.0, 3.0, 4.0, 2.0, 6.0, 3.0, -8.0]])
    torch.testing.assert_close(pair_features(u, v), right)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_keeps_the_dtype_and_gives_four_times_the_width(dtype: torch.dtype) -> None:
    found = pair_features(torch.randn(3, 5, dtype=dtype), torch.randn(3, 5, dtype=dtype))
    assert found.shape == (3, 20)
    assert found.dtype == dtype


def test_the_other_order_differs_in_the_embeddings_only() -> None:
    u, v = torch.randn(3, 5), torch.randn(3, 5)
    one, other = pair_features(u, v), pair_features(v, u)
    torch.testing.assert_close(one[:, 10:], other[:, 10:])
    torch.testing.assert_close(one[:, :5], other[:, 5:10])


@pytest.mark.parametrize("shape", [(3, 4), (1, 5), (5,)])
def test_shapes_that_differ_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="same N and H"):
        pair_features(torch.zeros(3, 5), torch.zeros(shape))
