from collections.abc import Callable

import pytest
from tiny_models import TOKENIZERS
from transformers import PreTrainedTokenizerFast

from headwise.corruption.unlikely_words import TokenTexts, is_one_word

TokenizerOf = Callable[[str], PreTrainedTokenizerFast]
EACH_TOKENIZER = pytest.mark.parametrize("name", TOKENIZERS)


@EACH_TOKENIZER
@pytest.mark.parametrize("text", ["Ein Hund läuft am Strand.", "Zwei Männer, grünen Tee"])
def test_tokens_after_others_write_their_spaces(
    name: str, text: str, tokenizer_of: TokenizerOf
) -> None:
    tokenizer = tokenizer_of(name)
    ids = tokenizer("a " + text, add_special_tokens=False)["input_ids"]
    texts = TokenTexts(tokenizer)
    before = tokenizer("a", add_special_tokens=False)["input_ids"]
    assert ids[: len(before)] == before
    rest = ids[len(before) :]
    assert texts.of(rest) == " " + text
    assert texts.begins_with_space(rest[0])
    assert not texts.begins_with_space(rest[-1])


def test_words_begin_and_end(tokenizer_of: TokenizerOf) -> None:
    tokenizer = tokenizer_of("byte-level")
    texts = TokenTexts(tokenizer)

    def ids(text: str) -> list[int]:
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    dog, unseen = ids(" Hund"), ids("é")
    (stop,) = ids(".")
    assert texts.begins_word(dog[0], spaced=True)
    assert not texts.begins_word(dog[0], spaced=False)
    assert not texts.begins_word(stop, spaced=False)
    assert texts.ends_word(dog, stop)
    assert texts.ends_word(dog, ids(" am")[0])
    assert not texts.ends_word(dog, ids("e")[0])
    # One byte of a letter does not tell yet whether the word goes on
    assert len(unseen) == 2
    assert not texts.ends_word(dog, unseen[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hund", True),
        (" Hund", True),
        ("Hund ", False),
        ("Hund.", False),
        ("ein Hund", False),
        ("3D", True),
        ("24", False),
        (" ", False),
        ("", False),
        ("\ufffd", False),
        ("Hu\ufffd", False),
    ],
)
def test_one_word(text: str, expected: bool) -> None:
    assert is_one_word(text) is expected
