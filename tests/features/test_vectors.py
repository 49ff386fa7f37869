"""Vectors of texts: live and cached alike, continued after a stop, refused when of other things."""

from pathlib import Path

import pytest
import torch
from tiny_encoders import tiny_encoder
from torch import Tensor

from headwise.backbones import EncodedText, EncoderBackbone
from headwise.errors import DataError, MismatchError
from headwise.features import vectors as vectors_module
from headwise.features.vectors import (
    CachedVectors,
    LiveVectors,
    VectorKind,
    extract_vectors,
)
from headwise.functional.pooling import Pooling

TEXTS = [
    "A dog runs.",
    "A woman reads a book in the park.",
    "Children play football on the beach.",
    "Two men drink tea.",
    "It rains.",
    "The cat sat on the mat and looked at the dog.",
    "Nobody is there.",
]


@pytest.fixture(scope="module")
def encoder() -> EncoderBackbone:
    return EncoderBackbone(*tiny_encoder("bert"))


@pytest.fixture(scope="module")
def codes(encoder: EncoderBackbone) -> list[EncodedText]:
    return [code for code in encoder.encode(TEXTS) if isinstance(code, EncodedText)]


def one_by_one(encoder: EncoderBackbone, codes: list[EncodedText], kind: VectorKind) -> Tensor:
    """Each text alone, without any padding."""
    rows = []
    with torch.no_grad():
        for code in codes:
            hidden, mask = encoder.hidden([code])
            joint = kind is VectorKind.JOINT
            rows.append(hidden[0, 0] if joint else encoder.pool(hidden, mask)[0])
    return torch.stack(rows)


@pytest.mark.parametrize("kind", VectorKind)
@pytest.mark.parametrize("shard_bytes", [1, 1000, 10**6])
def test_cached_live_and_plain_vectors_are_the_same(
    encoder: EncoderBackbone,
    codes: list[EncodedText],
    tmp_path: Path,
    kind: VectorKind,
    shard_bytes: int,
) -> None:
    expected = one_by_one(encoder, codes, kind)
    indices = torch.tensor([3, 0, 3, 6, 5])
    live = LiveVectors(encoder, codes, kind=kind)
    cached = extract_vectors(encoder, codes, tmp_path, kind=kind, shard_bytes=shard_bytes)
    for source in (live, cached, CachedVectors(tmp_path)):
        assert (len(source), source.size) == (len(codes), expected.shape[1])
        torch.testing.assert_close(source.batch(indices), expected[indices], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("dtype", "error"), [("float16", 1e-3), ("bfloat16", 1e-2)])
def test_narrow_vectors_are_close_and_take_half(
    encoder: EncoderBackbone, codes: list[EncodedText], tmp_path: Path, dtype: str, error: float
) -> None:
    everything = torch.arange(len(codes))
    wide = extract_vectors(encoder, codes, tmp_path / "wide", kind=VectorKind.EMBEDDING)
    narrow = extract_vectors(
        encoder, codes, tmp_path / "narrow", kind=VectorKind.EMBEDDING, dtype=dtype
    )
    found = narrow.batch(everything)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, wide.batch(everything), atol=error, rtol=error)
    assert narrow.bytes < 0.6 * wide.bytes


def test_several_poolings_stand_side_by_side(tmp_path: Path) -> None:
    encoder = EncoderBackbone(*tiny_encoder("bert"), pooling=(Pooling.MEAN, Pooling.CLS))
    codes = [code for code in encoder.encode(TEXTS) if isinstance(code, EncodedText)]
    found = extract_vectors(encoder, codes, tmp_path, kind=VectorKind.EMBEDDING)
    assert found.size == 2 * encoder.hidden_size


def test_an_interrupted_extraction_continues(
    encoder: EncoderBackbone,
    codes: list[EncodedText],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alone = extract_vectors(
        encoder, codes, tmp_path / "alone", kind=VectorKind.JOINT, shard_bytes=1
    )
    read: list[int] = []
    plain = vectors_module.text_vectors

    def counted(*arguments: object) -> Tensor:
        if len(read) == 4:
            raise KeyboardInterrupt
        read.append(1)
        return plain(*arguments)  # type: ignore[arg-type]

    folder = tmp_path / "stopped"
    with monkeypatch.context() as patch:
        patch.setattr(vectors_module, "text_vectors", counted)
        with pytest.raises(KeyboardInterrupt):
            extract_vectors(encoder, codes, folder, kind=VectorKind.JOINT, shard_bytes=1)
        with pytest.raises(DataError, match="no finished features"):
            CachedVectors(folder)
        read.clear()
        read.append(1)  # three shards are left, and so many may be read
        extract_vectors(encoder, codes, folder, kind=VectorKind.JOINT, shard_bytes=1)
    for path in alone.folder.iterdir():
        assert (folder / path.name).read_bytes() == path.read_bytes()
    assert len(list(folder.iterdir())) == len(list(alone.folder.iterdir()))


@pytest.mark.parametrize("change", ["texts", "kind", "dtype", "pooling", "weights"])
def test_vectors_of_something_else_are_refused(
    encoder: EncoderBackbone, codes: list[EncodedText], tmp_path: Path, change: str
) -> None:
    kind, dtype, wanted = VectorKind.EMBEDDING, "float32", codes
    extract_vectors(encoder, codes, tmp_path, kind=kind)
    if change == "texts":
        wanted = codes[::-1]
    elif change == "kind":
        kind = VectorKind.JOINT
    elif change == "dtype":
        dtype = "float16"
    elif change == "pooling":
        encoder = EncoderBackbone(encoder.model, encoder.tokenizer, pooling=(Pooling.CLS,))
    else:
        encoder = EncoderBackbone(*tiny_encoder("bert"))
        with torch.no_grad():
            next(encoder.model.parameters()).add_(1.0)
    names = {"texts": "data", "weights": "model weights"}
    with pytest.raises(MismatchError, match=names.get(change, change)):
        extract_vectors(encoder, wanted, tmp_path, kind=kind, dtype=dtype)


def test_a_damaged_shard_is_refused(
    encoder: EncoderBackbone, codes: list[EncodedText], tmp_path: Path
) -> None:
    extract_vectors(encoder, codes, tmp_path, kind=VectorKind.JOINT)
    (shard,) = tmp_path.glob("*.safetensors")
    whole = bytearray(shard.read_bytes())
    whole[-1] ^= 1
    shard.write_bytes(bytes(whole))
    with pytest.raises(DataError, match="checksum"):
        CachedVectors(tmp_path)


def test_nothing_to_read_and_unknown_types_are_refused(
    encoder: EncoderBackbone, codes: list[EncodedText], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="no texts"):
        extract_vectors(encoder, [], tmp_path, kind=VectorKind.JOINT)
    with pytest.raises(ValueError, match="float32, float16, bfloat16"):
        extract_vectors(encoder, codes, tmp_path, kind=VectorKind.JOINT, dtype="int8")
