"""Tokens that close a text: which ones they are, and features that keep some of them."""

from pathlib import Path

import pytest
import torch
from extracting import Extract
from plain_features import assert_close, assert_equal, joined
from tiny_encoder_decoders import KINDS, learned_pieces
from tiny_models import PAIRS

from headwise.backbones import NAMED_PROMPTS, CausalBackbone, EncoderDecoderBackbone
from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.pairs import Pair
from headwise.errors import MismatchError
from headwise.features import FeatureBatch, FeatureSpec, LiveFeatures, encode_examples

TINY, CHAT = NAMED_PROMPTS["tiny"], NAMED_PROMPTS["chat"]


def cut(batch: FeatureBatch, count: int) -> FeatureBatch:
    """The first positions of a batch of one text."""
    rows = {
        name: value[:count]
        for name in FeatureBatch.__slots__
        if isinstance(value := getattr(batch, name), torch.Tensor)
    }
    return FeatureBatch(**{"errors": None} | rows, counts=(count,))


@pytest.mark.parametrize(("kept", "closing"), [(None, 2), (0, 0), (1, 1), (2, 2), (9, 2)])
def test_some_closing_tokens_are_targets(
    backbone: CausalBackbone, pairs: list[Pair], kept: int | None, closing: int
) -> None:
    whole = LiveFeatures(backbone, encode_examples(backbone, pairs, CHAT), candidates=3)
    examples = encode_examples(backbone, pairs, CHAT, closing_tokens=kept)
    live = LiveFeatures(backbone, examples, candidates=3)
    for number, example in enumerate(examples):
        own = len(example.code.ranges)
        assert live.counts[number] == own + closing == whole.counts[number] - 2 + closing
        assert live.lengths[number] == whole.lengths[number] - 2 + closing
        found = live.batch([number])
        assert found.closing.tolist() == [False] * own + [True] * closing
        if number % 9 == 0:
            assert_close(found, cut(whole.batch([number]), own + closing))


@pytest.mark.filterwarnings("ignore:Recommended. pip install sacremoses")
@pytest.mark.parametrize("kind", KINDS)
def test_closing_tokens_of_encoder_decoder_models(tmp_path: Path, kind: str) -> None:
    torch.manual_seed(0)
    model, tokenizer, prompt = KINDS[kind](learned_pieces(), tmp_path)
    backbone = EncoderDecoderBackbone(model, tokenizer)
    pairs = [Pair(*pair) for pair in PAIRS]
    whole = LiveFeatures(backbone, encode_examples(backbone, pairs, prompt), candidates=2)
    examples = encode_examples(backbone, pairs, prompt, closing_tokens=0)
    live = LiveFeatures(backbone, examples, candidates=2)
    for i, count in enumerate(live.counts):
        assert count == len(examples[i].code.ranges) < whole.counts[i]
        assert_close(live.batch([i]), cut(whole.batch([i]), count))


@pytest.mark.parametrize("kept", [None, 0, 1])
def test_the_cache_keeps_the_same(
    extract: Extract, backbone: CausalBackbone, pairs: list[Pair], kept: int | None
) -> None:
    cached = extract(prompt=CHAT, closing_tokens=kept, batch_tokens=1)
    examples = encode_examples(backbone, pairs, CHAT, closing_tokens=kept)
    live = LiveFeatures(backbone, examples, candidates=7)
    assert (cached.counts, cached.lengths) == (live.counts, live.lengths)
    order = [30, 3, 17, 17, 0, 35]
    assert_equal(cached.batch(order), joined([live.batch([i]) for i in order]))
    with pytest.raises(MismatchError, match="closing tokens"):
        extract(prompt=CHAT, closing_tokens=5)


def test_a_text_whose_end_was_cut_off_has_no_closing_token(
    backbone: CausalBackbone, pairs: list[Pair]
) -> None:
    examples = encode_examples(backbone, pairs, TINY, max_length=20, cut=True, closing_tokens=1)
    whole = encode_examples(backbone, pairs, TINY, closing_tokens=1)
    counts = [len(example.code.targets) for example in whole]
    shorter = [e for e in examples if len(e.code.targets) < counts[e.pair]]
    assert shorter
    assert not any(any(example.closing) for example in shorter)


@pytest.mark.parametrize("kept", [0, 1])
def test_a_missing_end_stands_at_the_closing_token_that_is_kept(
    backbone: CausalBackbone, kept: int
) -> None:
    text = "Ein Hund läuft."
    pair = Pair("A dog runs.", text, errors=(ErrorSpan(len(text), len(text)),))
    (example,) = encode_examples(backbone, [pair], CHAT, closing_tokens=kept)
    assert example.missing is not None
    assert example.missing == example.errors == example.closing
    assert sum(example.missing) == kept


def test_fewer_than_no_closing_tokens_are_refused() -> None:
    with pytest.raises(ValueError, match="`closing_tokens` must not be negative, got -1"):
        FeatureSpec(closing_tokens=-1)
