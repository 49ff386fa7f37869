"""Train the byte-level BPE of the tiny English-German model."""

import argparse
from itertools import chain
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from corpus import read_pairs

SPECIAL_TOKENS = ("<pad>", "<s>", "</s>", "<|target|>")


def train_tokenizer(texts: list[str], *, vocabulary_size: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE without a normaliser, so that character offsets point into the raw text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    # Texts start with a space, as they do in the prompt: a first word and an inner one share tokens
    tokenizer.train_from_iterator((" " + text for text in texts), trainer)
    pad, bos, eos, target = SPECIAL_TOKENS
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=pad,
        bos_token=bos,
        eos_token=eos,
        additional_special_tokens=[target],
        model_max_length=512,
        padding_side="left",
    )


def main() -> None:
    """Train on every TSV given and save in the Transformers layout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, nargs="+", required=True, help="TSV files")
    parser.add_argument("--vocabulary-size", type=int, default=8000)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    texts = list(chain.from_iterable(read_pairs(arguments.train)))
    train_tokenizer(texts, vocabulary_size=arguments.vocabulary_size).save_pretrained(
        arguments.output
    )


if __name__ == "__main__":
    main()
