"""A frozen encoder with its heads: embeddings of texts, and the latest of them remembered."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from headwise.backbones import EncodedText, EncoderBackbone
from headwise.choices import ONLY_LAST
from headwise.errors import InputError, TextError
from headwise.features.vectors import VectorKind, text_vectors
from headwise.functional.similarity import Similarity, similarities
from headwise.heads import LateInteractionHead, TaskHeads

# Texts whose embeddings are kept; 6 MB at 384 numbers each
_REMEMBERED = 4096
# Of their token vectors, those of about a thousand captions at 768 numbers a token
_REMEMBERED_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class EmbeddedTexts:
    """Pooled vectors of texts, each distinct text once.

    Attributes:
        vectors: Of the distinct readable texts, not normalised, ``(M, E)``, float32, on the CPU.
        rows: For each text, its row in ``vectors`` or why it cannot be read.
        tokens: Vectors of each such text's tokens, ``(T, W)``, float32; empty if not asked for.
        unknown: Which of them have unknown tokens alone.
    """

    vectors: Tensor
    rows: list[int | InputError]
    tokens: list[Tensor]
    unknown: list[bool]

    @property
    def errors(self) -> dict[int, InputError]:
        """What is wrong with the texts that cannot be read, by their place."""
        return {i: row for i, row in enumerate(self.rows) if isinstance(row, InputError)}

    def take(self, places: Sequence[int]) -> Tensor:
        """Embeddings of the texts at these places, all readable, ``(n, E)``."""
        return self.vectors[self.rows_of(places)]

    def rows_of(self, places: Sequence[int]) -> list[int]:
        """Rows of the texts at these places, all readable."""
        rows = [row for row in map(self.rows.__getitem__, places) if isinstance(row, int)]
        assert len(rows) == len(places)
        return rows

    def take_all(self) -> Tensor:
        """Embeddings of all texts, ``(N, E)``.

        Raises:
            InputError: The first error, if a text cannot be read.
        """
        for error in self.errors.values():
            raise error
        return self.take(range(len(self.rows)))


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is known of a text.

    Attributes:
        pooled: Its pooled vector, ``(E,)``.
        unknown: Whether all its tokens are unknown.
        tokens: The vectors of its tokens, ``(T, W)``, if they were asked for.
    """

    pooled: Tensor
    unknown: bool
    tokens: Tensor | None = None

    @property
    def token_bytes(self) -> int:
        return 0 if self.tokens is None else self.tokens.nbytes


class TextEmbeddings:
    """Encodes every distinct text once and remembers those that were asked for last.

    Args:
        backbone: The frozen encoder.
        layers: Whose token vectors are given, side by side.
        remembered: Most texts whose vectors are kept.
        token_bytes: About how much memory the vectors of their tokens may take; that of texts
            that were asked for before goes first.
    """

    def __init__(
        self,
        backbone: EncoderBackbone,
        *,
        layers: Sequence[int] = ONLY_LAST,
        remembered: int = _REMEMBERED,
        token_bytes: int = _REMEMBERED_BYTES,
    ) -> None:
        self._backbone, self._layers = backbone, tuple(layers)
        self._remembered, self._token_bytes = remembered, token_bytes
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def embed(self, texts: Sequence[str], *, what: str, tokens: bool = False) -> EmbeddedTexts:
        """Embed texts, of which repeated ones cost nothing; an error calls them ``what``.

        With ``tokens``, the vectors of their tokens are given, too.
        """
        distinct = list(dict.fromkeys(text for text in texts if isinstance(text, str)))
        found: dict[str, _Kept | InputError] = {}
        for text in distinct:
            # Taken out and put back last: used most recently
            if (kept := self._kept.pop(text, None)) is not None:
                self._kept[text] = kept
                if not tokens or kept.tokens is not None:
                    found[text] = kept
        missing = [text for text in distinct if text not in found]
        found |= self._encode(missing, what=what, tokens=tokens)
        good: list[_Kept] = []
        row_of: dict[str, int | InputError] = {}
        for text in distinct:
            value = found[text]
            if isinstance(value, InputError):
                row_of[text] = value
            else:
                row_of[text] = len(good)
                good.append(value)
        pooled = [one.pooled for one in good]
        return EmbeddedTexts(
            torch.stack(pooled) if pooled else torch.empty(0, self._backbone.embedding_size),
            [
                row_of[text]
                if isinstance(text, str)
                else TextError(f"The {what} must be text, got {type(text).__name__}.")
                for text in texts
            ],
            [one.tokens for one in good if one.tokens is not None] if tokens else [],
            [one.unknown for one in good],
        )

    def _encode(
        self, texts: list[str], *, what: str, tokens: bool
    ) -> dict[str, _Kept | InputError]:
        found: dict[str, _Kept | InputError] = {}
        good, codes = [], []
        for text, code in zip(texts, self._backbone.encode(texts, what=what), strict=True):
            if isinstance(code, InputError):
                found[text] = code
            else:
                good.append(text)
                codes.append(code)
        for text, vectors in zip(good, self._vectors(codes, tokens=tokens), strict=True):
            found[text] = self._kept[text] = vectors
        self._forget()
        return found

    def _vectors(self, codes: Sequence[EncodedText], *, tokens: bool) -> list[_Kept]:
        unknown = map(self._backbone.says_nothing, codes)
        # Copies of their own: rows would keep the memory of all rows
        if not tokens:
            pooled = text_vectors(self._backbone, codes, VectorKind.EMBEDDING)
            return [_Kept(one.clone(), no) for one, no in zip(pooled, unknown, strict=True)]
        pooled, packed = self._backbone.token_vectors(codes, self._layers)
        each = packed.split([len(code) for code in codes])
        return [
            _Kept(one.clone(), no, its.clone())
            for one, no, its in zip(pooled, unknown, each, strict=True)
        ]

    def _forget(self) -> None:
        """Forget the texts that were asked for longest ago, where there are too many."""
        while len(self._kept) > self._remembered:
            self._kept.popitem(last=False)
        held = sum(one.token_bytes for one in self._kept.values())
        for text in list(self._kept):
            if held <= self._token_bytes:
                return
            held -= self._kept[text].token_bytes
            self._kept[text] = replace(self._kept[text], tokens=None)


@dataclass(frozen=True, slots=True)
class HeadedEncoder:
    """A frozen encoder, its heads, if any, and pooled vectors of the texts that came last."""

    backbone: EncoderBackbone
    heads: TaskHeads | None
    remembered: TextEmbeddings

    @classmethod
    def of(cls, backbone: EncoderBackbone, heads: TaskHeads | None) -> Self:
        """An encoder that remembers no text yet; of tokens it will what the heads compare."""
        layers = ONLY_LAST if heads is None else heads.config.layers
        return cls(backbone, heads, TextEmbeddings(backbone, layers=layers))

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
        one, many = map(self.known, ([text], others), names)
        return similarities(one, many, by or self.similarity)[0]

    def known(self, texts: Sequence[str], name: str) -> Tensor:
        """Embeddings of texts, ``(n, D)``, float32, on the CPU; those that are remembered are free.

        Errors (`InputError`) call a text by ``name``.
        """
        with torch.inference_mode():
            return self.embeddings_of(self.remembered.embed(texts, what=name).take_all())
