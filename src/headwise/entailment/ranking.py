"""Documents with the score that they got."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from torch import Tensor

RerankBy = Literal["late_interaction", "similarity"]


def check_rerank_by(by: str) -> None:
    """Refuse unknown ways of reranking (`ValueError`)."""
    if by not in get_args(RerankBy):
        raise ValueError(f"`by` must be one of {', '.join(get_args(RerankBy))}, got {by!r}.")


@dataclass(frozen=True, slots=True)
class Ranked:
    """A document and its score.

    Attributes:
        index: Where the document stands among those that were given, from 0.
        document: Its text.
        score: The higher the better; the cosine of embeddings, in [-1, 1], or for late
            interaction the sum over the query's tokens of their best cosine.
    """

    index: int
    document: str
    score: float


def best_first(documents: Sequence[str], scores: Tensor, *, top_k: int | None) -> list[Ranked]:
    """Sort documents by their scores; equal ones keep their order.

    Args:
        documents: N documents.
        scores: ``(N,)``.
        top_k: How many to return; all if ``None``.
    """
    order = scores.argsort(descending=True, stable=True)[:top_k].tolist()
    return [Ranked(i, documents[i], float(scores[i])) for i in order]
