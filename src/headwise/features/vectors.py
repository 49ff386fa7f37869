"""One vector a text or pair of texts, from a frozen encoder or from its shards on disk."""

import hashlib
from array import array
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from headwise.backbones import EncodedText, EncoderBackbone
from headwise.backbones.content import model_digests
from headwise.errors import DataError
from headwise.features.fingerprint import FORMAT_VERSION, check_fingerprint
from headwise.features.shards import (
    INDEX_FILE,
    SHARD_BYTES,
    RowPlaces,
    claim_folder,
    finish_folder,
    folder_bytes,
    is_whole,
    naming_remedy,
    read_index,
    read_shard,
    tidy_folder,
    write_shard,
)
from headwise.files import only_writer
from headwise.progress import progress_bar

VECTOR_DTYPES = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float8": torch.float8_e4m3fn,
}
# Texts between two movements of the bar
_WINDOW = 1024


class VectorKind(StrEnum):
    """Which vector of a text is meant.

    Attributes:
        EMBEDDING: Its token vectors as the encoder pools them, not normalised, ``(E,)``.
        JOINT: The last hidden state of its first token, ``(H,)``.
    """

    EMBEDDING = "embedding"
    JOINT = "joint"


class VectorSource(Protocol):
    """Vectors that can be had by number, computed on the spot or read from a cache."""

    @property
    def size(self) -> int:
        """Width of a vector."""

    def __len__(self) -> int:
        """How many there are."""

    def batch(self, indices: Tensor) -> Tensor:
        """Vectors by their numbers ``(n,)``, int64, on the CPU: ``(n, size)``, float32.

        Args:
            indices: Numbers of texts, or of pairs.
        """


def text_vectors(
    backbone: EncoderBackbone, codes: Sequence[EncodedText], kind: VectorKind
) -> Tensor:
    """Vectors of N encoded texts, ``(N, size)``, float32, on the CPU.

    Embeddings are not normalised, even if the encoder's embeddings are: a head may read their
    length, and whoever needs unit length can still have it.
    """
    if kind is VectorKind.JOINT:
        return backbone.joint(codes)
    return backbone.embed(codes, normalise=False)


def vector_size(backbone: EncoderBackbone, kind: VectorKind) -> int:
    """Width of a vector."""
    return backbone.embedding_size if kind is VectorKind.EMBEDDING else backbone.hidden_size


class LiveVectors:
    """Runs the frozen encoder on every batch that is asked for; equal texts of one share a run.

    Args:
        backbone: The frozen encoder.
        codes: Encoded texts; their places are their numbers.
        kind: Which vector of a text.
    """

    def __init__(
        self, backbone: EncoderBackbone, codes: Sequence[EncodedText], *, kind: VectorKind
    ) -> None:
        self._backbone, self._codes, self._kind = backbone, codes, kind
        self.size = vector_size(backbone, kind)

    def __len__(self) -> int:
        return len(self._codes)

    def batch(self, indices: Tensor) -> Tensor:
        """Vectors by their numbers, ``indices`` ``(n,)``: ``(n, size)``, float32, on the CPU."""
        distinct, places = indices.unique(return_inverse=True)
        codes = [self._codes[i] for i in distinct.tolist()]
        return text_vectors(self._backbone, codes, self._kind)[places]


