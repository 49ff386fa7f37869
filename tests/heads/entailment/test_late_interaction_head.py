import pytest
import torch
from made_heads import stirred

from headwise.heads import LateInteractionHead

MASK = torch.tensor([[1, 1, 1, 0], [0, 1, 1, 1], [1, 1, 1, 1]])


@pytest.mark.parametrize("output_size", [None, 5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_real_tokens_are_unit_vectors_and_padding_is_zero(
    dtype: torch.dtype, output_size: int | None
) -> None:
    head = stirred(LateInteractionHead(hidden_size=7, output_size=output_size))
    hidden = torch.randn(3, 4, 7).to(dtype)
    expected = hidden.float()
    if output_size is not None:
        expected = expected @ head.projection.weight.T
    expected = expected / expected.norm(dim=-1, keepdim=True) * MASK.unsqueeze(-1)
    for mask in (MASK, MASK.bool()):
        found = head(hidden, mask)
        assert found.dtype == torch.float32
        assert found.shape == (3, 4, head.output_size)
        torch.testing.assert_close(found, expected)


def test_what_stands_at_padding_reaches_neither_vectors_nor_gradients() -> None:
    head = stirred(LateInteractionHead(hidden_size=7, output_size=5))
    hidden = torch.randn(3, 4, 7)
    hidden[MASK == 0] = torch.nan
    hidden.requires_grad_()
    vectors = head(hidden, MASK)
    assert not vectors[MASK == 0].any()
    vectors.sum().backward()
    assert head.projection.weight.grad.isfinite().all()
    assert hidden.grad.isfinite().all()
    assert not hidden.grad[MASK == 0].any()
    assert hidden.grad[MASK == 1].any()


def test_scores_are_sums_of_the_largest_cosines_of_real_tokens() -> None:
    head = stirred(LateInteractionHead(hidden_size=7, output_size=5))
    query_mask = torch.tensor([[1, 1, 0], [1, 1, 1]])
    # Vectors that point away from each other: padding, at 0, must not win
    query_states = torch.rand(2, 3, 7) + 1.0
    document_states = -torch.rand(3, 4, 7) - 1.0
    head.requires_grad_(False)
    queries, documents = head(query_states, query_mask), head(document_states, MASK)
    found = head.score(queries, documents, query_mask=query_mask, document_mask=MASK)
    expected = torch.zeros(2, 3)
    for q in range(2):
        for n in range(3):
            for s in query_mask[q].nonzero().flatten():
                expected[q, n] += max(
                    float(queries[q, s] @ documents[n, t]) for t in MASK[n].nonzero().flatten()
                )
    assert (expected < 0).all()
    torch.testing.assert_close(found, expected)
    whole = head.score(queries[1:], documents[2:])
    torch.testing.assert_close(whole, expected[1:, 2:])


def test_a_mask_of_another_shape_is_refused() -> None:
    head = LateInteractionHead(hidden_size=7)
    with pytest.raises(ValueError, match=r"`mask` must .* \(3, 4\), got \(3, 1\)"):
        head(torch.randn(3, 4, 7), MASK[:, :1])


def test_it_starts_again_and_can_be_built_without_memory() -> None:
    LateInteractionHead(hidden_size=7).reset_parameters()  # there is nothing to reset
    torch.manual_seed(2)
    head = LateInteractionHead(hidden_size=7, output_size=5)
    first = head.projection.weight.detach().clone()
    stirred(head)
    torch.manual_seed(2)
    head.reset_parameters()
    assert torch.equal(head.projection.weight, first)
    with torch.device("meta"):
        empty = LateInteractionHead(hidden_size=7, output_size=5)
    assert empty.projection.weight.is_meta
