"""Models read as their family reads: in one direction, from one start, in the right language."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
import torch
import transformers
from random_language_models import random_model
from test_unembedding import no_tokenizer
from tiny_encoder_decoders import KINDS, learned_pieces
from tiny_encoders import bert_tokenizer, tiny_encoder
from tiny_models import PAIRS, byte_level, tiny_llama
from tokenizers import processors

from headwise import QualityEstimator
from headwise.backbones import (
    NAMED_PROMPTS,
    CausalBackbone,
    EncodedPair,
    EncodedText,
    EncoderBackbone,
    EncoderDecoderBackbone,
    SequenceTemplate,
    TextTemplate,
)
from headwise.errors import PromptError, TextError, UnsupportedModelError

SOURCE, HYPOTHESIS = PAIRS[0]
BERT = {
    "vocab_size": 60,
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "embedding_size": 16,
}
BOTH_WAYS: dict[str, dict[str, Any]] = {
    "XLNetLMHeadModel": {"vocab_size": 60, "d_model": 16, "n_layer": 1, "n_head": 2, "d_inner": 8},
    "XLMWithLMHeadModel": {"vocab_size": 60, "emb_dim": 16, "n_layers": 1, "n_heads": 2},
    "BertLMHeadModel": BERT,
    "RobertaForCausalLM": BERT,
    "ElectraForCausalLM": BERT,
}


def language_model(name: str, **changes: Any) -> Any:
    kind = getattr(transformers, name)
    torch.manual_seed(0)
    return kind(kind.config_class(**BOTH_WAYS[name] | changes)).eval()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", BOTH_WAYS)
def test_models_that_read_both_ways_are_refused(name: str, dtype: torch.dtype) -> None:
    with pytest.raises(UnsupportedModelError, match=f"{name} reads both ways"):
        CausalBackbone(language_model(name).to(dtype), no_tokenizer())


@pytest.mark.parametrize("name", ["BertLMHeadModel", "RobertaForCausalLM"])
def test_their_kin_that_are_decoders_are_not(name: str) -> None:
    CausalBackbone(language_model(name, is_decoder=True), no_tokenizer())


@pytest.mark.parametrize("name", ["qwen3-moe-balanced", "mamba", "bloom", "gemma3"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_causal_models_of_any_kind_pass(name: str, dtype: torch.dtype) -> None:
    CausalBackbone(random_model(name).eval().to(dtype), no_tokenizer())


def test_attention_that_draws_at_random_is_refused() -> None:
    reformer = {"attn_layers": ["local", "lsh"], "is_decoder": True, "axial_pos_embds": False}
    BOTH_WAYS["ReformerModelWithLMHead"] = BERT | reformer
    with pytest.raises(UnsupportedModelError, match="ReformerModelWithLMHead draws at random"):
        CausalBackbone(language_model("ReformerModelWithLMHead"), no_tokenizer())
    BOTH_WAYS["YosoModel"] = BERT | {"use_expectation": False}
    with pytest.raises(UnsupportedModelError, match="`use_expectation`"):
        EncoderBackbone(language_model("YosoModel"), bert_tokenizer())


def test_a_model_that_cannot_be_run_is_named() -> None:
    model = random_model().eval()
    model.model.layers[0] = torch.nn.Linear(3, 3)
    with pytest.raises(UnsupportedModelError, match="cannot read a few tokens"):
        CausalBackbone(model, no_tokenizer())


@pytest.fixture(scope="module")
def t5gemma() -> QualityEstimator:
    tokenizer = byte_level()
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", tokenizer.bos_token_id)]
    )
    side = BERT | {
        "vocab_size": len(tokenizer),
        "num_key_value_heads": 1,
        "head_dim": 8,
        "sliding_window": 16,
        "pad_token_id": 0,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }
    config = transformers.T5GemmaConfig(encoder=side, decoder=dict(side), vocab_size=len(tokenizer))
    torch.manual_seed(0)
    model = transformers.T5GemmaForConditionalGeneration(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    return QualityEstimator(EncoderDecoderBackbone(model, tokenizer), prompt=SequenceTemplate())


def test_a_decoder_reads_one_start_and_its_end_is_scored(t5gemma: QualityEstimator) -> None:
    tokenizer, model = t5gemma.backbone.tokenizer, t5gemma.backbone.model
    own = tokenizer(HYPOTHESIS, add_special_tokens=False)["input_ids"]
    source = tokenizer(SOURCE, return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        start = torch.tensor([[tokenizer.bos_token_id, *own]])
        logits = model(input_ids=source, decoder_input_ids=start).logits[0]
    targets = [*own, tokenizer.eos_token_id]
    expected = logits.log_softmax(-1)[range(len(targets)), targets]
    scored = t5gemma.score(SOURCE, HYPOTHESIS, signals=("logprob",))
    tokens = scored.tokens + scored.special_tokens
    assert [token.token_id for token in tokens] == targets
    assert [token.logprob for token in tokens] == pytest.approx(expected.tolist(), abs=1e-4)
    assert "".join(token.text for token in scored.tokens) == HYPOTHESIS.replace(" ", "")


def test_generation_reads_the_same_start(t5gemma: QualityEstimator) -> None:
    generated = t5gemma.generate(SOURCE, signals=("logprob",), max_new_tokens=1)
    token = (generated.tokens + generated.special_tokens)[:1]
    (code,) = t5gemma.backbone.encode([(SOURCE, HYPOTHESIS)], t5gemma.prompt)
    assert isinstance(code, EncodedPair)
    with torch.inference_mode():
        hidden = t5gemma.backbone.target_hidden([code])[0]
        first = t5gemma.backbone.unembedding(hidden).argmax()
    assert [t.token_id for t in token] in ([], [int(first)])


def test_token_types_are_read_where_the_tokeniser_names_them() -> None:
    model, _ = tiny_encoder("bert")
    (pair,) = EncoderBackbone(model, bert_tokenizer(types=True)).encode_pairs([("a", "b")])
    assert isinstance(pair, EncodedText)
    assert set(pair.token_type_ids) == {0, 1}
    tokenizer = byte_level()
    tokenizer.model_input_names = ["input_ids", "attention_mask"]
    # It would add an embedding of token 0 everywhere
    sizes = {"n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 64}
    gpt2 = transformers.GPT2Model(transformers.GPT2Config(vocab_size=len(tokenizer), **sizes))
    encoder = EncoderBackbone(gpt2.eval(), tokenizer)
    (text,) = encoder.encode([SOURCE])
    assert isinstance(text, EncodedText)
    with torch.inference_mode():
        hidden = gpt2(torch.tensor([text.input_ids])).last_hidden_state
        assert torch.equal(encoder.hidden([text])[0], hidden)


def test_a_token_without_a_row_sets_its_text_aside() -> None:
    tokenizer = byte_level()
    model = tiny_llama(tokenizer)
    tokenizer.add_tokens(["Strand"])
    qe = QualityEstimator(CausalBackbone(model, tokenizer), prompt=TextTemplate(prompt="{bos}"))
    results = list(qe.score_many([(None, HYPOTHESIS), (None, "Ein Hund.")], errors="yield"))
    assert isinstance(results[0], TextError)
    assert "'Strand'" in str(results[0])
    assert "resize_token_embeddings" in str(results[0])
    assert not isinstance(results[1], TextError)
    source = QualityEstimator(qe.backbone, prompt=TextTemplate(prompt="{bos}{source}"))
    with pytest.raises(TextError, match="'Strand'"):
        source.generate("Strand")
    encoder, words = tiny_encoder("bert")
    words.add_tokens(["beachball"])
    found = EncoderBackbone(encoder, words).encode(["a beachball", "a dog"])
    assert [isinstance(code, TextError) for code in found] == [True, False]


@pytest.fixture(scope="module")
def pieces() -> Iterator[sentencepiece.SentencePieceProcessor]:
    return learned_pieces()


def spoken(name: str, pieces: Any, folder: Path) -> EncoderDecoderBackbone:
    torch.manual_seed(0)
    model, tokenizer, _ = KINDS[name](pieces, folder)
    return EncoderDecoderBackbone(model.eval(), tokenizer)


CODES = {
    "nllb": ("eng_Latn", "deu_Latn"),
    "m2m100": ("en", "de"),
    "mbart": ("en_XX", "de_DE"),
}


@pytest.mark.parametrize("name", CODES)
def test_a_target_language_is_needed_and_the_source_keeps_its_own(
    name: str, pieces: Any, tmp_path: Path
) -> None:
    backbone = spoken(name, pieces, tmp_path)
    source, target = CODES[name]
    with pytest.raises(PromptError, match="`target_language`"):
        QualityEstimator(backbone)
    only_target = NAMED_PROMPTS["sequence"].bind(target_language=target)
    both = SequenceTemplate(source_language=source, target_language=target)
    swapped = SequenceTemplate(source_language=target, target_language=source)
    pairs = [(SOURCE, HYPOTHESIS)]
    for prompt in (only_target, swapped, both):
        backbone.check_prompt(prompt)
    (other,) = backbone.encode(pairs, swapped)
    # What another prompt set before does not matter
    (found,), (expected,) = backbone.encode(pairs, only_target), backbone.encode(pairs, both)
    assert found == expected != other
    assert isinstance(found, EncodedPair)
    names = backbone.tokenizer.convert_ids_to_tokens(list(found.source_ids))
    assert source in "".join(names)
    assert target not in "".join(names)
    tokenizer = backbone.tokenizer
    tokenizer.src_lang, tokenizer.tgt_lang = source, target
    theirs = tokenizer(SOURCE, text_target=HYPOTHESIS)
    assert list(found.source_ids) == theirs["input_ids"]


def test_the_tokenisers_own_target_language_will_do(pieces: Any, tmp_path: Path) -> None:
    model, tokenizer, _ = KINDS["nllb"](pieces, tmp_path)
    tokenizer.tgt_lang = "deu_Latn"
    qe = QualityEstimator(EncoderDecoderBackbone(model.eval(), tokenizer))
    named = QualityEstimator(qe.backbone, prompt=SequenceTemplate(target_language="deu_Latn"))
    assert qe.score(SOURCE, HYPOTHESIS) == named.score(SOURCE, HYPOTHESIS)
    inputs = qe.backbone.encode_prompt(SOURCE, qe.prompt)
    assert inputs["forced_bos_token_id"] == tokenizer.convert_tokens_to_ids("deu_Latn")
    assert qe.prompt.resolved(tokenizer) == "{source} (eng_Latn -> deu_Latn)"


def test_languages_without_codes_are_refused(pieces: Any, tmp_path: Path) -> None:
    backbone = spoken("t5", pieces, tmp_path)
    with pytest.raises(PromptError, match="has no language codes, got German"):
        backbone.check_prompt(SequenceTemplate(target_language="German"))
    text = SequenceTemplate(source_text="translate to {target_language}: {source}")
    prompt = text.bind(target_language="German")
    backbone.check_prompt(prompt)
    assert prompt.render_source(backbone.tokenizer, "A dog") == "translate to German: A dog"
    with pytest.raises(PromptError, match="has no variable tongue"):
        text.bind(tongue="German")


def test_a_decoder_with_an_output_layer_of_its_own() -> None:
    """Its encoder is of another width, and what it reads is made to fit."""
    sizes = {"vocab_size": 60, "n_embd": 24, "n_layer": 1, "n_head": 2, "n_positions": 64}
    config = transformers.EncoderDecoderConfig.from_encoder_decoder_configs(
        transformers.BertConfig(**BERT | {"max_position_embeddings": 64}),
        transformers.GPT2Config(**sizes, is_decoder=True, add_cross_attention=True),
    )
    config.decoder_start_token_id, config.pad_token_id = 1, 0
    torch.manual_seed(0)
    model = transformers.EncoderDecoderModel(config).eval()
    backbone = EncoderDecoderBackbone(model, no_tokenizer())
    read = [((1, 7, 9, 4), (5, 6, 8)), ((1, 3), (9, 8, 7, 6, 5))]
    pairs = [EncodedPair(ids, 0, (*ids[1:], 2), (), source) for ids, source in read]
    with torch.inference_mode():
        found = backbone.unembedding(backbone.target_hidden(pairs)).log_softmax(-1)
        right = [
            model(input_ids=torch.tensor([source]), decoder_input_ids=torch.tensor([ids])).logits[0]
            for ids, source in read
        ]
    torch.testing.assert_close(found, torch.cat(right).log_softmax(-1), rtol=1e-4, atol=1e-4)
    same = [EncodedPair((1, 9), 0, (9, 2), (), read[0][1]), pairs[0]]
    with torch.inference_mode():
        torch.testing.assert_close(
            backbone.shared_prompt_hidden(same), backbone.target_hidden(same), rtol=1e-4, atol=1e-4
        )


def seamless() -> EncoderDecoderBackbone:
    """A tokeniser that is set to a target language by its class, and its codes are plain tokens."""
    characters = sorted({c for pair in PAIRS for text in pair for c in text if c != " "})
    names = ["<pad>", "<unk>", "<s>", "</s>", "▁", *characters, "__eng__", "__deu__", "__fra__"]
    tokenizer = transformers.SeamlessM4TTokenizer(
        vocab={name: i for i, name in enumerate(names)}, merges=[]
    )
    kind = transformers.SeamlessM4TForTextToText
    sides = ("layers", "attention_heads", "ffn_dim")
    sizes = {f"{side}_{name}": 2 for side in ("encoder", "decoder") for name in sides}
    special = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3, "decoder_start_token_id": 3}
    torch.manual_seed(0)
    config = kind.config_class(vocab_size=len(tokenizer), hidden_size=16, **sizes, **special)
    return EncoderDecoderBackbone(kind(config).eval(), tokenizer)


def test_a_target_language_that_nobody_chose_will_not_do() -> None:
    backbone = seamless()
    with pytest.raises(PromptError, match="`target_language`"):
        QualityEstimator(backbone)
    qe = QualityEstimator(backbone, prompt=SequenceTemplate(target_language="deu"))
    code = backbone.tokenizer.convert_tokens_to_ids("__deu__")
    scored = qe.score(SOURCE, HYPOTHESIS, signals=("logprob",))
    tokens = scored.tokens + scored.special_tokens
    # The code is given, and generation is given the same
    assert code not in [token.token_id for token in tokens]
    start, end = backbone.tokenizer.eos_token_id, backbone.tokenizer.eos_token_id
    inputs = backbone.encode_prompt(SOURCE, qe.prompt)
    assert (inputs["decoder_start_token_id"], inputs["forced_bos_token_id"]) == (start, code)
    own = [token.token_id for token in scored.tokens]
    with torch.inference_mode():
        logits = backbone.model(
            input_ids=inputs["input_ids"], decoder_input_ids=torch.tensor([[start, code, *own]])
        ).logits[0]
    right = logits.log_softmax(-1)[range(1, len(own) + 2), [*own, end]]
    assert [token.logprob for token in tokens] == pytest.approx(right.tolist(), abs=1e-4)


def test_a_model_of_sounds_takes_no_pairs_of_texts() -> None:
    backbone = EncoderDecoderBackbone(random_model("whisper").eval(), byte_level())
    with pytest.raises(UnsupportedModelError, match="reads input_features, not a source text"):
        QualityEstimator(backbone)
