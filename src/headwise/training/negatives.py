"""Which tokens serve as negatives: likely ones, frequent ones, never those that may be right."""

from dataclasses import dataclass

import torch
from torch import Tensor

from headwise.functional.chunking import DEFAULT_WORKSPACE_BYTES, row_chunks
from headwise.functional.dominant_tokens import DominantSelector, LargestDrop, dominant_tokens
from headwise.functional.negative_sampling import gumbel_top_k, shared_draws
from headwise.functional.vocabulary_statistics import LogitFunction


@dataclass(frozen=True, slots=True)
class NegativeSampling:
    """How negatives are drawn.

    Attributes:
        per_position: Negatives a position.
        frequency_share: Share of them that follows the tokens' frequency in the training text;
            the rest follows the language model's softmax.
        temperature: Of that softmax; above 1 it reaches further down.
        selector: Tokens that must not become negatives; ``None`` to avoid none.

    References:
        Dinh & Niehues 2026, arXiv 2601.00680, section 3 (negative sampling).
    """

    per_position: int = 10
    frequency_share: float = 0.5
    temperature: float = 2.0
    selector: DominantSelector | None = LargestDrop()

    def __post_init__(self) -> None:
        if self.per_position < 1:
            raise ValueError(f"`per_position` must be at least 1, got {self.per_position}.")
        if not 0.0 <= self.frequency_share <= 1.0:
            raise ValueError(f"`frequency_share` must lie in [0, 1], got {self.frequency_share}.")
        if self.temperature <= 0.0:
            raise ValueError(f"`temperature` must be positive, got {self.temperature}.")

    @property
    def from_frequency(self) -> int:
        """Negatives a position that follow the training text's frequencies."""
        return round(self.per_position * self.frequency_share)


def draw_negatives(
    hidden: Tensor,
    unembedding: LogitFunction,
    frequencies: Tensor,
    *,
    sampling: NegativeSampling,
    generator: torch.Generator,
    workspace_bytes: int = DEFAULT_WORKSPACE_BYTES,
) -> Tensor:
    """Draw the negatives of some positions, a few positions at a time.

    Args:
        hidden: Hidden states, ``(N, H)``.
        unembedding: The language model's output layer.
        frequencies: How often each token is a target in the training text, ``(V,)``.
        sampling: How to draw.
        generator: Source of randomness, on the device of ``hidden``.
        workspace_bytes: Bound on the memory of one chunk.

    Returns:
        Token ids, ``(N, K)``, int64. The two sources draw on their own, so that a token may
        stand twice in a row.
    """
    from_frequency = sampling.from_frequency
    from_softmax = sampling.per_position - from_frequency
    parts = []
    for part in row_chunks(
        len(hidden),
        # Logits, log-probabilities, noise and scores in float32, and a mask
        bytes_per_row=unembedding.vocabulary_size * (4 * 4 + 2),
        workspace_bytes=workspace_bytes,
    ):
        log_probs = unembedding(hidden[part]).float().log_softmax(-1)  # (n, V)
        forbidden = torch.zeros_like(log_probs, dtype=torch.bool)
        if sampling.selector is not None:
            avoided = dominant_tokens(log_probs, selector=sampling.selector).token_ids
            # Rows with fewer dominant tokens are filled up with -1, sent to an extra column
            wide = forbidden.new_zeros(len(forbidden), forbidden.shape[1] + 1)
            wide.scatter_(1, avoided.where(avoided >= 0, forbidden.shape[1]), value=True)
            forbidden = wide[:, :-1]
        drawn = []
        if from_frequency:
            drawn.append(shared_draws(frequencies, forbidden, from_frequency, generator=generator))
        if from_softmax:
            weights = log_probs.div_(sampling.temperature).masked_fill_(forbidden, -torch.inf)
            drawn.append(gumbel_top_k(weights, from_softmax, generator=generator))
        parts.append(torch.cat(drawn, dim=1))
    return torch.cat(parts)
