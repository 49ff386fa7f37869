"""Dominant tokens and BoostedProb, against the PyPI package `boostedprob`."""

import math
from typing import Any

import boostedprob
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from headwise.functional import (
    DominantSelector,
    EpsilonCut,
    EtaCut,
    LargestDrop,
    MinP,
    TopK,
    TopP,
    boosted_probability,
    dominant_tokens,
)

# Ours, and what the reference calls the same. Bounds that no sum of probabilities hits exactly.
SELECTORS: list[tuple[DominantSelector, dict[str, Any]]] = [
    (LargestDrop(), {"find_dominant_method": "difference_jump"}),
    (
        LargestDrop(jump=0.5, epsilon=0.02),
        {"find_dominant_method": "difference_jump", "p_jump": 0.5, "epsilon": 0.02},
    ),
    (EpsilonCut(epsilon=0.0173), {"find_dominant_method": "epsilon-cut", "epsilon": 0.0173}),
    (EtaCut(epsilon=0.0173), {"find_dominant_method": "eta-cut", "epsilon": 0.0173}),
    (TopK(k=3), {"find_dominant_method": "top-k", "k": 3}),
    (TopP(p=0.8731), {"find_dominant_method": "top-p", "topp": 0.8731}),
    (MinP(p=0.3173), {"find_dominant_method": "min-p", "minp": 0.3173}),
]
EACH_SELECTOR = pytest.mark.parametrize(
    ("selector", "options"), SELECTORS, ids=[repr(selector) for selector, _ in SELECTORS]
)


def oracle_ids(log_probs: Tensor, options: dict[str, Any]) -> Tensor:
    """The reference's answer; it exponentiates its input in place and back, so it gets a copy."""
    return boostedprob.find_dominant(log_probs.clone().unsqueeze(0), **options)[0]


def oracle_boosted(log_probs: Tensor, targets: Tensor, options: dict[str, Any]) -> Tensor:
    return boostedprob.calculate_boostedprob(
        log_probs.clone().unsqueeze(0), targets.unsqueeze(0), **options
    )[0]


def as_sets(ids: Tensor) -> list[set[int]]:
    return [{i for i in row if i >= 0} for row in ids.tolist()]


def random_log_probs(n: int, v: int, *, scale: float) -> Tensor:
    torch.manual_seed(n * v)
    return (torch.randn(n, v) * scale).log_softmax(-1)


@EACH_SELECTOR
@pytest.mark.parametrize("v", [2, 7, 200, 201, 1000, 1024])
@pytest.mark.parametrize("scale", [0.1, 1.0, 4.0])
def test_the_same_tokens_and_values_as_the_reference(
    v: int, scale: float, selector: DominantSelector, options: dict[str, Any]
) -> None:
    log_probs = random_log_probs(23, v, scale=scale)
    targets = torch.cat([log_probs.argmax(-1)[:12], torch.randint(0, v, (11,))])
    kept = log_probs.clone()

    found = dominant_tokens(log_probs, selector=selector)
    boosted = boosted_probability(log_probs, targets, selector=selector)

    assert torch.equal(log_probs, kept)
    expected = as_sets(oracle_ids(log_probs, options))
    assert as_sets(found.token_ids) == expected
    assert found.count.tolist() == [len(row) for row in expected]
    torch.testing.assert_close(boosted, oracle_boosted(log_probs, targets, options))
    sums = [math.fsum(log_probs[i, t].exp() for t in row) for i, row in enumerate(expected)]
    torch.testing.assert_close(found.mass, torch.tensor(sums), rtol=1e-4, atol=1e-5)


@settings(deadline=None)
@given(
    steps=st.lists(st.integers(0, 8), min_size=2, max_size=40),
    target=st.integers(0, 39),
    choice=st.sampled_from(SELECTORS),
)
def test_ties_and_odd_shapes_give_the_reference_count_and_mass(
    steps: list[int], target: int, choice: tuple[DominantSelector, dict[str, Any]]
) -> None:
    selector, options = choice
    log_probs = (torch.tensor([steps]) * 0.5).log_softmax(-1)
    found = dominant_tokens(log_probs, selector=selector)
    ids = oracle_ids(log_probs, options)
    assert int(found.count) == int((ids >= 0).sum())
    expected = log_probs[0, ids[ids >= 0]].exp().sum()
    torch.testing.assert_close(found.mass[0], expected)
    if not isinstance(selector, TopK | TopP):  # those may cut through tokens of equal probability
        assert as_sets(found.token_ids) == as_sets(ids)
        targets = torch.tensor([target % len(steps)])
        torch.testing.assert_close(
            boosted_probability(log_probs, targets, selector=selector),
            oracle_boosted(log_probs, targets, options),
        )


