"""Vectors of all tokens: live and cached alike, of the layers asked for, continued after a stop."""

from pathlib import Path

import pytest
import torch
from tiny_encoders import ENCODERS, tiny_encoder
from torch import Tensor

from headwise.backbones import EncodedText, EncoderBackbone
from headwise.errors import MismatchError
from headwise.features import token_vectors as module
from headwise.features.token_vectors import (
    CachedTokens,
    LiveTokens,
    TokenVectors,
    extract_tokens,
    token_bytes,
)

TEXTS = [
    "A dog runs.",
    "A woman reads a book in the park.",
    "Children play football on the beach.",
    "Two men drink tea.",
    "It rains.",
    "The cat sat on the mat and looked at the dog.",
]
LAYERS = (0, 1, -1)


@pytest.fixture(scope="module")
def encoder() -> EncoderBackbone:
    return EncoderBackbone(*tiny_encoder("bert"))


def codes_of(encoder: EncoderBackbone) -> list[EncodedText]:
    return [code for code in encoder.encode(TEXTS) if isinstance(code, EncodedText)]


@torch.no_grad()
def plain(encoder: EncoderBackbone, number: int) -> tuple[Tensor, Tensor]:
    given = encoder.tokenizer(TEXTS[number], return_tensors="pt")
    hidden = encoder.model(**given, output_hidden_states=True).hidden_states
    tokens = torch.cat([hidden[layer][0] for layer in LAYERS], dim=-1)
    return encoder.pool(hidden[-1], given["attention_mask"])[0], tokens


@pytest.mark.parametrize("name", ENCODERS)
def test_one_pass_gives_the_layers_and_the_embedding(name: str) -> None:
    encoder = EncoderBackbone(*tiny_encoder(name))
    codes = codes_of(encoder)
    pooled, tokens = encoder.token_vectors(codes, LAYERS)
    assert tokens.shape[1] == encoder.layers_width(LAYERS)
    each = tokens.split([len(code) for code in codes])
    for number, (one, found) in enumerate(zip(pooled, each, strict=True)):
        expected = plain(encoder, number)
        torch.testing.assert_close(one, expected[0], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(found, expected[1], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("shard_bytes", [1, 3000, 10**6])
def test_cached_live_and_plain_vectors_are_the_same(
    encoder: EncoderBackbone, tmp_path: Path, shard_bytes: int
) -> None:
    codes = codes_of(encoder)
    numbers = torch.tensor([5, 0, 3])
    extract_tokens(
        encoder, codes, tmp_path, layers=LAYERS, dtype="float32", shard_bytes=shard_bytes
    )
    count = {1: len(codes), 10**6: 1}.get(shard_bytes)
    assert count is None or len(list(tmp_path.glob("*.safetensors"))) == count
    for source in (LiveTokens(encoder, codes, layers=LAYERS), CachedTokens(tmp_path)):
        assert len(source) == len(codes)
        assert source.pooled_size == encoder.embedding_size
        assert source.token_size == encoder.layers_width(LAYERS)
        assert_plain(encoder, source.batch(numbers), numbers)


def assert_plain(encoder: EncoderBackbone, found: TokenVectors, numbers: Tensor) -> None:
    each = found.tokens.split(found.lengths.tolist())
    for number, pooled, tokens in zip(numbers.tolist(), found.pooled, each, strict=True):
        expected = plain(encoder, number)
        torch.testing.assert_close(pooled, expected[0], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(tokens, expected[1], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("dtype", "kept", "error"),
    [("float16", torch.float16, 1e-3), ("float8", torch.float8_e4m3fn, 2**-4)],
)
def test_tokens_are_kept_in_few_bytes(
    encoder: EncoderBackbone, tmp_path: Path, dtype: str, kept: torch.dtype, error: float
) -> None:
    codes = codes_of(encoder)
    narrow = extract_tokens(encoder, codes, tmp_path, layers=LAYERS, dtype=dtype, shard_bytes=3000)
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    found = narrow.batch(torch.arange(len(codes)))
    assert (found.tokens.dtype, found.pooled.dtype) == (kept, torch.float32)
    stored = found.tokens.nbytes + found.pooled.nbytes
    assert token_bytes(encoder, codes, LAYERS, dtype=dtype) == stored
    pooled, tokens = encoder.token_vectors(codes, LAYERS)
    torch.testing.assert_close(found.pooled, pooled, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(found.tokens.float(), tokens, atol=2e-3, rtol=error)


def test_an_interrupted_extraction_continues(
    encoder: EncoderBackbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes, read = codes_of(encoder), list[int]()
    plainly = module.text_tokens

    def counted(*arguments: object) -> TokenVectors:
        if len(read) == 4:
            raise KeyboardInterrupt
        read.append(1)
        return plainly(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "text_tokens", counted)
    with pytest.raises(KeyboardInterrupt):
        extract_tokens(encoder, codes, tmp_path, layers=LAYERS, shard_bytes=1)
    del read[:2]  # two texts are left, and so many may be read
    found = extract_tokens(encoder, codes, tmp_path, layers=LAYERS, shard_bytes=1)
    assert len(found) == len(codes)


@pytest.mark.parametrize("change", ["layers", "data", "dtype"])
def test_vectors_of_something_else_are_refused(
    encoder: EncoderBackbone, tmp_path: Path, change: str
) -> None:
    codes = codes_of(encoder)
    extract_tokens(encoder, codes, tmp_path, layers=(0, 2))  # 2 is the last of two
    extract_tokens(encoder, codes, tmp_path, layers=(0, -1))
    with pytest.raises(MismatchError, match=change):
        extract_tokens(
            encoder,
            codes[::-1] if change == "data" else codes,
            tmp_path,
            layers=(1, -1) if change == "layers" else (0, -1),
            dtype="float32" if change == "dtype" else "float16",
        )
