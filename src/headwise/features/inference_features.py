"""What an NLI head reads of labelled pairs: distinct texts are encoded once, pairs are numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from headwise.backbones import EncodedText, EncoderBackbone
from headwise.choices import NLIFeatures
from headwise.data.records.inferences import InferencePair
from headwise.errors import InputError
from headwise.features.vectors import (
    VECTOR_DTYPES,
    LiveVectors,
    VectorKind,
    VectorSource,
    extract_vectors,
    vector_size,
)
from headwise.functional.pair_features import pair_features
from headwise.heads import NLI_LABELS

MakeSource = Callable[[Sequence[EncodedText], VectorKind], VectorSource]


@dataclass(frozen=True, slots=True)
class EncodedInferences:
    """Pairs as token ids; those that the encoder cannot read are left out.

    Attributes:
        kept: Which of the pairs are left, ``(N,)``, int64.
        rejected: Number and reason of each that is not.
        labels: Class index of each, ``(N,)``, int64; -1 for none.
        texts: Distinct premises and hypotheses, M of them; empty where texts are not read apart.
        premises: Number of each pair's premise among the texts, ``(N,)``, int64.
        hypotheses: Number of its hypothesis, ``(N,)``, int64.
        pairs: N pairs to be read together; empty where they are not.
    """

    kept: Tensor
    rejected: tuple[tuple[int, InputError], ...]
    labels: Tensor
    texts: tuple[EncodedText, ...]
    premises: Tensor
    hypotheses: Tensor
    pairs: tuple[EncodedText, ...]

    def __len__(self) -> int:
        return len(self.kept)


def encode_inferences(
    backbone: EncoderBackbone, pairs: Sequence[InferencePair], features: NLIFeatures
) -> EncodedInferences:
    """Tokenise what the features need of some pairs."""
    errors: dict[int, InputError] = {}
    numbers: dict[str, int] = {}
    codes: list[EncodedText | InputError] = []
    joint: list[EncodedText | InputError] = []
    if features.needs_pair:
        for text in (text for pair in pairs for text in pair.texts):
            numbers.setdefault(text, len(numbers))
        codes = backbone.encode(list(numbers))
        for place, pair in enumerate(pairs):
            for text in pair.texts:
                if isinstance(code := codes[numbers[text]], InputError):
                    errors.setdefault(place, code)
    if features.needs_joint:
        joint = backbone.encode_pairs([pair.texts for pair in pairs])
        for place, code in enumerate(joint):
            if isinstance(code, InputError):
                errors.setdefault(place, code)
    kept = [place for place in range(len(pairs)) if place not in errors]
    # Texts of pairs that are left out are not encoded
    used = {number: 0 for i in kept for number in _of(numbers, pairs[i])}
    used = {number: place for place, number in enumerate(used)}
    places = [[used[number] for number in _of(numbers, pairs[i])] for i in kept]
    ends = torch.tensor(places, dtype=torch.int64).reshape(len(kept), 2 if numbers else 0)
    labels = [pairs[i].label for i in kept]
    return EncodedInferences(
        kept=torch.tensor(kept, dtype=torch.int64),
        rejected=tuple(sorted(errors.items(), key=lambda item: item[0])),
        labels=torch.tensor([-1 if x is None else NLI_LABELS.index(x) for x in labels]).long(),
        texts=tuple(_readable(codes[number]) for number in used),
        premises=ends[:, 0] if numbers else ends.new_empty(0),
        hypotheses=ends[:, 1] if numbers else ends.new_empty(0),
        pairs=tuple(_readable(joint[i]) for i in kept) if joint else (),
    )


class InferenceFeatures:
    """What an NLI head reads of N pairs, put together a batch at a time.

    Attributes:
        labels: Class index of each pair, ``(N,)``, int64; -1 for none.
        size: F, the width of the features.
    """

    def __init__(self, codes: EncodedInferences, features: NLIFeatures, source: MakeSource) -> None:
        self.labels, self._features = codes.labels, features
        self._premises, self._hypotheses = codes.premises, codes.hypotheses
        self._texts = source(codes.texts, VectorKind.EMBEDDING) if features.needs_pair else None
        self._pairs = source(codes.pairs, VectorKind.JOINT) if features.needs_joint else None
        self.size = (0 if self._texts is None else 4 * self._texts.size) + (
            0 if self._pairs is None else self._pairs.size
        )

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, indices: Tensor) -> Tensor:
        """Features of the pairs with some numbers ``(n,)``: ``(n, F)``, float32, on the CPU."""
        parts = []
        if self._texts is not None:
            ends = torch.cat((self._premises[indices], self._hypotheses[indices]))
            premises, hypotheses = self._texts.batch(ends).chunk(2)
            parts.append(pair_features(premises, hypotheses))
        if self._pairs is not None:
            parts.append(self._pairs.batch(indices))
        return torch.cat(parts, dim=-1) if len(parts) > 1 else parts[0]


def live_inferences(
    backbone: EncoderBackbone, codes: EncodedInferences, features: NLIFeatures
) -> InferenceFeatures:
    """Features that run the encoder whenever they are asked for."""
    return InferenceFeatures(
        codes, features, lambda texts, kind: LiveVectors(backbone, texts, kind=kind)
    )


def cached_inferences(
    backbone: EncoderBackbone,
    codes: EncodedInferences,
    features: NLIFeatures,
    folder: Path,
    *,
    dtype: str = "float32",
    progress: bool = False,
) -> InferenceFeatures:
    """Features whose vectors are written to a folder once; see :func:`extract_vectors`."""
    return InferenceFeatures(
        codes,
        features,
        lambda texts, kind: extract_vectors(
            backbone, texts, folder / kind, kind=kind, dtype=dtype, progress=progress
        ),
    )


def inference_bytes(
    backbone: EncoderBackbone, codes: EncodedInferences, *, dtype: str = "float32"
) -> int:
    """Size of the vectors of some pairs on disk."""
    embeddings = len(codes.texts) * vector_size(backbone, VectorKind.EMBEDDING)
    joint = len(codes.pairs) * vector_size(backbone, VectorKind.JOINT)
    return (embeddings + joint) * VECTOR_DTYPES[dtype].itemsize


def _of(numbers: dict[str, int], pair: InferencePair) -> list[int]:
    return [numbers[text] for text in pair.texts] if numbers else []


def _readable(code: EncodedText | InputError) -> EncodedText:
    assert not isinstance(code, InputError)
    return code
