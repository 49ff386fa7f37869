"""A frozen encoder with its heads: embeddings of texts, and the latest of them remembered."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from headwise.backbones import EncodedText, EncoderBackbone
from headwise.errors import InputError, TextError
from headwise.features.vectors import VectorKind, text_vectors
from headwise.functional.similarity import Similarity, similarities
from headwise.heads import LateInteractionHead, TaskHeads

# Texts whose embeddings are kept; 6 MB at 384 numbers each
_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class EmbeddedTexts:
    """Pooled vectors of texts, each distinct text once.

    Attributes:
        vectors: Of the distinct readable texts, not normalised, ``(M, E)``, float32, on the CPU.
        rows: For each text, its row in ``vectors`` or why it cannot be read.
    """

    vectors: Tensor
    rows: list[int | InputError]

    @property
    def errors(self) -> dict[int, InputError]:
        """What is wrong with the texts that cannot be read, by their place."""
        return {i: row for i, row in enumerate(self.rows) if isinstance(row, InputError)}

    def take(self, places: Sequence[int]) -> Tensor:
        """Embeddings of the texts at these places, all readable, ``(n, E)``."""
        rows = [row for row in map(self.rows.__getitem__, places) if isinstance(row, int)]
        assert len(rows) == len(places)
        return self.vectors[rows]

    def take_all(self) -> Tensor:
        """Embeddings of all texts, ``(N, E)``.

        Raises:
            InputError: The first error, if a text cannot be read.
        """
        for error in self.errors.values():
            raise error
        return self.take(range(len(self.rows)))


class TextEmbeddings:
    """Encodes every distinct text once and remembers those that were asked for last."""

    def __init__(self, backbone: EncoderBackbone, *, remembered: int = _REMEMBERED) -> None:
        self._backbone = backbone
        self._remembered = remembered
        self._kept: OrderedDict[str, Tensor] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def embed(self, texts: Sequence[str], *, what: str) -> EmbeddedTexts:
        """Embed texts, of which repeated ones cost nothing; an error calls them ``what``."""
        distinct = list(dict.fromkeys(text for text in texts if isinstance(text, str)))
        found: dict[str, Tensor | InputError] = {}
        for text in distinct:
            # Taken out and put back last: used most recently
            if (vector := self._kept.pop(text, None)) is not None:
                found[text] = self._kept[text] = vector
        found |= self._encode([text for text in distinct if text not in found], what=what)
        vectors: list[Tensor] = []
        row_of: dict[str, int | InputError] = {}
        for text in distinct:
            value = found[text]
            if isinstance(value, InputError):
                row_of[text] = value
            else:
                row_of[text] = len(vectors)
                vectors.append(value)
        return EmbeddedTexts(
            torch.stack(vectors) if vectors else torch.empty(0, self._backbone.embedding_size),
            [
                row_of[text]
                if isinstance(text, str)
                else TextError(f"The {what} must be text, got {type(text).__name__}.")
                for text in texts
            ],
        )

    def _encode(self, texts: list[str], *, what: str) -> dict[str, Tensor | InputError]:
        found: dict[str, Tensor | InputError] = {}
        good, codes = [], []
        for text, code in zip(texts, self._backbone.encode(texts, what=what), strict=True):
            if isinstance(code, InputError):
                found[text] = code
            else:
                good.append(text)
                codes.append(code)
        vectors = text_vectors(self._backbone, codes, VectorKind.EMBEDDING)
        for text, vector in zip(good, vectors, strict=True):
            # A copy of its own: a row would keep the memory of all rows
            found[text] = self._kept[text] = vector.clone()
        while len(self._kept) > self._remembered:
            self._kept.popitem(last=False)
        return found


@dataclass(frozen=True, slots=True)
class HeadedEncoder:
    """A frozen encoder, its heads, if any, and pooled vectors of the texts that came last."""

    backbone: EncoderBackbone
    heads: TaskHeads | None
    remembered: TextEmbeddings

    def heads_for(self, what: str) -> TaskHeads:
        """The heads, for what cannot do without.

        Raises:
            ValueError: If there are none; the message says how to get some.
        """
        if self.heads is None:
            raise ValueError(
                f"To {what}, the model needs heads and none are loaded: give `heads` to "
                "`from_pretrained` (--heads on the command line), or train some with "
                "`headwise train nli`."
            )
        return self.heads

    @property
    def late_interaction(self) -> LateInteractionHead:
        """The head for token vectors; without one, a head that only makes them unit vectors."""
        if self.heads is not None and self.heads.late_interaction is not None:
            return self.heads.late_interaction
        return LateInteractionHead(hidden_size=self.backbone.hidden_size)

    def embeddings_of(self, pooled: Tensor) -> Tensor:
        """Turn pooled vectors, ``(N, E)``, into embeddings, ``(N, D)``, float32, where they are.

        Without an embedding head, the encoder says whether to normalise.
        """
        if self.heads is not None and self.heads.embedding is not None:
            found: Tensor = self.heads.embedding(pooled.to(self.backbone.device))
            return found.to(pooled.device)
        return self.backbone.embedding.finish(pooled)

    def embed(self, codes: Sequence[EncodedText], *, progress: bool = False) -> Tensor:
        """Embed encoded texts, ``(N, D)``, float32, on the CPU, in input order."""
        if self.heads is None or self.heads.embedding is None:
            return self.backbone.embed(codes, progress=progress)
        with torch.no_grad():  # not inference_mode: what comes out may go into a training
            return self.embeddings_of(text_vectors(self.backbone, codes, VectorKind.EMBEDDING))

    @property
    def similarity(self) -> Similarity:
        """How embeddings are compared: by cosines if a head makes them, else as the encoder's."""
        own = self.heads is None or self.heads.embedding is None
        return self.backbone.embedding.similarity if own else Similarity.COSINE

    def cosines(self, text: str, others: Sequence[str], *, names: tuple[str, str]) -> Tensor:
        """Cosines of the embeddings of one text and of n others, ``(n,)``, float32, in [-1, 1].

        Errors (`InputError`) call the one and the others by ``names``.
        """
        return self.compare(text, others, names=names, by=Similarity.COSINE)

    def compare(
        self,
        text: str,
        others: Sequence[str],
        *,
        names: tuple[str, str],
        by: Similarity | None = None,
    ) -> Tensor:
        """Similarities, by default the encoder's own, as :meth:`cosines` gives cosines."""
        with torch.inference_mode():
            one, many = (
                self.embeddings_of(self.remembered.embed(texts, what=name).take_all())
                for texts, name in zip(([text], others), names, strict=True)
            )
            return similarities(one, many, by or self.similarity)[0]
