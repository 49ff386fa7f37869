import pytest

from headwise.corruption.changes import Change, apply_changes
from headwise.corruption.text_words import TextWords


def marked(words: TextWords, change: Change) -> str:
    """The changed text with its error in brackets."""
    text, ((start, end),) = apply_changes(words.text, [change])
    return f"{text[:start]}[{text[start:end]}]{text[end:]}"


@pytest.mark.parametrize(
    ("text", "index", "expected"),
    [
        ("Der alte  Hund bellt.", 1, "Der [Hund] bellt."),
        ("Der alte Hund bellt.", 0, "[Alte] Hund bellt."),
        ("Er weiß es nicht.", 3, "Er weiß es[.]"),
        ("«Der alte Hund»", 1, "«[Alte] Hund»"),
        ("der alte Hund", 0, "[alte] Hund"),
        ("会议七点", 1, "会[七]点"),
    ],
)
def test_without(text: str, index: int, expected: str) -> None:
    words = TextWords(text)
    assert marked(words, words.without(index, gap=False)) == expected


def test_other_changes_keep_the_rest() -> None:
    words = TextWords("Ja. Der  alte Hund, er bellt!")
    assert marked(words, words.with_other(4, "Igel")) == "Ja. Der  alte [Igel], er bellt!"
    assert marked(words, words.with_other(2, "die")) == "Ja. [Die]  alte Hund, er bellt!"
    assert (
        marked(words, words.with_word_after(4, "nicht")) == "Ja. Der  alte Hund [nicht], er bellt!"
    )
    assert marked(words, words.swapped(2)) == "Ja. [alte  Der] Hund, er bellt!"


def test_where_sentences_begin() -> None:
    words = TextWords('"Ja, der da!" Er geht.')
    opening = [words[i] for i in range(len(words)) if words.is_word(i) and words.opens_sentence(i)]
    assert opening == ["Ja", "Er"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ein Hund, der bellt", ["Ein", "der"]),
        # Neither moves without the hyphen, nor can "die" come between "T" and "Shirts"
        ("Er trägt die T-Shirts heute gern", ["Er", "trägt", "heute"]),
        ("um 6.30 Uhr", ["um", "6.30"]),
        ("会议。七点", ["会", "七"]),
        ("", []),
    ],
)
def test_neighbours(text: str, expected: list[str]) -> None:
    words = TextWords(text)
    assert [words[i] for i in range(len(words)) if words.has_neighbour(i)] == expected


def test_words_letters_and_marks() -> None:
    words = TextWords("Am 24. 3D!")
    kinds = [(words[i], words.is_word(i), words.has_letter(i)) for i in range(len(words))]
    assert kinds == [
        ("Am", True, True),
        ("24", True, False),
        (".", False, False),
        ("3D", True, True),
        ("!", False, False),
    ]
