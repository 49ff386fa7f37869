"""Draw tokens without replacement, from one distribution a position or one for all.

Both ways follow the law of drawing one token after another, each time from what is left. Their
noise comes from :mod:`~headwise.functional.counter_noise`.
"""

import torch
from torch import Tensor

from headwise.functional.chunking import DEFAULT_WORKSPACE_BYTES, row_chunks
from headwise.functional.counter_noise import exponential_noise, mixed_keys, uniform_noise

# Rejections to bear before the few positions that are not done get a draw over the vocabulary
_ROUNDS = 6


def gumbel_top_k(log_weights: Tensor, count: int, *, keys: Tensor) -> Tensor:
    """Draw without replacement by adding Gumbel noise and keeping the largest.

    Args:
        log_weights: Logarithms of unnormalised weights, ``(N, V)``, floating point; minus
            infinity for tokens that must not be drawn.
        count: K, tokens to draw for each position.
        keys: Keys of the noise, ``(N,)``, int64.

    Returns:
        Indices into the rows, ``(N, K)``, int64, all different within a row, and -1 where a row
        has fewer than K finite weights.

    References:
        Vieira 2014; Kool et al. 2019, arXiv 1903.06059.
    """
    # The logarithm of exponential noise is Gumbel noise with its sign changed
    scores = exponential_noise(keys, log_weights.shape[-1]).log_().neg_().add_(log_weights)
    best = scores.topk(min(count, scores.shape[-1]), dim=-1)
    drawn = best.indices.masked_fill_(best.values == -torch.inf, -1)
    return torch.nn.functional.pad(drawn, (0, count - drawn.shape[-1]), value=-1)


def shared_draws(weights: Tensor, avoided: Tensor, count: int, *, keys: Tensor) -> Tensor:
    """Draw without replacement from one distribution for all positions, by rejection.

    Draws with replacement whose repetitions and avoided tokens are thrown away follow the same
    law as draws without replacement from what is allowed, and cost nothing a vocabulary entry.
    Where a few tokens hold nearly all of the weight, what is still missing after some rounds is
    drawn by :func:`gumbel_top_k` from what is left.

    Args:
        weights: Weights of the tokens, ``(V,)``, not negative.
        avoided: Tokens that a position must not get, ``(N, A)``, all different within a row; -1
            for none.
        count: K, tokens to draw for each position.
        keys: Keys of the noise, ``(N,)``, int64.

    Returns:
        Token ids, ``(N, K)``, int64, all different within a row, and -1 where a row allows fewer
        than K tokens.
    """
    # In float32, small weights would be lost in the sum over a large vocabulary
    cumulative = weights.double().cumsum(0)
    support = int((weights > 0).sum())
    banned = (weights > 0)[avoided.clamp(min=0)] & (avoided >= 0)  # (N, A)
    wanted = (support - banned.sum(-1)).clamp_(max=count)  # (N,)
    drawn = avoided.new_empty(len(avoided), 0)
    for step in range(_ROUNDS):
        # Twice as many as wanted, since some repeat or are banned
        noise = uniform_noise(keys, 2 * count, first=step * 2 * count)
        # To the right: a token of weight 0 has an interval without numbers
        new = torch.searchsorted(cumulative, noise * cumulative[-1], right=True)
        drawn = torch.cat([drawn, new.clamp_(max=len(weights) - 1)], dim=1)
        valid = ~_repeated(drawn) & ~_among(drawn, avoided)
        if bool((valid.sum(-1) >= wanted).all()):
            break
    # A stable sort brings the valid draws to the front in the order they were drawn
    order = (~valid).int().argsort(dim=1, stable=True)[:, :count]
    result = drawn.gather(1, order).masked_fill_(~valid.gather(1, order), -1)
    missing = (result >= 0).sum(-1) < wanted
    if bool(missing.any()):
        taken = torch.cat([avoided[missing], result[missing]], dim=1)
        # Salted, so that the noise is not that of the rounds again
        result[missing] = _filled_up(
            weights, taken, result[missing], keys=mixed_keys(keys[missing], 0)
        )
    return result


def _filled_up(weights: Tensor, taken: Tensor, drawn: Tensor, *, keys: Tensor) -> Tensor:
    """Draw what is missing at the end of some rows from the tokens that are not taken."""
    filled = drawn.clone()
    for part in row_chunks(
        len(drawn),
        # Weights and scores in float32, and noise on its way in 64 bits
        bytes_per_row=len(weights) * (2 * 4 + 3 * 8),
        workspace_bytes=DEFAULT_WORKSPACE_BYTES,
    ):
        law = forbid(weights.log().expand(len(drawn[part]), -1).clone(), taken[part])
        new = gumbel_top_k(law, drawn.shape[1], keys=keys[part])
        both = torch.cat([drawn[part], new], dim=1)
        order = (both < 0).int().argsort(dim=1, stable=True)[:, : drawn.shape[1]]
        filled[part] = both.gather(1, order)
    return filled


def forbid(log_weights: Tensor, token_ids: Tensor) -> Tensor:
    """Give tokens, ``(N, A)``, -1 for none, the log weight -inf in ``(N, V)``, in place."""
    first, takes_first = log_weights[:, 0].clone(), (token_ids == 0).any(-1)
    log_weights.scatter_(1, token_ids.clamp(min=0), -torch.inf)
    # The fillings, -1, all went to token 0
    log_weights[:, 0] = first.masked_fill_(takes_first, -torch.inf)
    return log_weights


def _repeated(ids: Tensor) -> Tensor:
    """Which entries of a row stood in it before, ``(N, D)``, bool."""
    ordered, order = ids.sort(dim=1, stable=True)
    same = torch.nn.functional.pad(ordered[:, 1:] == ordered[:, :-1], (1, 0), value=False)
    return torch.empty_like(same).scatter_(1, order, same)


def _among(ids: Tensor, others: Tensor) -> Tensor:
    """Which entries of ``(N, D)`` stand in the same row of ``(N, A)``, bool."""
    return (ids.unsqueeze(2) == others.unsqueeze(1)).any(-1)
