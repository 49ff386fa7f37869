"""What an NLI head reads of labelled pairs: distinct texts are encoded once, pairs are numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from headwise.backbones import EncodedText, EncoderBackbone
from headwise.choices import ONLY_LAST, NLIFeatures
from headwise.data.records.inferences import InferencePair
from headwise.errors import InputError
from headwise.features.token_vectors import (
    LiveTokens,
    TokenSource,
    extract_tokens,
    token_bytes,
)
from headwise.features.vectors import (
    VECTOR_DTYPES,
    LiveVectors,
    VectorKind,
    VectorSource,
    extract_vectors,
    vector_size,
)
from headwise.functional.pair_features import pair_features
from headwise.heads import NLI_LABELS, InferenceInputs, PairedTokens


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
    """Tokenise what the features need of some pairs.

    Args:
        backbone: The frozen encoder, whose tokeniser is used.
        pairs: Premises and hypotheses; equal texts are encoded once.
        features: What the head reads.
    """
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

    Args:
        codes: The pairs.
        texts: Embeddings of their texts, or with them all token vectors; ``None`` where texts are
            not read apart.
        pairs: First tokens of pairs that are read together; ``None`` where they are not.

    Attributes:
        labels: Class index of each pair, ``(N,)``, int64; -1 for none.
        pooled_size: P, width of the features from pooled vectors.
        token_size: W, width of token vectors; ``None`` if there are none.
    """

    def __init__(
        self,
        codes: EncodedInferences,
        texts: VectorSource | TokenSource | None,
        pairs: VectorSource | None,
    ) -> None:
        self.labels = codes.labels
        self._premises, self._hypotheses = codes.premises, codes.hypotheses
        self._texts, self._pairs = texts, pairs
        self.token_size = texts.token_size if isinstance(texts, TokenSource) else None
        embedding = 0
        if texts is not None:
            embedding = texts.pooled_size if isinstance(texts, TokenSource) else texts.size
        self.pooled_size = 4 * embedding + (0 if pairs is None else pairs.size)

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, indices: Tensor) -> InferenceInputs:
        """What is read of the pairs with some numbers ``(n,)``, on the CPU.

        Args:
            indices: Numbers of pairs, int64.
        """
        parts, tokens = [], None
        if self._texts is not None:
            ends = torch.cat((self._premises[indices], self._hypotheses[indices]))
            if isinstance(self._texts, TokenSource):
                distinct, places = ends.unique(return_inverse=True)
                found = self._texts.batch(distinct)
                both = found.pooled[places].chunk(2)
                tokens = PairedTokens(found.tokens, found.lengths, *places.chunk(2))
            else:
                both = self._texts.batch(ends).chunk(2)
            parts.append(pair_features(*both))
        if self._pairs is not None:
            parts.append(self._pairs.batch(indices))
        return InferenceInputs(torch.cat(parts, dim=-1) if len(parts) > 1 else parts[0], tokens)


def live_inferences(
    backbone: EncoderBackbone,
    codes: EncodedInferences,
    features: NLIFeatures,
    *,
    layers: Sequence[int] = ONLY_LAST,
) -> InferenceFeatures:
    """Features that run the encoder whenever they are asked for.

    ``layers`` are those whose token vectors are read, if any are.

    Args:
        backbone: The frozen encoder.
        codes: The tokenised texts of the pairs.
        features: What the head reads.
        layers: Those whose token vectors are read, if any are.
    """
    texts: VectorSource | TokenSource | None = None
    if features.needs_tokens:
        texts = LiveTokens(backbone, codes.texts, layers=layers)
    elif features.needs_pair:
        texts = LiveVectors(backbone, codes.texts, kind=VectorKind.EMBEDDING)
    joint = LiveVectors(backbone, codes.pairs, kind=VectorKind.JOINT)
    return InferenceFeatures(codes, texts, joint if features.needs_joint else None)


def cached_inferences(
    backbone: EncoderBackbone,
    codes: EncodedInferences,
    features: NLIFeatures,
    folder: Path,
    *,
    layers: Sequence[int] = ONLY_LAST,
    dtype: str = "float32",
    progress: bool = False,
) -> InferenceFeatures:
    """Features whose vectors are written to a folder once.

    See :func:`extract_vectors` and :func:`extract_tokens`.

    Args:
        backbone: The frozen encoder.
        codes: The tokenised texts of the pairs.
        features: What the head reads.
        folder: Where vectors are written, or were.
        layers: Those whose token vectors are read, if any are.
        dtype: Type of the stored numbers, such as ``float16``.
        progress: Whether a bar is shown.
    """
    texts: VectorSource | TokenSource | None = None
    joint: VectorSource | None = None
    if features.needs_tokens:
        place = folder / "tokens"
        texts = extract_tokens(
            backbone, codes.texts, place, layers=layers, dtype=dtype, progress=progress
        )
    elif features.needs_pair:
        kind = VectorKind.EMBEDDING
        texts = extract_vectors(
            backbone, codes.texts, folder / kind, kind=kind, dtype=dtype, progress=progress
        )
    if features.needs_joint:
        kind = VectorKind.JOINT
        joint = extract_vectors(
            backbone, codes.pairs, folder / kind, kind=kind, dtype=dtype, progress=progress
        )
    return InferenceFeatures(codes, texts, joint)


def inference_bytes(
    backbone: EncoderBackbone,
    codes: EncodedInferences,
    features: NLIFeatures,
    *,
    layers: Sequence[int] = ONLY_LAST,
    dtype: str = "float32",
) -> int:
    """Size of the vectors of some pairs on disk."""
    if features.needs_tokens:
        return token_bytes(backbone, codes.texts, layers, dtype=dtype)
    embeddings = len(codes.texts) * vector_size(backbone, VectorKind.EMBEDDING)
    joint = len(codes.pairs) * vector_size(backbone, VectorKind.JOINT)
    return (embeddings + joint) * VECTOR_DTYPES[dtype].itemsize


def _of(numbers: dict[str, int], pair: InferencePair) -> list[int]:
    return [numbers[text] for text in pair.texts] if numbers else []


def _readable(code: EncodedText | InputError) -> EncodedText:
    assert not isinstance(code, InputError)
    return code
