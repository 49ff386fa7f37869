from typing import Any

import pytest
import torch
from tiny_encoders import COUNT_FROM_PADDING, ENCODERS, HIDDEN, POSITIONS, tiny_encoder
from tiny_models import PAIRS, UNSEEN, byte_level, tiny_llama
from torch.nn import functional as F
from transformers import (
    BartConfig,
    BartModel,
    BertForMaskedLM,
    T5Config,
    T5ForConditionalGeneration,
    ViTConfig,
    ViTModel,
)

from headwise.backbones import EncodedText, EncoderBackbone
from headwise.errors import ContextLengthError, TextError, UnsupportedModelError
from headwise.functional.pooling import Pooling

TEXTS = [text for pair in PAIRS for text in pair] + ["a\tb\nc", "🧑‍🔬 🎉🎉", "dog"]


@pytest.fixture(params=ENCODERS)
def encoder(request: pytest.FixtureRequest) -> EncoderBackbone:
    return EncoderBackbone(*tiny_encoder(request.param))


def good(codes: Any) -> list[EncodedText]:
    assert all(isinstance(code, EncodedText) for code in codes), codes
    return list(codes)


def alone(encoder: EncoderBackbone, *texts: str) -> torch.Tensor:
    """The last hidden states of one text or pair, as the model's own tokeniser and model say."""
    inputs = encoder.tokenizer(*texts, return_tensors="pt")
    with torch.no_grad():
        hidden: torch.Tensor = encoder.model(**inputs).last_hidden_state[0]
    return hidden


def test_embeds_as_each_text_alone(encoder: EncoderBackbone) -> None:
    codes = good(encoder.encode(TEXTS))
    right = torch.stack([F.normalize(alone(encoder, text).mean(0), dim=0) for text in TEXTS])
    for batch_tokens in (1, 40, None):
        found = encoder.embed(codes, batch_tokens=batch_tokens)
        torch.testing.assert_close(found, right, rtol=1e-4, atol=1e-5)


