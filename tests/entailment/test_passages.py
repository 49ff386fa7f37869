"""Passages: they fit, they cover the text, and their offsets are right."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_encoders import tiny_encoder

from headwise.backbones import EncoderBackbone
from headwise.entailment.passages import Passage, passages, sentences
from headwise.errors import ContextLengthError

BACKBONES = {name: EncoderBackbone(*tiny_encoder(name)) for name in ("bert", "roberta")}
PIECES = [
    "A dog runs. ",
    "Mr. Lee left! ",
    "Why?\n\n",
    "word ",
    "e.g. ",
    "x" * 30,
    "会议七点开始。",
    "é",
    "😀",
    "\u2028",
    "\x85",
    "\u00a0",
    "\u200b",
    "\t",
    ".",
    '"Yes." ',
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


def tokens(backbone: EncoderBackbone, text: str) -> int:
    return len(backbone.tokenizer(text, add_special_tokens=False)["input_ids"])


def uncovered(text: str, found: list[Passage]) -> str:
    covered = {i for passage in found for i in range(passage.start, passage.end)}
    return "".join(c for i, c in enumerate(text) if i not in covered and not c.isspace())


def test_sentences() -> None:
    text = "  Dr. Lee saw 3.5 cats. \n\n They slept! \u2028 Why?  "
    assert [piece.of(text) for piece in sentences(text, language="en")] == [
        "Dr. Lee saw 3.5 cats.",
        "They slept!",
        "Why?",
    ]
    assert sentences(" \n \u2028", language="en") == []
    assert sentences("", language="en") == []


@given(text=TEXTS, language=st.sampled_from(["en", "de", "zh", "nowhere"]))
def test_sentences_cover_the_text(text: str, language: str) -> None:
    found = sentences(text, language=language)
    assert uncovered(text, found) == ""
    for a, b in pairwise(found):
        assert a.end <= b.start
    assert all(piece.of(text) == piece.of(text).strip() != "" for piece in found)


@pytest.mark.parametrize("name", BACKBONES)
@given(text=TEXTS, room=st.integers(4, 40), window=st.integers(1, 4))
def test_passages_fit_and_cover_the_text(name: str, text: str, room: int, window: int) -> None:
    backbone = BACKBONES[name]
    found = passages(text, backbone=backbone, language="en", window=window, room=room)
    assert all(1 <= tokens(backbone, passage.of(text)) <= room for passage in found)
    left = uncovered(text, found)
    # Characters that the tokeniser drops may be left out
    assert not left or tokens(backbone, left) == 0
    ends = [(passage.start, passage.end) for passage in found]
    assert ends == sorted(set(ends))


def test_windows_of_sentences() -> None:
    text = "A dog runs. A cat sat. Two men drink. It is lovely."
    both = [
        [
            p.of(text)
            for p in passages(text, backbone=BACKBONES["bert"], language="en", window=w, room=None)
        ]
        for w in (2, 9)
    ]
    assert both == [
        ["A dog runs. A cat sat.", "A cat sat. Two men drink.", "Two men drink. It is lovely."],
        [text],
    ]


def test_a_long_sentence_is_cut_at_spaces_with_an_overlap() -> None:
    text = "First. " + "the dog runs on the beach " * 20 + "."
    found = passages(text, backbone=BACKBONES["bert"], language="en", window=1, room=20)
    long = found[1:]
    assert len(long) > 3
    for a, b in pairwise(long):
        assert a.start < b.start < a.end < b.end
        assert text[b.start - 1] == " "
        assert text[a.end] == " "


def test_no_room() -> None:
    for room in (0, -3):
        with pytest.raises(ContextLengthError, match="shorten the claim"):
            passages("A dog.", backbone=BACKBONES["bert"], language="en", window=1, room=room)
    with pytest.raises(ContextLengthError, match="alone takes 3 tokens, and 2 fit"):
        passages("😀" * 9, backbone=BACKBONES["roberta"], language="en", window=1, room=2)
