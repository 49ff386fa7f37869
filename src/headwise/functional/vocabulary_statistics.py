"""What the language model's next-token distribution says about given tokens, in chunks."""

from dataclasses import dataclass

import torch
from torch import Tensor

from headwise.functional.chunking import DEFAULT_WORKSPACE_BYTES
from headwise.functional.dominant_tokens import (
    DominantSelector,
    EtaCut,
    boost,
    candidate_count,
    select_dominant,
)
from headwise.functional.logit_chunks import LogitFunction
from headwise.functional.vocabulary_blocks import LogitReader


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
    ``[N, V]`` never exists. An output layer that says that it is faster a block of the vocabulary
    at a time (:class:`~headwise.backbones.Unembedding`, on a processor) is read so.

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
    candidates = max(
        top_k, candidate_count(selector, unembedding.vocabulary_size) if selector else 0
    )
    reader = LogitReader(
        unembedding,
        hidden,
        # Ranks and the most probable tokens are found in whole rows; sums are not
        keeps_rows=rank or candidates > 0,
        candidates=candidates,
        workspace_bytes=workspace_bytes,
    )
    with_entropy = entropy or isinstance(selector, EtaCut)

    def read(part: slice) -> VocabularyStatistics:
        logits, sums = reader.read(part, targets[part], entropy=with_entropy)
        ranks = top_ids = top_log_probs = None
        log_prob = _as_number(sums.target - sums.normaliser)
        if rank:
            ranks = reader.slabs.ranks(logits, sums.target.unsqueeze(-1))
        if candidates:
            top_logits, top_ids = reader.slabs.largest(logits, candidates)
            top_log_probs = _as_number(top_logits - sums.normaliser.unsqueeze(-1))
        mass = boosted = None
        if selector is not None and top_ids is not None and top_log_probs is not None:
            dominant = select_dominant(
                top_ids, top_log_probs.exp(), selector=selector, entropy=sums.entropy
            )
            mass, boosted = dominant.mass, boost(log_prob.exp(), targets[part], dominant=dominant)
        return VocabularyStatistics(
            log_prob,
            sums.entropy if entropy else None,
            ranks,
            # Copies: views would keep all candidates
            top_ids[:, :top_k].clone() if top_ids is not None and top_k else None,
            top_log_probs[:, :top_k].clone() if top_log_probs is not None and top_k else None,
            mass,
            boosted,
        )

    # Without a position there is no chunk, and the results still have their types and shapes
    parts = [read(part) for part in reader.plan.parts or (slice(0),)]

    def joined(name: str) -> Tensor | None:
        pieces = [getattr(part, name) for part in parts]
        return None if pieces[0] is None else torch.cat(pieces)

    log_prob = joined("log_prob")
    assert log_prob is not None
    others = ("entropy", "rank", "top_ids", "top_log_probs", "dominant_mass", "boosted")
    return VocabularyStatistics(log_prob, *map(joined, others))


def _as_number(log_probs: Tensor) -> Tensor:
    return log_probs.clamp_(min=torch.finfo(log_probs.dtype).min)