@EACH_SELECTOR
@pytest.mark.parametrize("scale", [0.01, 3.0])
def test_more_than_1024_tokens(
    scale: float, selector: DominantSelector, options: dict[str, Any]
) -> None:
    log_probs = random_log_probs(9, 1500, scale=scale)
    found = dominant_tokens(log_probs, selector=selector)
    if isinstance(selector, EtaCut):
        # The reference compares 1,024 sorted probabilities with an entropy repeated V times
        with pytest.raises(RuntimeError, match="size of tensor"):
            oracle_ids(log_probs, options)
        p = log_probs.double().exp()
        eta = selector.epsilon**0.5 * torch.exp((p * p.log()).sum(-1, keepdim=True))
        expected = [set(row.nonzero()[:, 0].tolist()) for row in (p > selector.epsilon) | (p > eta)]
    else:
        expected = as_sets(oracle_ids(log_probs, options))
    # Where the distribution is flat, the reference's limit of 1,024 decides
    if isinstance(selector, TopP | MinP | EtaCut) and scale == 0.01:
        assert found.count.tolist() == [1024] * 9
        expected = [set(row) for row in log_probs.topk(1024).indices.tolist()]
    assert as_sets(found.token_ids) == expected


@EACH_SELECTOR
def test_the_reference_changes_its_input_and_ours_does_not(
    selector: DominantSelector, options: dict[str, Any]
) -> None:
    log_probs = random_log_probs(4, 50, scale=30.0)  # tiny probabilities vanish on the way
    theirs, ours = log_probs.clone(), log_probs.clone()
    boostedprob.find_dominant(theirs, **options)
    dominant_tokens(ours, selector=selector)
    boosted_probability(ours, torch.arange(4), selector=selector)
    assert not torch.equal(theirs, log_probs)
    assert torch.equal(ours, log_probs)


def test_no_cut_point_means_that_nothing_dominates() -> None:
    log_probs = torch.full((3, 10), 0.1).log()
    found = dominant_tokens(log_probs)
    assert found.count.tolist() == [0, 0, 0]
    assert found.mass.tolist() == [0.0, 0.0, 0.0]
    assert not found.contains(torch.tensor([0, 5, 9])).any()
    torch.testing.assert_close(
        boosted_probability(log_probs, torch.tensor([0, 5, 9])), torch.full((3,), 0.1)
    )


def test_the_last_cut_point_counts_not_the_steepest() -> None:
    log_probs = torch.tensor([[0.6, 0.15, 0.14, 0.05, 0.045, 0.015]]).log()
    found = dominant_tokens(log_probs)
    assert found.token_ids[0, :5].tolist() == [0, 1, 2, 3, 4]
    torch.testing.assert_close(found.mass, torch.tensor([0.985]))


def test_top_p_takes_nothing_where_one_token_is_enough() -> None:
    log_probs = torch.tensor([[0.95, 0.03, 0.02]]).log()
    assert dominant_tokens(log_probs, selector=TopP(p=0.9)).count.tolist() == [0]


def test_top_k_beyond_the_vocabulary_takes_all_of_it() -> None:
    log_probs = random_log_probs(2, 4, scale=1.0)
    found = dominant_tokens(log_probs, selector=TopK(k=9))
    assert found.count.tolist() == [4, 4]
    torch.testing.assert_close(found.mass, torch.ones(2))


def test_a_vocabulary_of_one_token() -> None:
    log_probs = torch.zeros(2, 1)
    assert dominant_tokens(log_probs).count.tolist() == [0, 0]
    assert dominant_tokens(log_probs, selector=TopK()).count.tolist() == [1, 1]
    assert boosted_probability(log_probs, torch.zeros(2).long()).tolist() == [1.0, 1.0]


def test_impossible_tokens_do_not_spoil_the_entropy() -> None:
    log_probs = torch.tensor([[0.5, 0.5, 0.0]]).log()
    found = dominant_tokens(log_probs, selector=EtaCut(epsilon=0.01))
    assert found.count.tolist() == [2]


@pytest.mark.parametrize("selector", [s for s, _ in SELECTORS], ids=repr)
def test_no_rows(selector: DominantSelector) -> None:
    found = dominant_tokens(torch.empty(0, 12), selector=selector)
    assert found.count.shape == found.mass.shape == (0,)
    assert boosted_probability(torch.empty(0, 12), torch.empty(0).long()).shape == (0,)


def test_bfloat16_is_computed_in_float32() -> None:
    log_probs = random_log_probs(5, 40, scale=2.0).bfloat16()
    targets = log_probs.argmax(-1)
    boosted = boosted_probability(log_probs, targets)
    assert boosted.dtype == torch.float32
    torch.testing.assert_close(boosted, boosted_probability(log_probs.float(), targets))
