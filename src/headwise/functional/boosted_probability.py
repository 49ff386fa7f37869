"""BoostedProb: a dominant token is credited with the mass of all dominant tokens."""

from torch import Tensor

from headwise.functional.dominant_tokens import (
    DominantSelector,
    DominantTokens,
    LargestDrop,
    dominant_tokens,
)


def boost(probabilities: Tensor, targets: Tensor, *, dominant: DominantTokens) -> Tensor:
    """Replace the probability of targets that dominate by the dominant mass.

    Args:
        probabilities: Probabilities of the targets, ``(N,)``.
        targets: Token ids, ``(N,)``.
        dominant: The dominant tokens of each position.

    Returns:
        Probabilities in [0, 1], ``(N,)``.
    """
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
