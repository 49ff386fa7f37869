import pytest
import torch
from made_heads import stirred

from headwise.errors import UninitialisedError
from headwise.heads import EmbeddingHead


@pytest.mark.parametrize("normalise", [True, False])
@pytest.mark.parametrize("output_size", [None, 5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_embeddings_are_those_of_the_formula(
    dtype: torch.dtype, output_size: int | None, normalise: bool
) -> None:
    head = stirred(EmbeddingHead(hidden_size=7, output_size=output_size, normalise=normalise))
    pooled = torch.randn(2, 3, 7).to(dtype)
    expected = pooled.float()
    if output_size is not None:
        expected = expected @ head.projection.weight.T
    if normalise:
        expected = expected / expected.square().sum(-1, keepdim=True).sqrt()
    found = head(pooled)
    assert found.dtype == torch.float32
    assert found.shape[-1] == head.output_size == (output_size or 7)
    torch.testing.assert_close(found, expected)


def test_gradients_reach_projection_and_input() -> None:
    head = stirred(EmbeddingHead(hidden_size=7, output_size=5))
    pooled = torch.randn(4, 7, requires_grad=True)
    plain = pooled.detach().clone().requires_grad_()
    weight = head.projection.weight.detach().clone().requires_grad_()
    target = torch.randn(4, 5)
    (head(pooled) * target).sum().backward()
    other = plain @ weight.T
    (other / other.norm(dim=-1, keepdim=True) * target).sum().backward()
    torch.testing.assert_close(pooled.grad, plain.grad)
    torch.testing.assert_close(head.projection.weight.grad, weight.grad)


def test_a_half_precision_projection_gives_unit_vectors_in_float32() -> None:
    head = EmbeddingHead(hidden_size=64, output_size=48).bfloat16()
    embeddings = head(torch.randn(9, 64))
    torch.testing.assert_close(embeddings.norm(dim=-1), torch.ones(9))


def test_nothing_stays_nothing() -> None:
    assert not EmbeddingHead(hidden_size=7)(torch.zeros(2, 7)).any()
    assert EmbeddingHead(hidden_size=7)(torch.zeros(0, 7)).shape == (0, 7)


def test_it_starts_again_and_can_be_built_without_memory() -> None:
    EmbeddingHead(hidden_size=7).reset_parameters()  # there is nothing to reset
    torch.manual_seed(2)
    head = EmbeddingHead(hidden_size=7, output_size=5)
    first = head.projection.weight.detach().clone()
    stirred(head)
    torch.manual_seed(2)
    head.reset_parameters()
    assert torch.equal(head.projection.weight, first)
    with torch.device("meta"):
        empty = EmbeddingHead(hidden_size=7, output_size=5)
    assert empty.projection.weight.is_meta


@pytest.mark.parametrize("output_size", [None, 5])
def test_a_mask_chooses_the_positions_to_embed(output_size: int | None) -> None:
    head = stirred(EmbeddingHead(hidden_size=7, output_size=output_size))
    hidden = torch.randn(3, 4, 7)
    mask = torch.tensor([[0, 0, 0, 1], [0, 1, 0, 0], [1, 0, 1, 0]])
    found = head(hidden, pooling_mask=mask)
    torch.testing.assert_close(found, head(hidden)[mask.bool()])
    assert torch.equal(head(hidden, mask.bool()), found)
    with pytest.raises(ValueError, match=r"`pooling_mask` .* \(3, 4\), got \(4,\)"):
        head(hidden, mask[0])


def test_state_dicts_are_exchanged_with_d9d() -> None:
    theirs = {"projection.weight": torch.randn(5, 7)}
    head = EmbeddingHead(hidden_size=7, output_size=5)
    head.load_state_dict(theirs)
    assert set(head.state_dict()) == set(theirs)
    assert not EmbeddingHead(hidden_size=7).state_dict()


@pytest.mark.parametrize("output_size", [None, 5])
def test_hidden_states_of_another_width_are_refused(output_size: int | None) -> None:
    with pytest.raises(ValueError, match=r"`hidden_size` of 7 as H, got \(2, 8\)"):
        EmbeddingHead(hidden_size=7, output_size=output_size)(torch.zeros(2, 8))


def test_wrong_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"`output_size` .* at least 1, got 0"):
        EmbeddingHead(hidden_size=7, output_size=0)
    with pytest.raises(ValueError, match=r"`hidden_size` .* at least 1, got 0"):
        EmbeddingHead(hidden_size=0)


def test_a_head_without_values_says_how_to_get_some() -> None:
    with torch.device("meta"):
        head = EmbeddingHead(hidden_size=7, output_size=5)
    with pytest.raises(UninitialisedError, match="materialise"):
        head(torch.zeros(2, 7))
