"""What an encoder does around its token vectors to make an embedding of a text."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor
from torch.nn import functional as F

from headwise.functional.pooling import Pooling
from headwise.functional.similarity import Similarity

TextRole = Literal["text", "query", "document"]
"""What a text is in a search; ``text`` in none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceEmbedding:
    """How texts become embeddings that can be compared.

    Attributes:
        pooling: Ways of pooling, at least one; embeddings are their results one after another.
        normalise: Whether embeddings get unit length.
        truncate: How many numbers of an embedding are kept, the first ones, of a normalised one
            too; ``None`` for all.
        similarity: How embeddings are compared.
        prompts: What is put in front of texts, by their role.
        longest: Tokens of the longest text that may be embedded, prompt and control tokens
            included; ``None`` for as many as the model reads.
    """

    pooling: tuple[Pooling, ...] = (Pooling.MEAN,)
    normalise: bool = True
    truncate: int | None = None
    similarity: Similarity = Similarity.COSINE
    prompts: Mapping[TextRole, str] = field(default_factory=dict)
    longest: int | None = None

    def __post_init__(self) -> None:
        if not self.pooling:
            raise ValueError("`pooling` must name at least one way of pooling, got none.")
        if self.truncate is not None and self.truncate < 1:
            raise ValueError(f"`truncate` must be at least 1, got {self.truncate}.")

    def finish(self, pooled: Tensor) -> Tensor:
        """Turn pooled vectors, ``(..., E)``, into embeddings, ``(..., D)``."""
        unit = F.normalize(pooled, dim=-1) if self.normalise else pooled
        return unit[..., : self.truncate]

    def size(self, pooled: int) -> int:
        """D, the width of embeddings of pooled vectors of width E."""
        return pooled if self.truncate is None else min(pooled, self.truncate)
