import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from headwise.functional.max_sim import max_sim

FLOAT32 = 4


def dense(
    queries: torch.Tensor,
    documents: torch.Tensor,
    query_mask: torch.Tensor,
    document_mask: torch.Tensor,
) -> torch.Tensor:
    """One query and document at a time, without their padding."""
    scores = torch.zeros(len(queries), len(documents))
    for i, (query, real) in enumerate(zip(queries, query_mask, strict=True)):
        for j, (document, there) in enumerate(zip(documents, document_mask, strict=True)):
            if not there.any():
                scores[i, j] = -torch.inf
            elif real.any():
                scores[i, j] = (query[real] @ document[there].T).amax(1).sum()
    return scores


def inputs(q: int, s: int, n: int, t: int, d: int) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(q + s + n + t + d)
    masks = torch.rand(q, s) < 0.7, torch.rand(n, t) < 0.6
    return torch.randn(q, s, d), torch.randn(n, t, d), *masks


@given(
    q=st.integers(1, 3),
    s=st.integers(1, 4),
    n=st.integers(0, 7),
    t=st.integers(0, 5),
    d=st.integers(1, 5),
    held=st.integers(0, 4),
)
def test_equals_the_dense_formula_for_any_size_and_chunk(
    q: int, s: int, n: int, t: int, d: int, held: int
) -> None:
    queries, documents, query_mask, document_mask = inputs(q, s, n, t, d)
    found = max_sim(
        queries,
        documents,
        query_mask=query_mask.long(),
        document_mask=document_mask,
        workspace_bytes=held * q * s * t * FLOAT32,
    )
    assert found.shape == (q, n)
    torch.testing.assert_close(found, dense(queries, documents, query_mask, document_mask))


def test_without_masks_every_token_is_real() -> None:
    queries, documents, query_mask, document_mask = inputs(2, 3, 5, 4, 6)
    every = torch.ones_like(query_mask), torch.ones_like(document_mask)
    torch.testing.assert_close(max_sim(queries, documents), dense(queries, documents, *every))


@pytest.mark.parametrize("filling", [0.0, 1e4, float("nan"), float("inf")])
def test_padding_never_beats_a_negative_similarity(filling: float) -> None:
    query = torch.tensor([[[1.0, 0.0]]])
    documents = torch.tensor([[[-1.0, 0.0], [filling, filling]]])
    mask = torch.tensor([[1, 0]])
    assert max_sim(query, documents, document_mask=mask).item() == -1.0
    # As PyLate has it: similarities of padding are multiplied by zero, and zero wins
    multiplied = torch.einsum("ash,bth->abst", query, documents.nan_to_num(0, 0)) * mask
    assert multiplied.amax(-1).sum().item() == 0.0


def test_padding_of_a_query_adds_nothing() -> None:
    queries, documents, _, document_mask = inputs(1, 4, 3, 5, 6)
    document_mask[:, 0] = True
    longer = torch.cat([queries, torch.full((1, 2, 6), torch.nan)], dim=1)
    mask = torch.tensor([[1, 1, 1, 1, 0, 0]])
    torch.testing.assert_close(
        max_sim(longer, documents, query_mask=mask, document_mask=document_mask),
        max_sim(queries, documents, document_mask=document_mask),
    )


def test_a_document_without_a_real_token_comes_last() -> None:
    queries, documents, _, _ = inputs(1, 2, 2, 3, 4)
    mask = torch.tensor([[0, 0, 0], [1, 0, 0]])
    for query_mask in (None, torch.zeros(1, 2)):
        found = max_sim(queries, documents, query_mask=query_mask, document_mask=mask)
        assert found[0, 0] == -torch.inf
        assert found[0, 1].isfinite()


@pytest.mark.parametrize("held", [1, 100])
def test_gradients_equal_those_of_the_dense_formula(held: int) -> None:
    queries, documents, query_mask, document_mask = inputs(2, 3, 5, 4, 6)
    document_mask[:, 0] = True
    document_mask[2] = False  # scores minus infinity, whatever its tokens are
    query_mask[:, 0] = True
    grown = torch.randn(2, 5)
    gradients = []
    for chunked in (True, False):
        a, b = queries.clone().requires_grad_(), documents.clone().requires_grad_()
        if chunked:
            scores = max_sim(
                a,
                b,
                query_mask=query_mask,
                document_mask=document_mask,
                workspace_bytes=held * 2 * 3 * 4 * FLOAT32,
            )
        else:
            scores = dense(a, b, query_mask, document_mask)
        finite = scores.isfinite()
        gradients.append(torch.autograd.grad((scores[finite] * grown[finite]).sum(), (a, b)))
    torch.testing.assert_close(gradients[0], gradients[1])


def test_bfloat16_is_scored_in_float32() -> None:
    queries, documents, query_mask, document_mask = inputs(2, 3, 4, 5, 6)
    queries, documents = queries.bfloat16(), documents.bfloat16()
    found = max_sim(queries, documents, query_mask=query_mask, document_mask=document_mask)
    assert found.dtype == torch.float32
    right = dense(queries.float(), documents.float(), query_mask, document_mask)
    torch.testing.assert_close(found, right)


def test_shapes_that_do_not_fit_are_refused() -> None:
    queries, documents, query_mask, document_mask = inputs(2, 3, 4, 5, 6)
    with pytest.raises(ValueError, match="same D"):
        max_sim(queries, documents[..., :5])
    with pytest.raises(ValueError, match="same D"):
        max_sim(queries[0], documents)
    with pytest.raises(ValueError, match=r"`query_mask` must be \(2, 3\), got \(4, 5\)"):
        max_sim(queries, documents, query_mask=document_mask)
    with pytest.raises(ValueError, match=r"`document_mask` must be \(4, 5\), got \(2, 3\)"):
        max_sim(queries, documents, document_mask=query_mask)
