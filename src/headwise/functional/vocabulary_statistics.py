"""What the language model's next-token distribution says about given tokens, in chunks."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from headwise.functional.boosted_probability import boost
from headwise.functional.chunking import DEFAULT_WORKSPACE_BYTES, row_chunks
from headwise.functional.dominant_tokens import DominantSelector, candidate_count, select_dominant


class LogitFunction(Protocol):
    """Turns hidden states ``(n, H)`` into a new tensor of logits ``(n, V)``."""

    @property
    def vocabulary_size(self) -> int:
        """V."""
        ...

    def __call__(self, hidden: Tensor) -> Tensor:
        """Logits, ``(n, V)``; the caller may overwrite them."""
        ...


@dataclass(frozen=True, slots=True)
class VocabularyStatistics:
    """Per-position results of :func:`vocabulary_statistics`; ``None`` if not asked for.

    Attributes:
        log_prob: Natural logarithm of each target's probability, ``(N,)``, float32; where a
            logit is minus infinity, the lowest float32, so that it stays a number.
        entropy: Entropy of the distribution in nats, ``(N,)``, float32.
        rank: One more than the number of strictly more probable tokens, ``(N,)``, int64.
        top_ids: The most probable tokens, best first, ``(N, K)``, int64.
        top_log_probs: Their log-probabilities, ``(N, K)``, float32.
        dominant_mass: Summed probability of the dominant tokens, ``(N,)``, float32.
        boosted: BoostedProb of the target, ``(N,)``, float32 (arXiv 2502.11115, Eq. 3).
    """

    log_prob: Tensor
    entropy: Tensor | None = None
    rank: Tensor | None = None
    top_ids: Tensor | None = None
    top_log_probs: Tensor | None = None
    dominant_mass: Tensor | None = None
    boosted: Tensor | None = None


def vocabulary_statistics(
    hidden: Tensor,
    unembedding: LogitFunction,
    targets: Tensor,
    *,
    entropy: bool = False,
    rank: bool = False,
    top_k: int = 0,
    selector: DominantSelector | None = None,
    workspace_bytes: int = DEFAULT_WORKSPACE_BYTES,
) -> VocabularyStatistics:
    """Log-probability, entropy, rank, alternatives and BoostedProb in one chunked pass.

    The logits of a few positions are built, read for everything that was asked for, and dropped;
    ``[N, V]`` never exists.

    Args:
        hidden: Hidden states that enter the unembedding, ``(N, H)``.
        unembedding: The language model's output layer.
        targets: Token ids, ``(N,)``.
        entropy: Whether to compute the entropy.
        rank: Whether to compute the targets' ranks.
        top_k: How many alternatives to return; 0 for none.
        selector: Which tokens dominate, for dominant mass and BoostedProb; ``None`` for neither.
        workspace_bytes: Bound on the memory held beyond inputs and results.

    Returns:
        One record of tensors over all N positions.

    Raises:
        ValueError: If the shapes do not fit or one position does not fit into the workspace.
    """
    if hidden.ndim != 2 or targets.shape != hidden.shape[:1]:
        raise ValueError(
            f"`hidden` must be (N, H) and `targets` (N,), "
            f"got {tuple(hidden.shape)} and {tuple(targets.shape)}."
        )
    if not 0 <= top_k <= unembedding.vocabulary_size:
        raise ValueError(f"`top_k` must lie in [0, {unembedding.vocabulary_size}], got {top_k}.")
    parts = [
        _chunk(hidden[part], unembedding, targets[part], entropy, rank, top_k, selector)
        for part in row_chunks(
            len(hidden),
            bytes_per_row=_bytes_per_row(
                hidden, unembedding.vocabulary_size, top_k=top_k, selector=selector
            ),
            workspace_bytes=workspace_bytes,
        )
    ] or [_chunk(hidden, unembedding, targets, entropy, rank, top_k, selector)]

    def joined(name: str) -> Tensor | None:
        pieces = [getattr(part, name) for part in parts]
        return None if pieces[0] is None else torch.cat(pieces)

    log_prob = joined("log_prob")
    assert log_prob is not None
    return VocabularyStatistics(
        log_prob,
        *map(
            joined,
            ("entropy", "rank", "top_ids", "top_log_probs", "dominant_mass", "boosted"),
        ),
    )


def _sorted_count(vocabulary_size: int, top_k: int, selector: DominantSelector | None) -> int:
    return max(top_k, candidate_count(selector, vocabulary_size) if selector else 0)


def _bytes_per_row(
    hidden: Tensor, vocabulary_size: int, *, top_k: int, selector: DominantSelector | None
) -> int:
    # The logits in the model's dtype and in float32, and one more float32 copy; then, for each
    # of the most probable tokens, its id, its probability, and what picking the dominant ones
    # takes on the way
    candidates = _sorted_count(vocabulary_size, top_k, selector)
    return vocabulary_size * (2 * 4 + hidden.element_size()) + 48 * candidates + 64


def _chunk(
    hidden: Tensor,
    unembedding: LogitFunction,
    targets: Tensor,
    entropy: bool,
    rank: bool,
    top_k: int,
    selector: DominantSelector | None,
) -> VocabularyStatistics:
    # A logit of minus infinity would make 0 * -inf = nan in the entropy
    logits = unembedding(hidden).float().clamp_(min=torch.finfo(torch.float32).min)  # (n, V)
    own = logits.gather(-1, targets.unsqueeze(-1))  # (n, 1)
    # By default a sum of booleans first makes eight bytes of each
    ranks = (logits > own).sum(-1, dtype=torch.int32).long() + 1 if rank else None
    top_logits, top_ids = logits.topk(_sorted_count(logits.shape[-1], top_k, selector), dim=-1)
    log_normaliser = logits.logsumexp(-1, keepdim=True)  # (n, 1)
    log_prob = (own - log_normaliser).squeeze(-1)
    top_log_probs = top_logits - log_normaliser

    entropies = None
    if entropy or selector is not None:
        log_probs = logits.sub_(log_normaliser)
        entropies = -log_probs.exp().mul_(log_probs).sum(-1)

    mass = boosted = None
    if selector is not None:
        dominant = select_dominant(
            top_ids, top_log_probs.exp(), selector=selector, entropy=entropies
        )
        mass, boosted = dominant.mass, boost(log_prob.exp(), targets, dominant=dominant)
    return VocabularyStatistics(
        log_prob,
        entropies if entropy else None,
        ranks,
        top_ids[:, :top_k].clone() if top_k else None,
        top_log_probs[:, :top_k].clone() if top_k else None,
        mass,
        boosted,
    )
