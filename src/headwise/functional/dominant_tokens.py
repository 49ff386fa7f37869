"""Dominant tokens: the most probable ones, up to where the distribution falls off.

BoostedProb credits a dominant token with the mass of all dominant tokens.
"""

import math
from dataclasses import dataclass
from typing import assert_never

import torch
from torch import Tensor

# The method's own limit, for rules without a threshold on single probabilities
MAX_CANDIDATES = 1024
# What a language model finds possible but unlikely
FIRST_RANK, LAST_RANK = 15, 150
MAX_PROBABILITY = 0.01


@dataclass(frozen=True, slots=True)
class LargestDrop:
    """Everything up to the last rank where the sorted probability falls steeply.

    A cut stands after rank i if ``p_i - p_{i+1} > jump * p_i`` and ``p_i - p_{i+1} > epsilon``.

    References:
        Dinh & Niehues 2025, arXiv 2502.11115, section 3 ("difference jump").
    """

    jump: float = 0.3
    epsilon: float = 0.005


@dataclass(frozen=True, slots=True)
class EpsilonCut:
    """Tokens whose probability exceeds ``epsilon`` (Hewitt et al. 2022, arXiv 2210.15191)."""

    epsilon: float = 0.005


@dataclass(frozen=True, slots=True)
class EtaCut:
    """Tokens above ``min(epsilon, sqrt(epsilon) * exp(-entropy))`` (arXiv 2210.15191)."""

    epsilon: float = 0.005


@dataclass(frozen=True, slots=True)
class TopK:
    """The ``k`` most probable tokens."""

    k: int = 5


@dataclass(frozen=True, slots=True)
class TopP:
    """Most probable tokens as long as their summed probability stays below ``p``.

    None, if the first token alone reaches ``p``, as in the reference implementation.
    """

    p: float = 0.9


@dataclass(frozen=True, slots=True)
class MinP:
    """Tokens more probable than ``p`` times the most probable one."""

    p: float = 0.9


DominantSelector = LargestDrop | EpsilonCut | EtaCut | TopK | TopP | MinP
"""A rule that says which tokens of a distribution dominate it."""


def candidate_count(selector: DominantSelector, vocabulary_size: int) -> int:
    """How many of the most probable tokens can decide which ones dominate.

    At most ``1/epsilon`` probabilities exceed ``epsilon``, so that a few hundred suffice where
    the rule has such a threshold.
    """
    match selector:
        case LargestDrop(epsilon=epsilon) if epsilon > 0:
            limit = math.floor(1 / epsilon) + 1
        case EpsilonCut(epsilon=epsilon) if epsilon > 0:
            limit = math.floor(1 / epsilon)
        case TopK(k=k):
            limit = k
        case _:
            limit = MAX_CANDIDATES
    return max(1, min(limit, MAX_CANDIDATES, vocabulary_size))


def dominant_count(
    sorted_probabilities: Tensor, *, selector: DominantSelector, entropy: Tensor | None = None
) -> Tensor:
    """How many of the most probable tokens dominate each distribution, in [0, M], ``(N,)``, int64.

    Probabilities are the largest, falling, ``(N, M)``, float32, ``M >= candidate_count(selector,
    V)``. The entropy is that of the whole distribution in nats, ``(N,)``; only `EtaCut` needs it.

    Raises:
        ValueError: If `EtaCut` gets no entropy.
    """
    p = sorted_probabilities
    match selector:
        case LargestDrop(jump=jump, epsilon=epsilon):
            drop = p[:, :-1] - p[:, 1:]  # (N, M-1)
            holds = (drop > jump * p[:, :-1]) & (drop > epsilon)
        case EpsilonCut(epsilon=epsilon):
            holds = p > epsilon
        case EtaCut(epsilon=epsilon):
            if entropy is None:
                raise ValueError("`EtaCut` needs `entropy`.")
            eta = math.sqrt(epsilon) * torch.exp(-entropy)
            holds = (p > epsilon) | (p > eta.unsqueeze(-1))
        case TopK(k=k):
            return torch.full((len(p),), min(k, p.shape[1]), device=p.device)
        case TopP(p=mass):
            holds = p.cumsum(-1) < mass
        case MinP(p=share):
            holds = p > share * p[:, :1]
        case _:
            assert_never(selector)
    # The last rank that holds decides, whatever stands between: drops are not monotone
    ranks = torch.arange(1, holds.shape[1] + 1, device=p.device)
    return (holds * ranks).amax(-1) if holds.shape[1] else ranks.new_zeros(len(p))


