"""Draw tokens without replacement, from one distribution a position or one for all."""

import torch
from torch import Tensor


def gumbel_top_k(
    log_weights: Tensor, count: int, *, generator: torch.Generator | None = None
) -> Tensor:
    """Draw without replacement by adding Gumbel noise and keeping the largest.

    Equal in distribution to drawing one token after another, each time from what is left.

    Args:
        log_weights: Logarithms of unnormalised weights, ``(N, V)``, floating point; minus
            infinity for tokens that must not be drawn.
        count: K, tokens to draw for each position; each row needs K finite weights.
        generator: Source of randomness, on the device of ``log_weights``.

    Returns:
        Token ids, ``(N, K)``, int64, all different within a row.

    References:
        Vieira 2014; Kool et al. 2019, arXiv 1903.06059.
    """
    noise = torch.empty_like(log_weights).exponential_(generator=generator).log_()
    return (log_weights - noise).topk(count, dim=-1).indices


def shared_draws(
    probabilities: Tensor,
    forbidden: Tensor,
    count: int,
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw without replacement from one distribution for all positions, by rejection.

    Draws with replacement whose repetitions and forbidden tokens are thrown away follow the same
    law as draws without replacement from what is allowed, and cost nothing a vocabulary entry.

    Args:
        probabilities: Weights of the tokens, ``(V,)``, not negative.
        forbidden: Which tokens a position must not get, ``(N, V)``, bool.
        count: K, tokens to draw for each position.
        generator: Source of randomness, on the device of ``probabilities``.

    Returns:
        Token ids, ``(N, K)``, int64, all different within a row.

    Raises:
        ValueError: If a position allows fewer than K tokens.
    """
    support = probabilities > 0
    allowed = support.sum() - (forbidden & support).sum(-1)
    if len(allowed) and int(allowed.min()) < count:
        raise ValueError(
            f"`count` must be at most the number of tokens that every position allows, "
            f"{int(allowed.min())}, got {count}."
        )
    cumulative = probabilities.double().cumsum(0)
    draws = torch.empty(len(forbidden), 0, dtype=torch.int64, device=forbidden.device)
    while True:
        uniform = torch.rand(
            len(forbidden), 2 * count, dtype=torch.float64, device=draws.device, generator=generator
        )
        new = torch.searchsorted(cumulative, uniform * cumulative[-1], right=True)
        draws = torch.cat([draws, new.clamp_(max=len(probabilities) - 1)], dim=1)
        repeated = (draws.unsqueeze(2) == draws.unsqueeze(1)).tril(-1).any(-1)  # (N, D)
        valid = ~repeated & ~forbidden.gather(1, draws)
        if bool((valid.sum(-1) >= count).all()):
            break
    # A stable sort brings the valid draws to the front in the order they were drawn
    first = (~valid).int().argsort(dim=1, stable=True)[:, :count]
    return draws.gather(1, first)
