"""The Sigmoid Head's training step as the method describes it, with everything `(N, V)` dense.

References:
    Dinh & Niehues 2026, arXiv 2601.00680, section 3.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

JUMP, EPSILON, RANKS = 0.3, 0.005, 1024
BY_FREQUENCY, BY_SOFTMAX, TEMPERATURE = 5, 5, 2.0


def dominant_mask(logits: Tensor) -> Tensor:
    """Which tokens dominate: all up to the last steep drop of the sorted softmax, ``(N, V)``."""
    ordered, order = logits.softmax(-1).sort(-1, descending=True)
    top = ordered[:, : RANKS + 1]
    drop = top[:, :-1] - top[:, 1:]
    cut = (drop > JUMP * top[:, :-1]) & (drop > EPSILON)
    ranks = torch.arange(1, cut.shape[1] + 1)
    count = (cut * ranks).amax(-1, keepdim=True)  # (N, 1)
    inside = (ranks <= count).to(torch.bool)
    return torch.zeros_like(logits, dtype=torch.bool).scatter_(
        1, order[:, : inside.shape[1]], inside
    )


def drawn_negatives(logits: Tensor, dominant: Tensor, frequencies: Tensor) -> Tensor:
    """Five tokens by frequency and five by the flattened softmax for each position, ``(N, 10)``."""
    by_frequency = frequencies.repeat(len(logits), 1).masked_fill_(dominant, 0.0)
    frequent = by_frequency.multinomial(BY_FREQUENCY)
    by_softmax = (logits / TEMPERATURE).softmax(-1).masked_fill_(dominant, 0.0)
    return torch.cat([frequent, by_softmax.multinomial(BY_SOFTMAX)], dim=1)


def gathered_loss(weight: Tensor, hidden: Tensor, targets: Tensor, negatives: Tensor) -> Tensor:
    """Mean binary cross-entropy over a few columns of the head's whole output.

    A negative that equals the target is the target, and one that stands twice counts once.

    Args:
        weight: Of the head, ``(V, H)``.
        hidden: Hidden states, ``(N, H)``.
        targets: Token ids, ``(N,)``.
        negatives: Token ids, ``(N, K)``.
    """
    ids = torch.cat([targets.unsqueeze(1), negatives], dim=1)
    first = torch.stack(
        [(ids[:, :column] != ids[:, column : column + 1]).all(1) for column in range(ids.shape[1])],
        dim=1,
    )
    labels = torch.zeros_like(ids, dtype=torch.float32)
    labels[:, 0] = 1.0
    logits = F.linear(hidden, weight).gather(1, ids)
    losses = F.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    return (losses * first).sum() / first.sum()