@dataclass(frozen=True, slots=True)
class DominantTokens:
    """The dominant tokens of N distributions.

    Attributes:
        token_ids: Dominant token ids, most probable first, ``(N, M)``, int64; -1 where a row
            has fewer than M of them.
        count: How many there are, ``(N,)``, int64.
        mass: Their summed probability, ``(N,)``, float32.
    """

    token_ids: Tensor
    count: Tensor
    mass: Tensor

    def contains(self, token_ids: Tensor) -> Tensor:
        """Whether each of the given tokens dominates its position; ``(N,)`` in, bool out.

        Args:
            token_ids: A token for each position, int64.
        """
        return (self.token_ids == token_ids.unsqueeze(-1)).any(-1)


def select_dominant(
    top_ids: Tensor,
    top_probabilities: Tensor,
    *,
    selector: DominantSelector,
    entropy: Tensor | None = None,
) -> DominantTokens:
    """Pick the dominant ones among the most probable tokens; arguments as `dominant_count`'s."""
    count = dominant_count(top_probabilities, selector=selector, entropy=entropy)
    inside = torch.arange(top_ids.shape[1], device=top_ids.device) < count.unsqueeze(-1)
    return DominantTokens(
        token_ids=top_ids.masked_fill(~inside, -1),
        count=count,
        mass=(top_probabilities * inside).sum(-1),
    )


def dominant_tokens(
    log_probs: Tensor, *, selector: DominantSelector = LargestDrop()
) -> DominantTokens:
    """Find the dominant tokens of each distribution.

    Args:
        log_probs: Log-probabilities, ``(N, V)``, floating point; not changed.
        selector: Which tokens count as dominant.

    Returns:
        Their ids, count and mass. Among equal probabilities the order is `torch.topk`'s.

    References:
        Dinh & Niehues 2025, arXiv 2502.11115, section 3.
    """
    log_probs = log_probs.float()
    top, ids = log_probs.topk(candidate_count(selector, log_probs.shape[-1]), dim=-1)
    entropy = None
    if isinstance(selector, EtaCut):
        entropy = torch.special.entr(log_probs.exp()).sum(-1)
    return select_dominant(ids, top.exp(), selector=selector, entropy=entropy)


def unlikely_tokens(probabilities: Tensor, dominant_count: Tensor) -> Tensor:
    """Which of the most probable tokens are of rank 15 to 150, below 0.01, and not dominant.

    Probabilities are the largest of each position, falling, ``(N, M)``, and need ``M >= 150`` to
    hold all of these tokens. The mask, ``(N, M)``, bool, leaves out those of probability 0.
    """
    ranks = torch.arange(1, probabilities.shape[1] + 1, device=probabilities.device)
    return (
        (ranks >= FIRST_RANK)
        & (ranks <= LAST_RANK)
        & (ranks > dominant_count.unsqueeze(-1))
        & (probabilities < MAX_PROBABILITY)
        & (probabilities > 0.0)
    )


def boost(probabilities: Tensor, targets: Tensor, *, dominant: DominantTokens) -> Tensor:
    """Replace the probability of targets that dominate by the dominant mass, ``(N,)``."""
    return dominant.mass.where(dominant.contains(targets), probabilities)


def boosted_probability(
    log_probs: Tensor, targets: Tensor, *, selector: DominantSelector = LargestDrop()
) -> Tensor:
    """Credit a dominant token with the mass of all dominant tokens.

    Args:
        log_probs: Log-probabilities, ``(N, V)``, floating point; not changed.
        targets: Token ids, ``(N,)``.
        selector: Which tokens count as dominant.

    Returns:
        Probabilities in [0, 1], ``(N,)``, float32: the dominant mass where the target is
        dominant, its own probability elsewhere.

    References:
        Dinh & Niehues 2025, arXiv 2502.11115, Eq. 3.
    """
    own = log_probs.gather(-1, targets.unsqueeze(-1)).squeeze(-1).float().exp()
    return boost(own, targets, dominant=dominant_tokens(log_probs, selector=selector))
