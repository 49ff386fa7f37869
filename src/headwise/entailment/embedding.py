"""Embeddings of texts: the encoder's own, or those of the embedding head."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from headwise.backbones import EncodedText, EncoderBackbone
from headwise.errors import InputError, TextError
from headwise.features.vectors import VectorKind, text_vectors
from headwise.heads import TaskHeads

DEFAULT_REMEMBERED = 4096


"""Texts whose embeddings are kept; 6 MB at 384 numbers each."""


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
    """Encodes every distinct text once and remembers the latest ones.

    Args:
        backbone: The encoder.
        remembered: How many embeddings to keep; what was not asked for longest goes first.
    """

    def __init__(self, backbone: EncoderBackbone, *, remembered: int = DEFAULT_REMEMBERED) -> None:
        self._backbone = backbone
        self._remembered = remembered
        self._kept: OrderedDict[str, Tensor] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def embed(self, texts: Sequence[str], *, what: str) -> EmbeddedTexts:
        """Embed texts.

        Args:
            texts: The texts; repeated ones cost nothing.
            what: What an error calls them.
        """
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


def embeddings_of(backbone: EncoderBackbone, heads: TaskHeads | None, pooled: Tensor) -> Tensor:
    """Turn pooled vectors into embeddings.

    Args:
        backbone: The encoder; without an embedding head, it says whether to normalise.
        heads: May have an embedding head.
        pooled: ``(N, E)``, not normalised.

    Returns:
        ``(N, D)``, float32, where ``pooled`` is.
    """
    if heads is not None and heads.embedding is not None:
        found: Tensor = heads.embedding(pooled.to(backbone.device))
        return found.to(pooled.device)
    return F.normalize(pooled, dim=-1) if backbone.normalise else pooled


def embed_codes(
    backbone: EncoderBackbone,
    heads: TaskHeads | None,
    codes: Sequence[EncodedText],
    *,
    progress: bool,
) -> Tensor:
    """Embed encoded texts, ``(N, D)``, float32, on the CPU, in input order."""
    if heads is None or heads.embedding is None:
        return backbone.embed(codes, progress=progress)
    with torch.no_grad():  # not inference_mode: what comes out may go into a training
        return embeddings_of(backbone, heads, text_vectors(backbone, codes, VectorKind.EMBEDDING))


def cosines(
    backbone: EncoderBackbone,
    heads: TaskHeads | None,
    remembered: TextEmbeddings,
    text: str,
    others: Sequence[str],
    *,
    names: tuple[str, str],
) -> Tensor:
    """Cosines of the embeddings of one text and of others.

    Args:
        backbone: The encoder.
        heads: May have an embedding head.
        remembered: Remembers pooled vectors.
        text: The one text.
        others: n texts.
        names: What errors call the one and the others.

    Returns:
        ``(n,)``, float32, in [-1, 1].

    Raises:
        InputError: If a text cannot be read.
    """
    with torch.inference_mode():
        one, many = (
            embeddings_of(backbone, heads, remembered.embed(texts, what=name).take_all())
            for texts, name in zip(([text], others), names, strict=True)
        )
        return F.cosine_similarity(one, many, dim=-1)
