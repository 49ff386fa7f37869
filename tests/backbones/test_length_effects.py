"""Texts that would change each other's numbers in a batch get those of each text alone."""

import logging
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
import torch
import transformers
from random_language_models import random_model
from test_unembedding import no_tokenizer
from tiny_encoders import bert_tokenizer, tiny_encoder
from torch import Tensor
from transformers import PreTrainedModel

from headwise.backbones import CausalBackbone, EncodedPair, EncodedText, EncoderBackbone
from headwise.backbones.generation.tokens import generate_tokens
from headwise.errors import ContextLengthError, UnsupportedModelError
from headwise.quality.generation.token_stream import TokenStream

# On either side of the limit of 20, at it, and far beyond it
LENGTHS = (4, 19, 20, 21, 25, 26, 40, 5)
SAME = {"rtol": 1e-4, "atol": 1e-4}


def pair(length: int, *, first: int = 0) -> EncodedPair:
    ids = tuple((5 * i + 3) % 59 + 1 for i in range(length + 1))
    return EncodedPair(ids[:-1], first, ids[first + 1 :], ())


def as_loaded(name: str, one: EncodedPair) -> Tensor:
    """What a model that has read nothing else says."""
    decoder = random_model(name).eval().get_decoder()
    hidden: Tensor = decoder(torch.tensor([one.input_ids]), use_cache=False).last_hidden_state[0]
    return hidden[one.first :]


@pytest.mark.parametrize("name", ["phi3-long", "llama-dynamic"])
@torch.inference_mode()
def test_batches_on_either_side_of_a_limit(name: str) -> None:
    backbone = CausalBackbone(random_model(name).eval(), no_tokenizer())
    pairs = [pair(length) for length in LENGTHS]
    right = torch.cat([as_loaded(name, one) for one in pairs])
    torch.testing.assert_close(backbone.target_hidden(pairs), right, **SAME)
    # Nor does what was read before matter
    torch.testing.assert_close(backbone.target_hidden(pairs[:1]), right[:4], **SAME)


@pytest.mark.parametrize("name", ["phi3-long", "llama-dynamic", "llama"])
@torch.inference_mode()
def test_prompts_that_texts_share_around_a_limit(name: str) -> None:
    backbone = CausalBackbone(random_model(name).eval(), no_tokenizer())
    pairs = [pair(length, first=6) for length in (8, 40, 20, 21)]
    right = torch.cat([as_loaded(name, one) for one in pairs])
    torch.testing.assert_close(backbone.shared_prompt_hidden(pairs), right, **SAME)
    assert backbone.reads_step_by_step(20)
    assert backbone.reads_step_by_step(21) is (name == "llama")


@pytest.mark.parametrize("name", ["phi3-long", "mamba", "llama"])
@pytest.mark.parametrize("beams", [1, 3])
@torch.inference_mode()
def test_generated_text_has_the_numbers_of_scored_text(name: str, beams: int) -> None:
    """Phi-3 crosses its limit while it writes."""
    backbone = CausalBackbone(random_model(name).eval(), no_tokenizer())
    prompt = pair(16).input_ids
    inputs = {"input_ids": torch.tensor([prompt]), "attention_mask": torch.ones(1, 16).long()}
    backbone.tokenizer.pad_token_id = 0
    options = {"max_new_tokens": 9, "min_new_tokens": 9, "num_beams": beams}
    found = generate_tokens(backbone, inputs, options)
    ids = (*prompt, *found.token_ids)
    right = as_loaded(name, EncodedPair(ids[:-1], len(prompt) - 1, ids[len(prompt) :], ()))
    torch.testing.assert_close(found.hidden, right, **SAME)


@pytest.mark.parametrize("prompt", [16, 22])
@torch.inference_mode()
def test_a_stream_ends_by_name_where_a_limit_changes_what_was_written(prompt: int) -> None:
    backbone = CausalBackbone(random_model("phi3-long").eval(), no_tokenizer())
    ids = pair(prompt).input_ids
    inputs = {"input_ids": torch.tensor([ids]), "attention_mask": torch.ones(1, prompt).long()}
    backbone.tokenizer.pad_token_id = 0
    found: list[tuple[int, Tensor]] = []
    ends = pytest.raises(ContextLengthError, match="have grown to 21 tokens")
    # A prompt beyond the limit is read as all that follows it
    with ends if prompt == 16 else nullcontext():
        options = {"max_new_tokens": 9, "min_new_tokens": 9}
        found.extend(TokenStream(backbone, inputs, options))
    assert len(found) == (5 if prompt == 16 else 9)
    whole = (*ids, *(token for token, _ in found))
    right = as_loaded("phi3-long", EncodedPair(whole[:-1], prompt - 1, whole[prompt:], ()))
    torch.testing.assert_close(torch.stack([hidden for _, hidden in found]), right, **SAME)