def test_reads_pairs_in_the_layout_of_the_tokeniser(encoder: EncoderBackbone) -> None:
    pairs = [*PAIRS, ("dog", "A cat."), ("A cat.", "dog")]
    codes = good(encoder.encode_pairs(pairs))
    right = torch.stack([alone(encoder, *pair)[0] for pair in pairs])
    torch.testing.assert_close(encoder.joint(codes), right, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(right[-1], right[-2], atol=1e-3)


def test_batches_hold_every_text_once_and_mask_its_padding(encoder: EncoderBackbone) -> None:
    seen = []
    codes = good(encoder.encode(TEXTS))
    for numbers, (hidden, mask) in encoder.kept(codes, lambda *both: both, batch_tokens=60):
        seen += numbers
        for number, rows, real in zip(numbers, hidden, mask.bool(), strict=True):
            right = alone(encoder, TEXTS[number])
            torch.testing.assert_close(rows[real], right, rtol=1e-4, atol=1e-5)
    assert sorted(seen) == list(range(len(TEXTS)))
    assert not torch.is_inference_mode_enabled()


def test_is_frozen_and_knows_its_sizes(encoder: EncoderBackbone) -> None:
    assert not any(p.requires_grad for p in encoder.model.parameters())
    assert not encoder.model.training
    assert encoder.hidden_size == encoder.embedding_size == HIDDEN
    assert encoder.device.type == "cpu"
    assert encoder.dtype == torch.float32


@pytest.mark.parametrize("name", ENCODERS)
def test_the_longest_text_is_read_and_the_next_one_refused(name: str) -> None:
    encoder = EncoderBackbone(*tiny_encoder(name))
    limit = POSITIONS - 2 if name in COUNT_FROM_PADDING else POSITIONS
    assert encoder.max_length == limit
    words = ["dog"] * POSITIONS
    lengths = [len(encoder.tokenizer(" ".join(words[:n])).input_ids) for n in (1, 2)]
    step = lengths[1] - lengths[0]
    count = (limit - lengths[0]) // step + 1
    fits, beyond = encoder.encode([" ".join(words[:count]), " ".join(words[: count + 1])])
    assert isinstance(fits, EncodedText)
    assert limit - step < len(fits) <= limit
    assert (
        encoder.embed([fits, EncodedText(fits.input_ids[:3], fits.token_type_ids[:3])])
        .isfinite()
        .all()
    )
    assert isinstance(beyond, ContextLengthError)
    assert f"but the model reads {limit} at most" in str(beyond)


def test_a_limit_of_the_tokeniser_holds_unless_another_is_given() -> None:
    model, tokenizer = tiny_encoder("bert")
    tokenizer.model_max_length = 20
    assert EncoderBackbone(model, tokenizer).max_length == 20
    assert EncoderBackbone(model, tokenizer, max_length=POSITIONS).max_length == POSITIONS
    for wrong in (0, POSITIONS + 1):
        with pytest.raises(ValueError, match=f"at most the {POSITIONS} tokens .* got {wrong}"):
            EncoderBackbone(model, tokenizer, max_length=wrong)


def test_errors_stand_in_place_and_name_the_text() -> None:
    encoder = EncoderBackbone(*tiny_encoder("bert"))
    texts = ["fine", "", "  ", "a [SEP] b", "\u200b\u200d", "\ud800", "dog " * POSITIONS]
    found = encoder.encode(texts, what="claim")
    assert [type(one) for one in found] == [EncodedText, *[TextError] * 5, ContextLengthError]
    assert all("claim" in str(error) for error in found[1:])
    assert encoder.encode([""])[0].args
    assert encoder.encode([]) == []
    assert isinstance(encoder.encode([None])[0], TextError)  # type: ignore[list-item]


def test_errors_of_pairs_name_the_side() -> None:
    encoder = EncoderBackbone(*tiny_encoder("bert"))
    found = encoder.encode_pairs(
        [("fine", "too"), ("", "b"), ("a", "\u200b"), ("a", "[MASK]"), ("dog " * 40, "cat " * 40)]
    )
    assert isinstance(found[0], EncodedText)
    assert "premise is empty" in str(found[1])
    assert "no token of the hypothesis" in str(found[2])
    assert "hypothesis spells out the control token '[MASK]'" in str(found[3])
    assert "Premise and hypothesis take" in str(found[4])


def test_what_nobody_has_seen_is_read() -> None:
    for name in ("bert", "roberta"):
        encoder = EncoderBackbone(*tiny_encoder(name), max_length=None)
        texts = [text for text in UNSEEN if len(text) < 20]
        assert encoder.embed(good(encoder.encode(texts))).isfinite().all()


def test_several_poolings_stand_one_after_the_other() -> None:
    pooling = (Pooling.CLS, Pooling.MAX)
    encoder = EncoderBackbone(*tiny_encoder("bert"), pooling=pooling, normalise=False)
    assert encoder.embedding_size == 2 * HIDDEN
    hidden = alone(encoder, TEXTS[0])
    found = encoder.embed(good(encoder.encode(TEXTS)))[0]
    torch.testing.assert_close(found, torch.cat([hidden[0], hidden.amax(0)]), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("pooling", list(Pooling))
def test_only_the_tokens_of_a_text_decide_its_embedding(pooling: Pooling) -> None:
    encoder = EncoderBackbone(*tiny_encoder("roberta"), pooling=(pooling,))
    codes = good(encoder.encode(TEXTS))
    together, apart = encoder.embed(codes), [encoder.embed([code])[0] for code in codes]
    torch.testing.assert_close(together, torch.stack(apart), rtol=1e-4, atol=1e-5)


def test_results_may_enter_training_and_none_make_none() -> None:
    encoder = EncoderBackbone(*tiny_encoder("bert"))
    codes = good(encoder.encode_pairs(PAIRS))
    layer = torch.nn.Linear(HIDDEN, 3)
    for found in (encoder.embed(codes), encoder.joint(codes)):
        layer(found).sum().backward()
    assert encoder.embed([]).shape == encoder.joint([]).shape == (0, HIDDEN)


def test_bfloat16_gives_embeddings_in_float32() -> None:
    model, tokenizer = tiny_encoder("bert")
    whole = EncoderBackbone(model, tokenizer)
    codes = good(whole.encode(TEXTS))
    right = whole.embed(codes)
    half = EncoderBackbone(model.bfloat16(), tokenizer)
    assert half.hidden(codes)[0].dtype == torch.bfloat16
    assert half.embed(codes).dtype == half.joint(codes).dtype == torch.float32
    torch.testing.assert_close(half.embed(codes), right, rtol=0.05, atol=0.05)


def test_forward_takes_what_the_tokeniser_gives() -> None:
    for name in ("bert", "roberta"):
        encoder = EncoderBackbone(*tiny_encoder(name))
        inputs = encoder.tokenizer(*PAIRS[0], return_tensors="pt")
        assert encoder.forward(**inputs).shape == (1, inputs["input_ids"].shape[1], HIDDEN)
        torch.testing.assert_close(encoder.forward(**inputs)[0], alone(encoder, *PAIRS[0]))
        # A model with one type only would have no row for the second
        types = torch.ones_like(inputs["input_ids"])
        encoder.forward(inputs["input_ids"], inputs["attention_mask"], types)


def test_a_language_model_head_is_left_out() -> None:
    model, tokenizer = tiny_encoder("bert")
    masked = BertForMaskedLM(model.config)
    assert EncoderBackbone(masked, tokenizer).model is masked.bert


@pytest.mark.parametrize("name", ["t5", "bart"])
def test_of_an_encoder_decoder_the_encoder_is_kept(name: str) -> None:
    _, tokenizer = tiny_encoder("roberta")
    shared: dict[str, Any] = {"vocab_size": len(tokenizer), "d_model": HIDDEN, "pad_token_id": 1}
    if name == "t5":
        model: Any = T5ForConditionalGeneration(
            T5Config(**shared, num_layers=2, num_heads=4, d_kv=8, d_ff=48)
        )
    else:
        model = BartModel(
            BartConfig(**shared, encoder_layers=2, decoder_layers=1, max_position_embeddings=64)
        )
    encoder = EncoderBackbone(model.eval(), tokenizer)
    codes = good(encoder.encode(TEXTS))
    right = [F.normalize(alone(encoder, text).mean(0), dim=0) for text in TEXTS]
    torch.testing.assert_close(encoder.embed(codes), torch.stack(right), rtol=1e-4, atol=1e-5)
    assert encoder.max_length == (None if name == "t5" else 64)
    assert encoder.joint(codes).shape == (len(TEXTS), HIDDEN)


def test_a_causal_model_embeds_but_its_first_token_is_refused() -> None:
    tokenizer = byte_level()
    model = tiny_llama(tokenizer)
    encoder = EncoderBackbone(model, tokenizer, pooling=(Pooling.LAST,))
    codes = good(encoder.encode(["A dog runs.", "It is a lovely evening"]))
    right = F.normalize(alone(encoder, "A dog runs.")[-1], dim=0)
    torch.testing.assert_close(encoder.embed(codes)[0], right, rtol=1e-4, atol=1e-5)
    with pytest.raises(UnsupportedModelError, match="LlamaModel reads from left to right"):
        encoder.joint(codes)


def test_a_model_of_images_is_refused() -> None:
    _, tokenizer = tiny_encoder("bert")
    config = ViTConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8
    )
    with pytest.raises(UnsupportedModelError, match="ViTModel reads pixel_values"):
        EncoderBackbone(ViTModel(config), tokenizer)


def test_no_pooling_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one way of pooling"):
        EncoderBackbone(*tiny_encoder("bert"), pooling=())