class CachedVectors:
    """What :func:`extract_vectors` wrote; fails as :class:`~headwise.features.CachedFeatures`.

    Args:
        folder: The folder that was written.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        index = read_index(self.folder)
        shards = [read_shard(self.folder, entry)["vectors"] for entry in index["shards"]]
        # All shards but the last hold the same number
        self._shards, self._rows = shards, len(shards[0])
        self.size = shards[0].shape[1]
        self._count = sum(map(len, shards))

    def __len__(self) -> int:
        return self._count

    @property
    def bytes(self) -> int:
        """Size of all shards."""
        return folder_bytes(self.folder)

    def batch(self, indices: Tensor) -> Tensor:
        """Vectors by their numbers, ``indices`` ``(n,)``: ``(n, size)``, float32, on the CPU."""
        if len(self._shards) == 1:
            return self._shards[0].index_select(0, indices).float()
        places = RowPlaces.of(indices // self._rows, indices % self._rows)
        return places.take(self._shards).float()


def extract_vectors(
    backbone: EncoderBackbone,
    codes: Sequence[EncodedText],
    folder: str | Path,
    *,
    kind: VectorKind,
    dtype: str = "float32",
    shard_bytes: int = SHARD_BYTES,
    progress: bool = False,
) -> CachedVectors:
    """Write vectors to a folder, or take those that are there.

    An interrupted extraction continues: shards that are complete stay.

    Args:
        backbone: The frozen encoder.
        codes: Texts, or pairs that are read together.
        folder: Where to; made if it is missing.
        kind: Which vector of each.
        dtype: On disk: one of :data:`VECTOR_DTYPES`.
        shard_bytes: About how large a shard becomes; one is held in memory while it is made.
        progress: Whether to show a bar on standard error.

    Raises:
        ValueError: If ``dtype`` is none of these.
        DataError: If there are no texts; otherwise fails as
            :func:`~headwise.features.extract_features`.
    """
    check_texts(codes, dtype)
    folder, kind, stored = Path(folder), VectorKind(kind), VECTOR_DTYPES[dtype]
    pooling = list(backbone.pooling) if kind is VectorKind.EMBEDDING else None
    wanted = vectors_fingerprint(backbone, codes, kind, dtype) | {"pooling": pooling}
    rows = max(1, shard_bytes // (vector_size(backbone, kind) * stored.itemsize))
    parts = [range(first, min(first + rows, len(codes))) for first in range(0, len(codes), rows)]

    def vectors(part: Sequence[EncodedText]) -> dict[str, Tensor]:
        return {"vectors": text_vectors(backbone, part, kind).to(stored)}

    fill_folder(codes, folder, wanted, parts, vectors, what=kind, progress=progress)
    return CachedVectors(folder)


def fill_folder(
    codes: Sequence[EncodedText],
    folder: Path,
    wanted: dict[str, Any],
    parts: Sequence[range],
    vectors: Callable[[Sequence[EncodedText]], dict[str, Tensor]],
    *,
    what: str,
    progress: bool,
) -> None:
    """Write shards of vectors of some texts, unless a folder holds them already.

    Args:
        codes: The texts.
        folder: Where to; made if it is missing.
        wanted: Fingerprint of all that the vectors depend on.
        parts: Numbers of the texts of each shard.
        vectors: Gives tensors of some texts, of which rows stand in the order of the texts.
        what: Name of what is made, for the bar.
        progress: Whether to show it.
    """
    if (folder / INDEX_FILE).is_file():
        check_fingerprint(read_index(folder)["fingerprint"], wanted, folder=str(folder))
        tidy_folder(folder)  # an earlier call may have been killed between the index and this
        return
    with (
        naming_remedy(folder, instead="train without a cache (features 'live')"),
        only_writer(folder),
        progress_bar(f"Encoding ({what})", total=len(codes), enabled=progress) as advance,
    ):
        claim_folder(folder, wanted | {"vectors a shard": len(parts[0]), "shards": len(parts)})
        for number, part in enumerate(parts):
            if is_whole(folder, number):
                advance(len(part))
                continue
            pieces = []
            for first in range(part.start, part.stop, _WINDOW):
                window = codes[first : min(first + _WINDOW, part.stop)]
                pieces.append(vectors(window))
                advance(len(window))
            names = pieces[0]
            write_shard(folder, number, {n: torch.cat([one[n] for one in pieces]) for n in names})
        finish_folder(folder, wanted, len(parts))


def check_texts(codes: Sequence[EncodedText], dtype: str) -> None:
    """Refuse an unknown type (`ValueError`) and nothing to read (`DataError`)."""
    if dtype not in VECTOR_DTYPES:
        raise ValueError(f"`dtype` must be one of {', '.join(VECTOR_DTYPES)}, got {dtype!r}.")
    if not codes:
        raise DataError("There are no texts to read vectors of.")


def vectors_fingerprint(
    backbone: EncoderBackbone, codes: Sequence[EncodedText], what: str, dtype: str
) -> dict[str, Any]:
    """What vectors of any kind depend on, each under its own name.

    Token ids say what the tokeniser and its texts are good for.
    """
    digest = hashlib.sha256()
    for code in codes:
        for numbers in (code.input_ids, code.token_type_ids):
            digest.update(array("q", (len(numbers), *numbers)).tobytes())
    return {
        "format version": FORMAT_VERSION,
        **model_digests(backbone.model),
        "kind": str(what),
        "texts": len(codes),
        "data": digest.hexdigest()[:16],
        "dtype": dtype,
    }