def random_encoder(name: str, **changes: Any) -> PreTrainedModel:
    sizes = {
        "vocab_size": len(bert_tokenizer()),
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 256,
        "pad_token_id": 0,
    }
    kind = getattr(transformers, f"{name}Model")
    torch.manual_seed(0)
    model: PreTrainedModel = kind(kind.config_class(**sizes | changes)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


LONG_ROPE = {
    "rope_type": "longrope",
    "rope_theta": 10000.0,
    "short_factor": [1.0] * 4,
    "long_factor": [4.0, 5.0, 6.0, 7.0],
    "original_max_position_embeddings": 20,
}
BOTTLENECKS = {"embedding_size": 16, "intra_bottleneck_size": 16, "true_hidden_size": 16}
DEPEND: dict[str, Callable[[], PreTrainedModel]] = {
    "mobilebert": lambda: random_encoder("MobileBert", **BOTTLENECKS),
    "convbert": lambda: random_encoder("ConvBert", conv_kernel_size=3, embedding_size=32),
    "fnet": lambda: random_encoder("FNet"),
    "yoso": lambda: random_encoder("Yoso"),
    "nystromformer": lambda: random_encoder("Nystromformer"),
    "bigbird": lambda: random_encoder("BigBird", block_size=4, num_random_blocks=1),
}
LONGEST = "two men drink green tea in the park " * 8
TEXTS = ["A dog.", "The cat sat on the mat.", LONGEST, "dog", "A woman reads a book in the park."]


def embedded_alone(make: Callable[[], PreTrainedModel], code: EncodedText) -> Tensor:
    """The mean of what a model that has read nothing else says."""
    hidden: Tensor = make()(input_ids=torch.tensor([code.input_ids])).last_hidden_state[0]
    return hidden.mean(dim=0)


@pytest.mark.parametrize("name", DEPEND)
@torch.inference_mode()
def test_encoders_whose_vectors_depend_on_the_batch(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    encoder = EncoderBackbone(DEPEND[name](), bert_tokenizer(types=False))
    codes = [code for code in encoder.encode(TEXTS) if isinstance(code, EncodedText)]
    right = torch.stack([embedded_alone(DEPEND[name], code) for code in codes])
    with caplog.at_level(logging.WARNING):
        found = encoder.embed(codes, normalise=False)
        torch.testing.assert_close(found, right, **SAME)
        # In another order too, and one alone after the others
        torch.testing.assert_close(
            encoder.embed(codes[::-1], normalise=False).flip(0), right, **SAME
        )
        torch.testing.assert_close(encoder.embed(codes[2:3], normalise=False)[0], right[2], **SAME)
    said = [record.getMessage() for record in caplog.records if "one text at a time" in record.msg]
    assert len(said) == 1
    assert type(encoder.model).__name__ in said[0]


@torch.inference_mode()
def test_an_encoder_with_long_rope() -> None:
    def make() -> PreTrainedModel:
        return random_encoder("EuroBert", num_key_value_heads=4, rope_parameters=LONG_ROPE)

    encoder = EncoderBackbone(make(), bert_tokenizer(types=False))
    codes = [code for code in encoder.encode(TEXTS) if isinstance(code, EncodedText)]
    right = torch.stack([embedded_alone(make, code) for code in codes])
    torch.testing.assert_close(encoder.embed(codes, normalise=False), right, **SAME)
    assert not encoder.padding_matters


@pytest.mark.parametrize("name", ["bert", "roberta", "deberta-v3", "modernbert"])
def test_other_encoders_read_batches(name: str) -> None:
    assert not EncoderBackbone(*tiny_encoder(name)).padding_matters


def test_batches_given_as_ids_may_be_padded_on_either_side() -> None:
    encoder = EncoderBackbone(DEPEND["fnet"](), bert_tokenizer(types=False))
    (code,) = encoder.encode(["A dog runs."])
    assert isinstance(code, EncodedText)
    ids = torch.tensor(code.input_ids)
    right, _ = encoder.hidden([code])
    padded = torch.zeros(2, len(ids) + 3, dtype=torch.long)
    mask = torch.zeros_like(padded)
    padded[0, : len(ids)], mask[0, : len(ids)] = ids, 1
    padded[1, 3:], mask[1, 3:] = ids, 1
    found = encoder.forward(padded, mask)
    torch.testing.assert_close(found[0, : len(ids)], right[0], **SAME)
    torch.testing.assert_close(found[1, 3:], right[0], **SAME)


def test_encoders_that_give_no_vector_a_token_are_refused() -> None:
    reversible = {
        "attention_head_size": 8,
        "feed_forward_size": 48,
        "attn_layers": ["local"],
        "axial_pos_embds": False,
        "local_attn_chunk_length": 4,
    }
    encoder = EncoderBackbone(random_encoder("Reformer", **reversible), bert_tokenizer(types=False))
    with pytest.raises(UnsupportedModelError, match="cannot read a text of a few tokens"):
        _ = encoder.padding_matters


def test_encoders_without_what_is_read_of_them_are_refused() -> None:
    """Several tables of embeddings; and what gives a tuple in the place of named results."""
    config = transformers.CanineConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2)
    with pytest.raises(UnsupportedModelError, match="CanineModel has no one table of embeddings"):
        EncoderBackbone(transformers.CanineModel(config), bert_tokenizer())
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    question = transformers.DPRQuestionEncoder(transformers.DPRConfig(vocab_size=60, **sizes))
    encoder = EncoderBackbone(question, bert_tokenizer())
    with pytest.raises(UnsupportedModelError, match="DPREncoder cannot read a text"):
        _ = encoder.padding_matters
