"""Features of pairs, put together from vectors of distinct texts."""

from pathlib import Path

import pytest
import torch
from tiny_encoders import tiny_encoder
from torch import Tensor

from headwise.backbones import EncodedText, EncoderBackbone
from headwise.choices import NLIFeatures
from headwise.data.records.inferences import InferencePair
from headwise.features.inference_features import (
    cached_inferences,
    encode_inferences,
    inference_bytes,
    live_inferences,
)
from headwise.functional.pair_features import pair_features
from headwise.heads import NLILabel

E, N, C = NLILabel

PAIRS = [
    InferencePair("A dog runs.", "An animal moves.", E),
    InferencePair("A dog runs.", "It is a lovely dog.", N),
    InferencePair("A dog runs.", "A cat sat on the mat.", C),
    InferencePair("Two men drink tea.", "A dog runs.", C),
    InferencePair("Two men drink tea.", "", N),
    InferencePair("It rains.", "An animal moves.", None),
]
KEPT = [0, 1, 2, 3, 5]


@pytest.fixture(scope="module")
def encoder() -> EncoderBackbone:
    return EncoderBackbone(*tiny_encoder("bert"))


@torch.no_grad()
def plain(encoder: EncoderBackbone, pair: InferencePair, features: NLIFeatures) -> Tensor:
    parts = []
    if features.needs_pair:
        pooled = []
        for text in pair.texts:
            (code,) = encoder.encode([text])
            assert isinstance(code, EncodedText)
            pooled.append(encoder.pool(*encoder.hidden([code])))
        parts.append(pair_features(*pooled)[0])
    if features.needs_joint:
        (code,) = encoder.encode_pairs([pair.texts])
        assert isinstance(code, EncodedText)
        parts.append(encoder.hidden([code])[0][0, 0])
    return torch.cat(parts)


@torch.no_grad()
def plain_tokens(encoder: EncoderBackbone, text: str) -> Tensor:
    given = encoder.tokenizer(text, return_tensors="pt")
    states = encoder.model(**given, output_hidden_states=True).hidden_states
    return torch.cat([states[0][0], states[-1][0]], dim=-1)


@pytest.mark.parametrize("features", NLIFeatures)
def test_live_and_cached_features_are_the_plain_ones(
    encoder: EncoderBackbone, tmp_path: Path, features: NLIFeatures
) -> None:
    codes = encode_inferences(encoder, PAIRS, features)
    assert codes.kept.tolist() == KEPT
    assert [place for place, _ in codes.rejected] == [4]
    assert codes.labels.tolist() == [0, 1, 2, 2, -1]
    expected = torch.stack([plain(encoder, PAIRS[i], features) for i in KEPT])
    chosen = torch.tensor([4, 0, 2, 2])
    layers, width = (0, -1), 2 * encoder.hidden_size if features.needs_tokens else None
    for source in (
        live_inferences(encoder, codes, features, layers=layers),
        cached_inferences(encoder, codes, features, tmp_path, layers=layers),
        cached_inferences(encoder, codes, features, tmp_path, layers=layers),
    ):
        assert (len(source), source.pooled_size) == (len(KEPT), expected.shape[1])
        assert (source.token_size, len(source.batch(chosen))) == (width, len(chosen))
        size = features.pooled_size(encoder.hidden_size, encoder.embedding_size)
        assert source.pooled_size == size
        found = source.batch(chosen)
        torch.testing.assert_close(found.pooled, expected[chosen], atol=1e-5, rtol=1e-4)
        if not features.needs_tokens:
            assert found.tokens is None
            continue
        assert found.tokens is not None
        assert len(found.tokens.lengths) == 4  # of eight, four come again
        each = found.tokens.vectors.split(found.tokens.lengths.tolist())
        for place, sides in enumerate(
            zip(found.tokens.premises, found.tokens.hypotheses, strict=True)
        ):
            for side, text in zip(sides, PAIRS[KEPT[chosen[place]]].texts, strict=True):
                torch.testing.assert_close(
                    each[side], plain_tokens(encoder, text), atol=1e-5, rtol=1e-4
                )


def test_a_text_is_kept_once_and_only_if_it_is_used(encoder: EncoderBackbone) -> None:
    codes = encode_inferences(encoder, PAIRS, NLIFeatures.PAIR)
    used = {text for i in KEPT for text in PAIRS[i].texts}
    assert len(codes.texts) == len(used)
    assert not codes.pairs
    pair = NLIFeatures.PAIR
    assert inference_bytes(encoder, codes, pair) == len(used) * encoder.embedding_size * 4
    tokens = sum(map(len, codes.texts)) * 3 * encoder.hidden_size * 2
    assert (
        inference_bytes(encoder, codes, NLIFeatures.INTERACTION, layers=(0, 1, -1), dtype="float16")
        == inference_bytes(encoder, codes, pair) + tokens
    )
    joint = encode_inferences(encoder, PAIRS, NLIFeatures.JOINT)
    assert not joint.texts
    size = inference_bytes(encoder, joint, NLIFeatures.JOINT, dtype="float16")
    assert size == len(KEPT) * encoder.hidden_size * 2


@pytest.mark.parametrize("features", NLIFeatures)
def test_no_pair_at_all(encoder: EncoderBackbone, features: NLIFeatures) -> None:
    assert len(encode_inferences(encoder, [], features)) == 0
    unreadable = [InferencePair("", "", E)]
    codes = encode_inferences(encoder, unreadable, features)
    assert (len(codes), len(codes.rejected)) == (0, 1)
