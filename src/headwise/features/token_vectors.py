"""The vectors of all tokens of texts with their pooled vectors, from an encoder or from shards."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from headwise.backbones import EncodedText, EncoderBackbone
from headwise.features.shards import SHARD_BYTES, RowPlaces, read_index, read_shard
from headwise.features.vectors import VECTOR_DTYPES, check_texts, fill_folder, vectors_fingerprint
from headwise.functional.packed_texts import packed_rows, packed_starts


@dataclass(frozen=True, slots=True)
class TokenVectors:
    """Vectors of n texts, on the CPU.

    Attributes:
        pooled: One a text, as the encoder pools its tokens, not normalised, ``(n, E)``, float32.
        tokens: One a token, control tokens included, text after text, ``(S, W)``, in the type
            that they are kept in; those of several layers stand side by side.
        lengths: Tokens of each text, ``(n,)``, int64.
    """

    pooled: Tensor
    tokens: Tensor
    lengths: Tensor


@runtime_checkable
class TokenSource(Protocol):
    """Token vectors that can be had by the number of their text."""

    @property
    def pooled_size(self) -> int:
        """E, width of a pooled vector."""

    @property
    def token_size(self) -> int:
        """W, width of a token's vector."""

    def __len__(self) -> int:
        """How many texts there are."""

    def batch(self, numbers: Tensor) -> TokenVectors:
        """Vectors of distinct texts by their numbers ``(n,)``, int64."""


class LiveTokens:
    """Runs the frozen encoder on every batch that is asked for."""

    def __init__(
        self, backbone: EncoderBackbone, codes: Sequence[EncodedText], *, layers: Sequence[int]
    ) -> None:
        self._backbone, self._codes, self._layers = backbone, codes, layers
        self.pooled_size = backbone.embedding_size
        self.token_size = backbone.layers_width(layers)

    def __len__(self) -> int:
        return len(self._codes)

    def batch(self, numbers: Tensor) -> TokenVectors:
        """Vectors of distinct texts by their numbers ``(n,)``."""
        return text_tokens(self._backbone, [self._codes[i] for i in numbers.tolist()], self._layers)


class CachedTokens:
    """What :func:`extract_tokens` wrote; fails as :class:`~headwise.features.CachedFeatures`."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        shards = [read_shard(self.folder, one) for one in read_index(self.folder)["shards"]]
        self._pooled = torch.cat([shard["pooled"] for shard in shards])
        self._lengths = torch.cat([shard["lengths"] for shard in shards])
        self._tokens = [shard["tokens"] for shard in shards]
        self._starts = packed_starts(self._lengths)
        self._firsts = packed_starts(torch.tensor([len(tokens) for tokens in self._tokens]))
        self.pooled_size, self.token_size = self._pooled.shape[1], self._tokens[0].shape[1]

    def __len__(self) -> int:
        return len(self._lengths)

    def batch(self, numbers: Tensor) -> TokenVectors:
        """Vectors of texts by their numbers ``(n,)``."""
        lengths = self._lengths[numbers]
        rows = packed_rows(self._starts[numbers], lengths)
        shards = torch.searchsorted(self._firsts, rows, right=True) - 1
        places = RowPlaces.of(shards, rows - self._firsts[shards])
        return TokenVectors(self._pooled[numbers].float(), places.take(self._tokens), lengths)


def text_tokens(
    backbone: EncoderBackbone, codes: Sequence[EncodedText], layers: Sequence[int]
) -> TokenVectors:
    """Vectors of n encoded texts in one pass of the encoder, float32."""
    pooled, tokens = backbone.token_vectors(codes, layers)
    return TokenVectors(pooled, tokens, torch.tensor([len(code) for code in codes]))


def token_bytes(
    backbone: EncoderBackbone, codes: Sequence[EncodedText], layers: Sequence[int], *, dtype: str
) -> int:
    """Size of the vectors of some texts on disk."""
    tokens = sum(map(len, codes)) * backbone.layers_width(layers) * VECTOR_DTYPES[dtype].itemsize
    return tokens + len(codes) * backbone.embedding_size * torch.float32.itemsize


def extract_tokens(
    backbone: EncoderBackbone,
    codes: Sequence[EncodedText],
    folder: str | Path,
    *,
    layers: Sequence[int],
    dtype: str = "float16",
    shard_bytes: int = SHARD_BYTES,
    progress: bool = False,
) -> CachedTokens:
    """Write the vectors of texts and their tokens to a folder, or take those that are there.

    Pooled vectors are float32. An interrupted extraction continues, as that of
    :func:`~headwise.features.vectors.extract_vectors`, which says what is raised.

    Args:
        backbone: The frozen encoder.
        codes: The texts.
        folder: Where to; made if it is missing.
        layers: Whose token vectors are written, side by side.
        dtype: Of token vectors on disk: one of ``VECTOR_DTYPES``.
        shard_bytes: About how large a shard becomes; one is held in memory while it is made.
        progress: Whether to show a bar on standard error.
    """
    check_texts(codes, dtype)
    layers, stored = backbone.layer_numbers(layers), VECTOR_DTYPES[dtype]
    wanted = vectors_fingerprint(backbone, codes, "tokens", dtype) | {
        "pooling": list(backbone.pooling),
        "layers": list(layers),
    }

    def vectors(part: Sequence[EncodedText]) -> dict[str, Tensor]:
        found = text_tokens(backbone, part, layers)
        return {
            "pooled": found.pooled,
            "tokens": found.tokens.to(stored),
            "lengths": found.lengths,
        }

    most = shard_bytes // (backbone.layers_width(layers) * stored.itemsize)
    parts = _parts([len(code) for code in codes], most)
    fill_folder(codes, Path(folder), wanted, parts, vectors, what="tokens", progress=progress)
    return CachedTokens(folder)


def _parts(lengths: Sequence[int], most: int) -> list[range]:
    """Texts of each shard: as many as have ``most`` tokens together, and at least one."""
    firsts, held = [0], 0
    for number, length in enumerate(lengths):
        if held and held + length > most:
            firsts.append(number)
            held = 0
        held += length
    return [range(a, b) for a, b in zip(firsts, [*firsts[1:], len(lengths)], strict=True)]
