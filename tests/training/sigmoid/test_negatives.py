"""Draws of negatives against the explicit law, position by position."""

from dataclasses import replace

import pytest
import torch
from made_batches import batch_of, made_batch
from scipy.stats import chi2, chisquare

from headwise.backbones import Unembedding
from headwise.features import FeatureBatch
from headwise.functional import LargestDrop, TopK, dominant_tokens
from headwise.training.sigmoid.negatives import draw_negatives
from headwise.training.sigmoid.objective import avoided_tokens
from headwise.training.sigmoid.objective_settings import Combination, NegativeSampling

ROWS, V = 30_000, 7
FREQUENCIES = torch.tensor([5.0, 0.0, 1.0, 9.0, 2.0, 4.0, 3.0])
AVOID = TopK(2)


def same_positions() -> tuple[FeatureBatch, Unembedding]:
    """Many positions with one and the same distribution, so that draws can be counted."""
    generator = torch.Generator().manual_seed(3)
    unembedding = Unembedding(weight=torch.randn(V, 4, generator=generator))
    hidden = 2 * torch.randn(1, 4, generator=generator).expand(ROWS, -1)
    return batch_of(hidden, unembedding, top=V), unembedding


def draw(
    batch: FeatureBatch,
    unembedding: Unembedding,
    sampling: NegativeSampling,
    *,
    avoided: torch.Tensor | None = None,
    **options: object,
) -> torch.Tensor:
    if avoided is None:
        avoided = avoided_tokens(batch, AVOID)
    settings = {"seed": 0, "epoch": 0, "frequencies": FREQUENCIES, "workspace_bytes": V * 44 * 999}
    return draw_negatives(
        batch, avoided, sampling=sampling, unembedding=unembedding, **(settings | options)
    )


def laws(
    batch: FeatureBatch, unembedding: Unembedding, temperature: float
) -> dict[str, torch.Tensor]:
    """The distributions over what may be drawn at the one position, each ``(V,)``."""
    allowed = torch.ones(V)
    allowed[batch.top_ids[0, :2]] = 0
    softmax = (unembedding(batch.hidden[:1])[0] / temperature).softmax(-1)
    found = {"frequency": FREQUENCIES, "softmax": softmax, "uniform": torch.ones(V)}
    return {name: (law * allowed) / (law * allowed).sum() for name, law in found.items()}


def agree(draws: torch.Tensor, law: torch.Tensor) -> float:
    """p-value of a chi-square test of ordered draws against `torch.multinomial`'s."""
    generator = torch.Generator().manual_seed(5)
    reference = torch.multinomial(law.expand(4 * ROWS, -1), draws.shape[1], generator=generator)

    def counts(ids: torch.Tensor) -> torch.Tensor:
        numbers = (ids * V ** torch.arange(ids.shape[1])).sum(-1)
        return torch.bincount(numbers, minlength=V ** ids.shape[1]).double()

    expected, found = counts(reference) / 4, counts(draws)
    enough = expected >= 20
    assert found[~enough].sum() < 0.05 * ROWS
    # Both sides are random: the statistic's variance is that of the draws and a quarter
    statistic = ((found - expected) ** 2 / (1.25 * expected))[enough].sum()
    degrees = int(enough.sum()) - 1
    return float(chi2.sf(statistic.item(), degrees))


