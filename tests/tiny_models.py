"""Tiny tokenisers and models, built in a moment and the same every time; no files, no network."""

import json
from typing import Any

import torch
from tokenizers import (
    AddedToken,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)
from torch.nn import functional as F
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)

PAIRS = (
    ("A dog runs on the beach.", "Ein Hund läuft am Strand."),
    ("A woman reads a book in the park.", "Eine Frau liest ein Buch im Park."),
    ("The children play football.", "Die Kinder spielen Fußball."),
    ("It is a lovely evening 👩‍🚀!", "Es ist ein schöner Abend 👩‍🚀!"),
    ("Two men drink green tea.", "Zwei Männer trinken grünen Tee."),
    ("The cat sat on the mat.", "Die Katze saß auf der Matte."),
)
# What no tokeniser here has seen: it falls back to bytes, or to the unknown token
UNSEEN = ("会议七点开始。", "Ça où? naïve", "مرحبا بالعالم", "🧑‍🔬 🎉🎉", "a\tb\nc", "x" * 40)

SPECIAL = ("<unk>", "<s>", "</s>", "<|target|>", "<|im_start|>", "<|im_end|>")

CHATML = (
    "{% for message in messages %}"
    "<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def corpus() -> list[str]:
    instruction = "Translate the following text from English into German"
    return [text for pair in PAIRS for text in pair] + [instruction, "user assistant German:"]


def wrapped(tokenizer: Tokenizer, **options: Any) -> PreTrainedTokenizerFast:
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in SPECIAL])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        chat_template=CHATML,
        clean_up_tokenization_spaces=False,
        **options,
    )


def byte_level(vocabulary_size: int = 420) -> PreTrainedTokenizerFast:
    """As GPT-2, Llama 3 and Qwen have it: characters are split into bytes."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=list(SPECIAL),
        initial_alphabet=sorted(alphabet),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    return wrapped(tokenizer)


def llama2_style(*, layout: str, vocabulary_size: int = 440) -> PreTrainedTokenizerFast:
    """SentencePiece BPE with byte fallback, as Llama 2 and Tower have it.

    Args:
        layout: How spaces become marks: ``normaliser`` (Prepend and Replace, before every piece
            of text) or ``metaspace`` (a pre-tokeniser, before the first word only).
        vocabulary_size: Size before the control tokens are added.
    """
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.Metaspace()
    bytes_ = [f"<0x{value:02X}>" for value in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=["<unk>", "<s>", "</s>", *bytes_],
        show_progress=False,
        # Characters that stay out of the vocabulary are written as bytes
        limit_alphabet=50,
    )
    learner.train_from_iterator(corpus(), trainer)
    learned = json.loads(learner.to_str())["model"]
    tokenizer = Tokenizer(
        models.BPE(
            vocab=learned["vocab"],
            merges=[tuple(merge) for merge in learned["merges"]],
            unk_token="<unk>",
            fuse_unk=True,
            byte_fallback=True,
        )
    )
    if layout == "normaliser":
        tokenizer.normalizer = normalizers.Sequence(
            [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
        )
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    return wrapped(tokenizer)


def unigram(vocabulary_size: int = 400) -> PreTrainedTokenizerFast:
    """SentencePiece Unigram with byte fallback and NFKC, as XGLM and Gemma's kin have it."""
    learner = Tokenizer(models.Unigram())
    learner.normalizer = normalizers.NFKC()
    learner.pre_tokenizer = pre_tokenizers.Metaspace()
    bytes_ = [f"<0x{value:02X}>" for value in range(256)]
    trainer = trainers.UnigramTrainer(
        vocab_size=vocabulary_size,
        special_tokens=["<unk>", "<s>", "</s>", *bytes_],
        unk_token="<unk>",
        show_progress=False,
    )
    learner.train_from_iterator(corpus(), trainer)
    learned = json.loads(learner.to_str())["model"]
    pieces = [tuple(piece) for piece in learned["vocab"]]
    pieces.append(("\n", -5.0))
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0, byte_fallback=True))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.ByteFallback(),
            decoders.Metaspace(prepend_scheme="first"),
        ]
    )
    return wrapped(tokenizer)


TOKENIZERS = {
    "byte-level": byte_level,
    "llama2-normaliser": lambda: llama2_style(layout="normaliser"),
    "llama2-metaspace": lambda: llama2_style(layout="metaspace"),
    "unigram": unigram,
}


def tiny_llama(tokenizer: PreTrainedTokenizerBase, **changes: Any) -> LlamaForCausalLM:
    """A random Llama whose vocabulary is that of the tokeniser."""
    torch.manual_seed(0)
    options = {
        "hidden_size": 48,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
    }
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        **(options | changes),
    )
    return LlamaForCausalLM(config).eval()


def memorise(model: PreTrainedModel, batches: list[dict[str, torch.Tensor]]) -> None:
    """Train until every token is its place's clear favourite, so that generation repeats them.

    Text that a random model writes is tokenised differently when it is read again; a memorised
    sentence is not.
    """
    model.requires_grad_(True).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(400):
        worst = 0.0
        for batch in batches:
            logits = model(**{k: v for k, v in batch.items() if k != "labels"}).logits
            labels = batch["labels"]
            if not model.config.is_encoder_decoder:
                logits, labels = logits[:, :-1], labels[:, 1:]
            losses = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
            optimizer.zero_grad()
            losses.sum().div(labels.ne(-100).sum()).backward()
            optimizer.step()
            worst = max(worst, losses.max().item())
        if worst < 0.2:
            break
    else:
        raise AssertionError(f"The tiny model did not learn its sentences: {worst:.3f}")
    model.requires_grad_(False).eval()


def stacked(rows: list[list[int]], filling: int) -> torch.Tensor:
    width = max(map(len, rows))
    return torch.stack(
        [F.pad(torch.tensor(row), (0, width - len(row)), value=filling) for row in rows]
    )
