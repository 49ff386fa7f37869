"""A source that is cut into passages and embedded once, for all claims about it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from headwise.choices import DEFAULT_MIN_SIMILARITY, DEFAULT_TOGETHER
from headwise.entailment.embedding import HeadedEncoder
from headwise.entailment.inputs import at_least_one, not_nan
from headwise.entailment.passages import Passage, Steps, passage_steps, token_counts
from headwise.errors import TextError
from headwise.functional.similarity import Similarity, similarities

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CutSource:
    """The passages of a source, in order, and what they are like.

    Attributes:
        text: The source.
        passages: Where they stand in it.
        embeddings: Of the passages, ``(N, D)``, float32.
    """

    text: str
    passages: tuple[Passage, ...]
    embeddings: Tensor

    def cosines(self, embedding: Tensor) -> Tensor:
        """Cosines of the passages and an embedding ``(D,)``: ``(N,)``, float32, in [-1, 1]."""
        return similarities(embedding[None], self.embeddings, Similarity.COSINE)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """How claims are checked, as `EntailmentModel.validate` says.

    Raises:
        ValueError: If a number is below 1, or ``min_similarity`` is none.
    """

    language: str = "en"
    top_k: int = 5
    window: int = 1
    min_similarity: float = DEFAULT_MIN_SIMILARITY
    together: int = DEFAULT_TOGETHER

    def __post_init__(self) -> None:
        for name in ("top_k", "window", "together"):
            at_least_one(getattr(self, name), name=name)
        not_nan(self.min_similarity, name="min_similarity")


_DEFAULT_OPTIONS = CheckOptions()


class ReadSource:
    """A source, read when the first claim about it is checked, and then kept.

    Attributes:
        text: The source.
        encoder: What reads it.
        options: How claims about it are checked.
        step: How many passages are read at a time.
    """

    def __init__(
        self,
        text: str,
        *,
        encoder: HeadedEncoder,
        options: CheckOptions = _DEFAULT_OPTIONS,
        step: int = 64,
    ) -> None:
        self.text, self.encoder, self.options, self.step = text, encoder, options, step
        self._whole: tuple[list[Passage], int] | None = None
        self._latest: tuple[int | None, CutSource] | None = None

    def cut(self, room: int | None) -> Steps[CutSource]:
        """The source in passages that have room, a number of tokens, each; ``None`` is no limit.

        Where all passages have room, they are the same for every claim. Otherwise they are cut
        anew for another room: heads that read texts jointly leave more of it to short claims.

        Raises:
            TextError: If the source cannot be read.
            ContextLengthError: If there is no room.
        """
        if self._whole is None:
            self.encoder.backbone.check_text(self.text, what="source")
            found = yield from self._passages(None)
            self._whole = found, (yield from self._longest(found))
        found, longest = self._whole
        limit = None if room is None or 0 < longest <= room else room
        if self._latest is None or self._latest[0] != limit:
            if limit is not None:
                found = yield from self._passages(limit)
            self._latest = limit, (yield from self._embedded(found))
        return self._latest[1]

    def _passages(self, room: int | None) -> Steps[list[Passage]]:
        return passage_steps(
            self.text,
            backbone=self.encoder.backbone,
            language=self.options.language,
            window=self.options.window,
            room=room,
        )

    def _longest(self, found: list[Passage]) -> Steps[int]:
        longest = 0
        for part in batched(found, self.step):
            texts = [passage.of(self.text) for passage in part]
            longest = max(longest, *token_counts(self.encoder.backbone, texts))
            yield
        return longest

    def _embedded(self, found: list[Passage]) -> Steps[CutSource]:
        if not found:
            raise TextError(
                f"The source has no sentence of which tokens can be made: {self.text[:40]!r}."
            )
        vectors: list[Tensor] = []
        for part in batched(found, self.step):
            vectors.append(self.encoder.known([one.of(self.text) for one in part], "passage"))
            yield
        return CutSource(self.text, tuple(found), torch.cat(vectors))


def batched(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Items in order, so many at a time."""
    return (items[first : first + size] for first in range(0, len(items), size))
