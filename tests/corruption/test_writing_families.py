"""Errors of writing: each family makes what it says, and marks exactly that."""

import pytest

from headwise.corruption import CorruptionMix, ErrorFamily, corrupt
from headwise.data.records.pairs import Pair

CORPUS = ["Da steht der alte Baum, und sie schlafen.", "Ja, der Mann kommt heute!", "Du, Sie da?"]


def many(text: str, family: ErrorFamily, source: str | None = None, copies: int = 300) -> set[str]:
    """Copies of a text with their marks in brackets."""
    mix = CorruptionMix(proportions={family: 1.0})
    found = set()
    for one in corrupt([Pair(source, text)], mix=mix, seed=0, copies=copies, corpus=CORPUS):
        assert one.original == text
        shown = one.pair.hypothesis
        for error in reversed(one.pair.errors or ()):
            marked = shown[error.start : error.end]
            shown = f"{shown[: error.start]}[{marked}]{shown[error.end :]}"
        found.add(shown)
    return found


def test_marks_are_others_doubled_gone_or_moved() -> None:
    made = many("Oh, der Mann kommt.", ErrorFamily.PUNCTUATION, source="Oh, he comes.")
    assert {
        *("Oh[?] der Mann kommt.", "Oh, der Mann kommt[,]"),
        *("Oh,[,] der Mann kommt.", "Oh, der Mann kommt.[.]"),
        *("Oh[] der Mann kommt.", "Oh, der Mann kommt[]"),
        *("Oh[] der[,] Mann kommt.", "Oh, der[.] Mann kommt[]"),
        "Oh, der Mann[;] kommt.",
    } <= made
    # Between these, writers choose
    assert not {"Oh, der Mann kommt[!]", "Oh[;] der Mann kommt."} & made


def test_a_final_mark_is_missed_only_where_the_source_has_one() -> None:
    for source in (None, "he comes", ""):
        assert "Er kommt[]" not in many("Er kommt.", ErrorFamily.PUNCTUATION, source=source)
    assert "Er kommt[]" in many("Er kommt.", ErrorFamily.PUNCTUATION, source="He comes?")


def test_numbers_abbreviations_and_dots_have_no_mark_of_their_own() -> None:
    made = many("Um 10:30 z.B. 3.5 ...", ErrorFamily.PUNCTUATION)
    kept = [one.replace("[", "").replace("]", "") for one in made]
    assert all("10:30" in one and "3.5" in one and "..." in one for one in kept)


def test_capitals_that_the_corpus_knows_are_right() -> None:
    made = many("Der Mann sah sie da.", ErrorFamily.CAPITAL)
    # The corpus has *Sie* inside a sentence
    assert {one for one in made if "[" in one and not one.split("[")[1][:2].isupper()} == {
        *("[der] Mann sah sie da.", "Der [mann] sah sie da."),
        *("Der Mann [Sah] sie da.", "Der Mann sah sie [Da]."),
    }
    assert "Der Mann [SAH] sie da." in made
    assert many("U-Bahn 12 iPhone", ErrorFamily.CAPITAL) == set()


def test_spaces_are_gone_or_too_many() -> None:
    made = many("Er sieht nun, was ist.", ErrorFamily.SPACING)
    assert {
        *("[Ersieht] nun, was ist.", "Er [siehtnun], was ist.", "Er sieht nun, [wasist]."),
        *("Er [si eht] nun, was ist.", "Er [sie ht] nun, was ist."),
        *("Er sieht nun [,] was ist.", "Er sieht nun, was ist [.]"),
    } == made


def test_two_words_that_are_one_in_the_corpus_do_not_run_together() -> None:
    mix = CorruptionMix(proportions={ErrorFamily.SPACING: 1.0})
    pair = Pair(None, "so bald")
    made = corrupt([pair], mix=mix, seed=0, copies=60, corpus=["Er kommt sobald er kann."])
    assert not [one for one in made if one.pair.hypothesis == "sobald"]


def test_parts_of_words() -> None:
    made = many("Er schlief.", ErrorFamily.WORD_PART)
    assert {"Er [schl].", "Er [ief].", "Er [schlilief].", "Er [schef]."} <= made
    assert all(one.startswith("Er [") and one.endswith("].") for one in made)
    # The corpus has *schlafen*, which is a word and no part of one
    assert not any("[schlafen]" in one for one in many("Wir schlafenden.", ErrorFamily.WORD_PART))
    assert many("Er war da.", ErrorFamily.WORD_PART) == set()


def test_words_bring_their_punctuation() -> None:
    made = many("Er sah, den Hund.", ErrorFamily.CHUNK)
    assert {
        *("Er [heute!] den Hund.", "Er sah, [Baum,] Hund.", "Er sah, den [heute!]"),
        *("Er [den sah,] Hund.", "Er sah, [Hund. den]", "Er sah, [Baum,] den Hund."),
    } <= made
    # Without a mark on either side it is another family's error
    assert not {"[sah, Er] den Hund.", "[Mann] sah, den Hund."} - made - {"[Mann] sah, den Hund."}
    assert "[Mann] sah, den Hund." not in made


@pytest.mark.parametrize("text", ["", " ", "Ja", "?!", "...", "我喝茶。", "a\tb\nc", "é\u0301 ,,"])
@pytest.mark.parametrize(
    "family",
    [
        *(ErrorFamily.PUNCTUATION, ErrorFamily.CAPITAL, ErrorFamily.SPACING),
        *(ErrorFamily.WORD_PART, ErrorFamily.CHUNK),
    ],
)
def test_texts_that_allow_little(family: ErrorFamily, text: str) -> None:
    many(text, family, source="Yes.", copies=10)
