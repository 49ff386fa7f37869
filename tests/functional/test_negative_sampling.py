import pytest
import torch
from scipy.stats import chisquare

from headwise.backbones import Unembedding
from headwise.functional import LargestDrop, dominant_tokens
from headwise.functional.negative_sampling import gumbel_top_k, shared_draws
from headwise.training.negatives import NegativeSampling, draw_negatives
from headwise.training.objective import sampled_binary_cross_entropy

ROWS = 40_000
WEIGHTS = torch.tensor([0.4, 0.0, 0.25, 0.2, 0.1, 0.05])


def pair_counts(draws: torch.Tensor) -> torch.Tensor:
    """How often each ordered pair of tokens was drawn, those with a weight only."""
    counts = torch.bincount(draws[:, 0] * 6 + draws[:, 1], minlength=36).view(6, 6)
    assert counts[1].sum() == counts[:, 1].sum() == 0
    assert counts.diagonal().sum() == 0
    kept = [0, 2, 3, 4, 5]
    pairs = counts[kept][:, kept]
    return pairs[~torch.eye(5, dtype=torch.bool)]


def expected_pairs() -> torch.Tensor:
    """The law of successive draws without replacement."""
    kept = WEIGHTS[[0, 2, 3, 4, 5]].double()
    law = kept.unsqueeze(1) * kept / (1 - kept).unsqueeze(1)
    return law[~torch.eye(5, dtype=torch.bool)] * ROWS


@pytest.mark.parametrize("method", ["gumbel", "shared", "multinomial"])
def test_draws_follow_the_law_of_draws_without_replacement(method: str) -> None:
    generator = torch.Generator().manual_seed(1)
    match method:
        case "gumbel":
            draws = gumbel_top_k(WEIGHTS.log().expand(ROWS, -1), 2, generator=generator)
        case "shared":
            forbidden = torch.zeros(ROWS, 6, dtype=torch.bool)
            draws = shared_draws(WEIGHTS, forbidden, 2, generator=generator)
        case _:
            draws = torch.multinomial(WEIGHTS.expand(ROWS, -1), 2, generator=generator)
    counts = pair_counts(draws).double()
    expected = expected_pairs()
    assert (
        chisquare(counts.numpy(), (expected * counts.sum() / expected.sum()).numpy()).pvalue > 0.001
    )


def test_the_chi_square_test_notices_a_wrong_law() -> None:
    generator = torch.Generator().manual_seed(1)
    wrong = (WEIGHTS + 0.02) * (WEIGHTS > 0)
    counts = pair_counts(
        gumbel_top_k(wrong.log().expand(ROWS, -1), 2, generator=generator)
    ).double()
    expected = expected_pairs()
    assert (
        chisquare(counts.numpy(), (expected * counts.sum() / expected.sum()).numpy()).pvalue < 1e-6
    )


def test_forbidden_tokens_are_never_drawn() -> None:
    generator = torch.Generator().manual_seed(0)
    forbidden = torch.rand(500, 40, generator=generator) < 0.7
    forbidden[:, :6] = False
    draws = shared_draws(torch.rand(40, generator=generator), forbidden, 6, generator=generator)
    assert not forbidden.gather(1, draws).any()
    assert all(len(set(row)) == 6 for row in draws.tolist())
    forbidden[3] = True
    with pytest.raises(ValueError, match="at most"):
        shared_draws(torch.ones(40), forbidden, 6)


def test_draw_negatives_avoids_dominant_tokens_and_is_seeded() -> None:
    generator = torch.Generator().manual_seed(0)
    unembedding = Unembedding(weight=torch.randn(60, 8, generator=generator))
    hidden = 2 * torch.randn(37, 8, generator=generator)
    frequencies = torch.rand(60, generator=generator)

    def draw(**settings: object) -> torch.Tensor:
        return draw_negatives(
            hidden,
            unembedding,
            frequencies,
            sampling=NegativeSampling(**settings),
            generator=torch.Generator().manual_seed(3),
            workspace_bytes=60 * 18 * 5,
        )

    negatives = draw()
    assert negatives.shape == (37, 10)
    dominant = dominant_tokens(unembedding(hidden).log_softmax(-1), selector=LargestDrop())
    assert not (negatives.unsqueeze(2) == dominant.token_ids.unsqueeze(1)).any()
    everywhere = draw(selector=None)
    assert (everywhere.unsqueeze(2) == dominant.token_ids.unsqueeze(1)).any()
    torch.testing.assert_close(negatives, draw())


@pytest.mark.parametrize(
    "settings",
    [{"per_position": 0}, {"frequency_share": 1.5}, {"temperature": 0.0}],
)
def test_impossible_settings_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        NegativeSampling(**settings)


def test_objective_counts_repeated_candidates_once() -> None:
    logits = torch.tensor([[2.0, -1.0, 0.5, 9.0]], requires_grad=True)
    ids = torch.tensor([[7, 3, 3, 7]])
    loss = sampled_binary_cross_entropy(logits, ids)
    positive, negative = (
        torch.sigmoid(torch.tensor(2.0)).log(),
        torch.sigmoid(torch.tensor(1.0)).log(),
    )
    torch.testing.assert_close(loss, -(positive + negative) / 2)
    loss.backward()
    assert logits.grad[0, 2] == logits.grad[0, 3] == 0
