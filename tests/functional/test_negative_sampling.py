import pytest
import torch
from scipy.stats import chisquare

from headwise.functional.counter_noise import mixed_keys
from headwise.functional.negative_sampling import gumbel_top_k, shared_draws

ROWS = 40_000
WEIGHTS = torch.tensor([0.4, 0.0, 0.25, 0.2, 0.1, 0.05])
KEPT = [0, 2, 3, 4, 5]


def keys(rows: int = ROWS, seed: int = 1) -> torch.Tensor:
    return mixed_keys(torch.arange(rows), seed)


def none_avoided(rows: int = ROWS) -> torch.Tensor:
    return torch.empty(rows, 0, dtype=torch.int64)


def pair_counts(draws: torch.Tensor) -> torch.Tensor:
    """How often each ordered pair of tokens was drawn, those with a weight only."""
    counts = torch.bincount(draws[:, 0] * 6 + draws[:, 1], minlength=36).view(6, 6)
    assert counts[1].sum() == counts[:, 1].sum() == 0
    assert counts.diagonal().sum() == 0
    return counts[KEPT][:, KEPT][~torch.eye(5, dtype=torch.bool)].double()


def p_value(draws: torch.Tensor) -> float:
    """Chi-square test of ordered pairs against successive draws without replacement."""
    kept = WEIGHTS[KEPT].double()
    law = (kept.unsqueeze(1) * kept / (1 - kept).unsqueeze(1))[~torch.eye(5, dtype=torch.bool)]
    counts = pair_counts(draws)
    return float(chisquare(counts.numpy(), (law * counts.sum() / law.sum()).numpy()).pvalue)


def test_gumbel_draws_follow_the_law() -> None:
    assert p_value(gumbel_top_k(WEIGHTS.log().expand(ROWS, -1), 2, keys=keys())) > 1e-3


def test_shared_draws_follow_the_law() -> None:
    assert p_value(shared_draws(WEIGHTS, none_avoided(), 2, keys=keys())) > 1e-3


def test_so_does_torch_multinomial() -> None:
    generator = torch.Generator().manual_seed(1)
    assert p_value(torch.multinomial(WEIGHTS.expand(ROWS, -1), 2, generator=generator)) > 1e-3


def test_the_chi_square_test_notices_a_wrong_law() -> None:
    wrong = (WEIGHTS + 0.02) * (WEIGHTS > 0)
    assert p_value(gumbel_top_k(wrong.log().expand(ROWS, -1), 2, keys=keys())) < 1e-6


def test_avoided_tokens_follow_the_law_of_the_rest() -> None:
    avoided = torch.tensor([[3, -1]]).expand(ROWS, -1)
    draws = shared_draws(WEIGHTS, avoided, 1, keys=keys()).squeeze(1)
    rest = WEIGHTS.clone()
    rest[3] = 0
    counts = torch.bincount(draws, minlength=6)
    assert counts[3] == counts[1] == 0
    allowed = rest > 0
    expected = (rest / rest.sum() * ROWS)[allowed]
    assert chisquare(counts[allowed].double(), expected.double(), sum_check=False).pvalue > 1e-3


@pytest.mark.parametrize("count", [1, 4, 9])
def test_avoided_tokens_are_never_drawn_and_none_twice(count: int) -> None:
    generator = torch.Generator().manual_seed(0)
    avoided = torch.stack([torch.randperm(40, generator=generator)[:20] for _ in range(500)])
    avoided[::3, 10:] = -1
    draws = shared_draws(torch.rand(40, generator=generator) ** 8, avoided, count, keys=keys(500))
    assert draws.shape == (500, count)
    assert (draws >= 0).all()
    assert not (draws.unsqueeze(2) == avoided.unsqueeze(1)).any()
    assert all(len(set(row)) == count for row in draws.tolist())


def test_where_too_few_are_left_the_rest_is_empty() -> None:
    weights = torch.tensor([1.0, 1.0, 1.0, 0.0])
    avoided = torch.tensor([[0, 1], [2, -1], [-1, -1]])
    draws = shared_draws(weights, avoided, 3, keys=keys(3))
    assert sorted(draws[0].tolist()) == [-1, -1, 2]
    assert sorted(draws[1].tolist()) == [-1, 0, 1]
    assert sorted(draws[2].tolist()) == [0, 1, 2]
    logs = weights.log().repeat(2, 1)
    logs[0, :2] = -torch.inf
    drawn = gumbel_top_k(logs, 5, keys=keys(2))
    assert drawn.shape == (2, 5)
    assert drawn[0].tolist() == [2, -1, -1, -1, -1]
    assert sorted(drawn[1].tolist()) == [-1, -1, 0, 1, 2]


def test_draws_of_a_row_do_not_depend_on_the_others() -> None:
    weights = torch.rand(50, generator=torch.Generator().manual_seed(0))
    avoided = torch.randint(0, 50, (200, 1), generator=torch.Generator().manual_seed(1))
    whole = shared_draws(weights, avoided, 5, keys=keys(200))
    part = shared_draws(weights, avoided[70:90], 5, keys=keys(200)[70:90])
    torch.testing.assert_close(part, whole[70:90], rtol=0, atol=0)
    again = shared_draws(weights, avoided, 5, keys=keys(200, seed=2))
    assert not again.equal(whole)


def test_a_rare_token_in_a_large_vocabulary_keeps_its_share() -> None:
    # A hundred thousand tokens of which half the mass is spread over all but one
    size, rows = 100_000, 300
    log_weights = torch.zeros(rows, size)
    log_weights[:, 7] = torch.tensor(float(size - 1)).log()
    first = gumbel_top_k(log_weights, 1, keys=keys(rows)).squeeze(1)
    assert 110 < int((first == 7).sum()) < 190  # half of 300, four standard deviations
    assert len(first[first != 7].unique()) > 100