CASES = {
    "frequency": {"softmax": 0.0},
    "uniform": {"softmax": 0.0, "frequency": 0.0, "uniform": 1.0},
    "softmax": {"frequency": 0.0},
    "softmax, all tokens": {"frequency": 0.0, "candidates": None},
    "softmax, temperature": {"frequency": 0.0, "temperature": 0.5},
    "add": {"combination": "add", "frequency": 0.3, "softmax": 0.5, "uniform": 0.2},
    "add, all tokens": {"combination": "add", "candidates": None},
    "multiply": {"combination": "multiply"},
    "multiply, all tokens": {"combination": "multiply", "candidates": None, "uniform": 1.0},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("count", [1, 2])
def test_draws_follow_the_law_of_torch_multinomial(case: str, count: int) -> None:
    sampling = NegativeSampling(per_position=count, **CASES[case])
    batch, unembedding = same_positions()
    parts = laws(batch, unembedding, sampling.temperature)
    shares = {name: getattr(sampling, name) for name in parts if getattr(sampling, name)}
    if sampling.combination is Combination.MULTIPLY:
        law = torch.stack([parts[name] for name in shares]).prod(0)
    else:
        law = torch.stack([share * parts[name] for name, share in shares.items()]).sum(0)
    found = draw(batch, unembedding, sampling)
    assert found.shape == (ROWS, count)
    assert agree(found, law / law.sum()) > 1e-3
    # The test notices a law in which one token weighs a little more
    law[int(law.argmax())] *= 1.2
    assert agree(found, law / law.sum()) < 1e-3


def test_independent_distributions_give_their_shares() -> None:
    batch, unembedding = same_positions()
    sampling = NegativeSampling(per_position=3, frequency=1, softmax=1, uniform=1)
    assert sampling.counts() == (1, 1, 1)
    found = draw(batch, unembedding, sampling)
    for column, law in enumerate(laws(batch, unembedding, 2.0).values()):
        counts = torch.bincount(found[:, column], minlength=V)[law > 0].double()
        expected = (law[law > 0] * ROWS).double()
        assert chisquare(counts, expected, sum_check=False).pvalue > 1e-3


@pytest.mark.parametrize(
    ("shares", "counts"),
    [
        ((0.5, 0.5, 0), (5, 5, 0)),
        ((1, 0, 0), (10, 0, 0)),
        ((1, 1, 1), (3, 4, 3)),
        ((0, 3, 1), (0, 8, 2)),
    ],
)
def test_shares_add_up(shares: tuple[float, ...], counts: tuple[int, ...]) -> None:
    sampling = NegativeSampling(frequency=shares[0], softmax=shares[1], uniform=shares[2])
    assert sampling.counts() == counts


@pytest.mark.parametrize("combination", Combination)
@pytest.mark.parametrize("candidates", [None, 20])
def test_avoided_tokens_are_no_negatives_and_chunks_do_not_matter(
    combination: Combination, candidates: int | None
) -> None:
    batch, unembedding = made_batch(37, 60, 8, top=60, sharpness=6.0)
    frequencies = torch.rand(60, generator=torch.Generator().manual_seed(0))
    sampling = NegativeSampling(combination=combination, candidates=candidates)
    avoided = avoided_tokens(batch, LargestDrop())
    found = [
        draw(
            batch,
            unembedding,
            sampling,
            avoided=avoided,
            frequencies=frequencies,
            workspace_bytes=60 * 44 * rows,
        )
        for rows in (5, 1000)
    ]
    torch.testing.assert_close(found[0], found[1], rtol=0, atol=0)
    dominant = dominant_tokens(unembedding(batch.hidden).log_softmax(-1), selector=LargestDrop())
    assert (dominant.count > 0).any()
    assert not ((found[0].unsqueeze(2) == dominant.token_ids.unsqueeze(1))[found[0] >= 0]).any()
    everywhere = draw(batch, unembedding, sampling, avoided=avoided[:, :0], frequencies=frequencies)
    assert (everywhere.unsqueeze(2) == dominant.token_ids.unsqueeze(1)).any()


def test_negatives_depend_on_position_seed_and_epoch_alone() -> None:
    batch, unembedding = made_batch(50, 60, 8, top=60)
    frequencies = torch.ones(60)

    def drawn(part: slice, **options: int) -> torch.Tensor:
        names = ("hidden", "targets", "keys", "top_ids", "top_log_probs", "entropy")
        some = replace(batch, **{name: getattr(batch, name)[part] for name in names})
        return draw(some, unembedding, NegativeSampling(), frequencies=frequencies, **options)

    whole = drawn(slice(None))
    torch.testing.assert_close(drawn(slice(20, 31)), whole[20:31], rtol=0, atol=0)
    for other in ({"seed": 1}, {"epoch": 1}, {"epoch": -1}):
        assert (drawn(slice(None), **other) == whole).float().mean() < 0.5


def test_where_nothing_is_left_there_is_no_negative() -> None:
    batch, unembedding = made_batch(4, 9, 3, top=9)
    sampling = NegativeSampling(per_position=4, frequency=0, candidates=3)
    found = draw(
        batch,
        unembedding,
        sampling,
        avoided=avoided_tokens(batch, TopK(2)),
        frequencies=torch.ones(9),
    )
    assert found[:, 0].equal(batch.top_ids[:, 2])
    assert (found[:, 1:] == -1).all()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("per_position", 0),
        ("frequency", -0.5),
        ("softmax", float("nan")),
        ("temperature", 0.0),
        ("candidates", 0),
        ("combination", "divide"),
    ],
)
def test_impossible_settings_are_refused(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name if name != "combination" else "divide"):
        NegativeSampling(**{name: value})


def test_no_distribution_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        NegativeSampling(frequency=0, softmax=0)
