"""Tiny encoder-decoder models with tokenisers of their families, built on pieces learned here."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import sentencepiece
from tiny_models import corpus
from transformers import (
    M2M100Config,
    M2M100ForConditionalGeneration,
    M2M100Tokenizer,
    MarianConfig,
    MarianMTModel,
    MarianTokenizer,
    MBartConfig,
    MBartForConditionalGeneration,
    MBartTokenizer,
    NllbTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    T5Config,
    T5ForConditionalGeneration,
    T5Tokenizer,
)
from transformers.models.m2m_100.tokenization_m2m_100 import FAIRSEQ_LANGUAGE_CODES

from headwise.backbones import SequenceTemplate

SIZES = {
    "d_model": 48,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "max_position_embeddings": 64,
    "dropout": 0.0,
    "attention_dropout": 0.0,
    "activation_dropout": 0.0,
}
Parts = tuple[PreTrainedModel, PreTrainedTokenizerBase, SequenceTemplate]


def learned_pieces() -> sentencepiece.SentencePieceProcessor:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus() * 20),
        model_writer=model,
        vocab_size=130,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def marian(pieces: sentencepiece.SentencePieceProcessor, folder: Path) -> Parts:
    """A slow tokeniser, which reports no offsets."""
    for name in ("source.spm", "target.spm"):
        (folder / name).write_bytes(pieces.serialized_model_proto())
    names = ["</s>", "<unk>"]
    names += [pieces.id_to_piece(i) for i in range(len(pieces)) if not pieces.is_control(i)]
    vocabulary = {name: i for i, name in enumerate(dict.fromkeys([*names, "<pad>"]))}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    tokenizer = MarianTokenizer(
        source_spm=str(folder / "source.spm"),
        target_spm=str(folder / "target.spm"),
        vocab=str(folder / "vocab.json"),
    )
    pad = vocabulary["<pad>"]
    config = MarianConfig(
        **SIZES,
        vocab_size=len(vocabulary),
        pad_token_id=pad,
        eos_token_id=0,
        bos_token_id=0,
        decoder_start_token_id=pad,
        forced_eos_token_id=None,
    )
    return MarianMTModel(config), tokenizer, SequenceTemplate()


def scored_pieces(pieces: sentencepiece.SentencePieceProcessor) -> list[tuple[str, float]]:
    return [(pieces.id_to_piece(i), pieces.get_score(i)) for i in range(3, len(pieces))]


def t5(pieces: sentencepiece.SentencePieceProcessor, _: Path) -> Parts:
    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    tokenizer = T5Tokenizer(vocab=[*special, *scored_pieces(pieces)], extra_ids=0)
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=48,
        d_kv=12,
        d_ff=64,
        num_layers=1,
        num_heads=4,
        dropout_rate=0.0,
        decoder_start_token_id=0,
    )
    prompt = SequenceTemplate(source_text="translate English to German: {source}")
    return T5ForConditionalGeneration(config), tokenizer, prompt


def nllb(_: sentencepiece.SentencePieceProcessor, __: Path) -> Parts:
    """The language code is the first token that the decoder writes."""
    names = ["<s>", "<pad>", "</s>", "<unk>", "▁"]
    characters = sorted({c for text in corpus() for c in text if c != " "})
    vocabulary = {name: i for i, name in enumerate([*names, *characters])}
    tokenizer = NllbTokenizer(
        vocab=vocabulary, merges=[], extra_special_tokens=["eng_Latn", "deu_Latn"]
    )
    config = M2M100Config(
        **SIZES,
        vocab_size=len(tokenizer),
        pad_token_id=1,
        eos_token_id=2,
        bos_token_id=0,
        decoder_start_token_id=2,
        decoder_layerdrop=0.0,
        encoder_layerdrop=0.0,
    )
    prompt = SequenceTemplate(source_language="eng_Latn", target_language="deu_Latn")
    return M2M100ForConditionalGeneration(config), tokenizer, prompt


def mbart(pieces: sentencepiece.SentencePieceProcessor, _: Path) -> Parts:
    """The language code is what the decoder starts from; the tokeniser puts it at the end."""
    special = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    tokenizer = MBartTokenizer(vocab=[*special, *scored_pieces(pieces)])
    config = MBartConfig(
        **SIZES,
        vocab_size=len(tokenizer),
        pad_token_id=1,
        eos_token_id=2,
        bos_token_id=0,
        forced_eos_token_id=None,
    )
    prompt = SequenceTemplate(source_language="en_XX", target_language="de_DE")
    return MBartForConditionalGeneration(config), tokenizer, prompt


def m2m100(pieces: sentencepiece.SentencePieceProcessor, folder: Path) -> Parts:
    """A slow tokeniser whose language codes are not the names of their tokens."""
    (folder / "pieces.spm").write_bytes(pieces.serialized_model_proto())
    names = ["<s>", "<pad>", "</s>", "<unk>", *(piece for piece, _ in scored_pieces(pieces))]
    (folder / "vocab.json").write_text(json.dumps({name: i for i, name in enumerate(names)}))
    tokenizer = M2M100Tokenizer(
        str(folder / "vocab.json"),
        str(folder / "pieces.spm"),
        # As in the released configuration
        additional_special_tokens=[f"__{code}__" for code in FAIRSEQ_LANGUAGE_CODES["m2m100"]],
    )
    model, _, _ = nllb(pieces, folder)
    config = M2M100Config(**{**model.config.to_dict(), "vocab_size": len(names) + 110})
    prompt = SequenceTemplate(source_language="en", target_language="de")
    return M2M100ForConditionalGeneration(config), tokenizer, prompt


KINDS: dict[str, Callable[[sentencepiece.SentencePieceProcessor, Path], Parts]] = {
    "marian": marian,
    "t5": t5,
    "nllb": nllb,
    "m2m100": m2m100,
    "mbart": mbart,
}
