from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwise.data.records.words import placeholder_ranges, word_ranges


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ein Hund läuft.", ["Ein", "Hund", "läuft", "."]),
        ("  Ja,\t\nnein!  ", ["Ja", ",", "nein", "!"]),
        (
            "can't e-mail U.S.A. 3,14 10:30",
            ["can't", "e", "-", "mail", "U.S.A", ".", "3,14", "10", ":", "30"],
        ),
        ("scho\u0308n naïve", ["scho\u0308n", "naïve"]),
        # Han and Hiragana by character, Katakana and Hangul by run
        ("会议七点", ["会", "议", "七", "点"]),
        ("茶をコーヒーに", ["茶", "を", "コーヒー", "に"]),
        ("저는 학생입니다.", ["저는", "학생입니다", "."]),
        ("很good吗。", ["很", "good", "吗", "。"]),
        # Thai by character, with its marks
        ("ผมดี", ["ผ", "ม", "ดี"]),
        # Right to left: the order of the text, not that of the screen
        ("مرحبا، كيف حالك؟", ["مرحبا", "،", "كيف", "حالك", "؟"]),
        ("שלום צה״ל", ["שלום", "צה״ל"]),
        ("नमस्ते दुनिया।", ["नमस्ते", "दुनिया", "।"]),
        # One emoji, however many code points it takes
        ("Abend 👩‍🚀!", ["Abend", "👩‍🚀", "!"]),
        ("👍🏽🇩🇪", ["👍🏽", "🇩🇪"]),
        ("", []),
        (" \n", []),
        ("a", ["a"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert [text[a:b] for a, b in word_ranges(text)] == words


@given(st.text(max_size=60))
def test_words_and_spaces_are_the_text(text: str) -> None:
    ranges = word_ranges(text)
    covered = "".join(text[a:b] for a, b in ranges)
    rest = list(text)
    for start, end in placeholder_ranges(text):
        rest[start:end] = " " * (end - start)
    assert "".join(covered.split()) == "".join("".join(rest).split())
    assert all(a < b for a, b in ranges)
    assert all(b <= c for (_, b), (c, _) in pairwise(ranges))
