"""Feature batches made of random numbers, with the softmax of an unembedding."""

import torch

from headwise.backbones import Unembedding
from headwise.features import FeatureBatch


def made_batch(
    n: int, v: int, h: int, *, top: int, sharpness: float = 2.0, errors: bool = False
) -> tuple[FeatureBatch, Unembedding]:
    generator = torch.Generator().manual_seed(n + v + h)
    unembedding = Unembedding(weight=torch.randn(v, h, generator=generator))
    hidden = sharpness / h**0.5 * torch.randn(n, h, generator=generator)
    return batch_of(hidden, unembedding, top=top, errors=errors), unembedding


def batch_of(
    hidden: torch.Tensor, unembedding: Unembedding, *, top: int, errors: bool = False
) -> FeatureBatch:
    n, v = len(hidden), unembedding.vocabulary_size
    generator = torch.Generator().manual_seed(n)
    log_probs = unembedding(hidden).log_softmax(-1)
    best = log_probs.topk(top, dim=-1)
    return FeatureBatch(
        hidden=hidden,
        targets=torch.randint(0, v, (n,), generator=generator),
        keys=torch.arange(n) * 17,
        top_ids=best.indices,
        top_log_probs=best.values,
        entropy=torch.special.entr(log_probs.exp()).sum(-1),
        errors=torch.rand(n, generator=generator) < 0.3 if errors else None,
        counts=(n,),
        closing=torch.zeros(n, dtype=torch.bool),
    )
