"""Each family makes what it says, and marks what it made."""

import pytest

from headwise.bundled.examples import example_pairs
from headwise.corruption import Corruption, CorruptionMix, ErrorFamily, corrupt
from headwise.corruption.languages import LANGUAGES
from headwise.corruption.languages.lists import EndingRule
from headwise.corruption.text_words import TextWords
from headwise.data.records.pairs import Pair
from headwise.data.records.words import word_ranges

GERMAN = Pair(
    "Yesterday Tom gave her 12 small dogs and two cats, because he does not know Mary.",
    "Gestern gab Tom ihr 12 kleine Hunde und zwei Katzen, weil er Mary nicht kennt.",
)
ENGLISH = Pair(GERMAN.hypothesis, GERMAN.source or "")
PAIRS = [GERMAN, *example_pairs()]
CORPUS = [
    *(pair.hypothesis for pair in PAIRS),
    "Oft sieht man in der kleinen Stadt einen kleiner Hund, der die anderen kennen will.",
]
GAPS = {ErrorFamily.DELETION, ErrorFamily.TRUNCATION}
MAY_LEAVE_GAPS = {ErrorFamily.NEGATION, ErrorFamily.PUNCTUATION}
WITHOUT_MODEL = [family for family in ErrorFamily if family is not ErrorFamily.PLAUSIBLE]


def only(family: ErrorFamily, language: str | None = "de") -> CorruptionMix:
    return CorruptionMix(proportions={family: 1}, language=language)


def many(pair: Pair, family: ErrorFamily, language: str = "de", copies: int = 80) -> set[str]:
    """Copies of a text with their marks in brackets; other pairs give names."""
    corpus = CORPUS if language == "de" else [p.source or "" for p in PAIRS] + ["The dog runs."]
    names = [Pair("see Tom and Mary", "sieh Tom und Mary"), Pair("in Boston", "in Boston")]
    made = corrupt([pair, *names], mix=only(family, language), seed=0, copies=copies, corpus=corpus)
    return {bracketed(one) for one in made if one.original == pair.hypothesis}


def bracketed(one: Corruption) -> str:
    text = one.pair.hypothesis
    for error in reversed(one.pair.errors or ()):
        marked = text[error.start : error.end]
        text = f"{text[: error.start]}[{marked}]{text[error.end :]}"
    return text


def words(text: str) -> list[str]:
    return [text[start:end] for start, end in word_ranges(text)]


@pytest.mark.parametrize("family", WITHOUT_MODEL)
def test_all_that_differs_is_marked(family: ErrorFamily) -> None:
    made = corrupt(PAIRS, mix=only(family), seed=2, copies=4, corpus=CORPUS)
    assert made
    for one in made:
        text, errors = one.pair.hypothesis, one.pair.errors
        assert errors
        assert one.family == family
        assert text != one.original
        assert one.pair.tags is None
        assert "  " not in text
        assert all(error.category == family for error in errors)
        assert all(0 <= error.start <= error.end <= len(text) for error in errors)
        gaps = [error.start for error in errors if error.start == error.end]
        assert family in MAY_LEAVE_GAPS or bool(gaps) == (family in GAPS)
        rest = text
        for error in reversed(errors):
            rest = f"{rest[: error.start]} {rest[error.end :]}"
        # What is not marked stood there before, in this order
        original = iter(words(one.original.casefold()))
        assert all(word in original for word in words(rest.casefold())), bracketed(one)


def test_deletions_take_up_to_three_words_and_leave_a_gap() -> None:
    made = many(Pair(None, "Er sah den alten Hund nicht."), ErrorFamily.DELETION)
    assert made == {
        *("[]Sah den alten Hund nicht.", "[]Den alten Hund nicht.", "[]Alten Hund nicht."),
        *("Er []den alten Hund nicht.", "Er []alten Hund nicht.", "Er []Hund nicht."),
        *("Er sah []alten Hund nicht.", "Er sah []Hund nicht.", "Er sah []nicht."),
        *("Er sah den []Hund nicht.", "Er sah den []nicht.", "Er sah den alten []nicht."),
    }


def test_repetitions_mark_the_second_time() -> None:
    made = many(Pair(None, "Er sah, den Hund."), ErrorFamily.REPETITION)
    assert made == {
        *("Er [Er] sah, den Hund.", "Er sah [sah], den Hund.", "Er sah [Er sah], den Hund."),
        *("Er sah, den [den] Hund.", "Er sah, den Hund [Hund]."),
        "Er sah, den Hund [den Hund].",
    }
    assert "我喝[我喝]茶。" in many(Pair(None, "我喝茶。"), ErrorFamily.REPETITION)


def test_swaps_mark_both_words() -> None:
    made = many(Pair(None, "Da sah Otto den Hund."), ErrorFamily.SWAP)
    assert made == {
        *("Da [Otto sah] den Hund.", "Da sah [den Otto] Hund.", "Da sah Otto [Hund den]."),
        *("Da [den] Otto [sah] Hund.", "Da sah [Hund] den [Otto]."),
    }


def test_truncation_marks_where_the_end_was() -> None:
    text = "Er sah den Hund."
    made = many(Pair("He saw the dog.", text), ErrorFamily.TRUNCATION)
    assert made == {f"Er{rest}[]{mark}" for rest in (" sah", " sah den") for mark in ("", ".")}
    # Without a source, a sentence that ends in a mark may be whole
    assert not any(one.endswith(".") for one in many(Pair(None, text), ErrorFamily.TRUNCATION))


def test_numbers() -> None:
    made = many(GERMAN, ErrorFamily.NUMBER, copies=200)
    drawn = {one[one.index("[") + 1 : one.index("]")] for one in made}
    assert {"drei", "zwölf"} <= drawn
    assert {len(one) for one in drawn if one.isdigit()} == {2}
    assert not {"zwei", "12"} & drawn
    assert "[Drei] Hunde." in many(Pair("Two dogs.", "Zwei Hunde."), ErrorFamily.NUMBER)


@pytest.mark.parametrize("number", ["3.5", "1,000", "20th", "1990s", "12"])
def test_numbers_beside_marks_and_letters(number: str) -> None:
    made = many(Pair("?", f"Es war {number} Uhr."), ErrorFamily.NUMBER)
    assert len(made) > 8
    for one in made:
        before, rest = one.split("[")
        new, behind = rest.split("]")
        assert new.isdigit()
        restored = f"{before}{number[len(before) - len('Es war ') :][: len(new)]}{behind}"
        assert restored == f"Es war {number} Uhr."


def test_digits_and_number_words_are_drawn_alike() -> None:
    pair = Pair("?", "Die zwei Hunde fressen 3.5 Kilo.")
    made = corrupt([pair], mix=only(ErrorFamily.NUMBER), seed=0, copies=600)
    in_words = sum("zwei" not in one.pair.hypothesis for one in made)
    assert 145 < in_words < 255  # one number of three, give or take five standard deviations


def test_a_seed_draws_the_same_numbers_as_ever() -> None:
    texts = ["Er kam am 24. Mai um 10:30.", "Die zwei Hunde fraßen 12 Knochen."]
    made = corrupt([Pair("?", t) for t in texts], mix=only(ErrorFamily.NUMBER), seed=3, copies=3)
    assert [bracketed(one) for one in made] == [
        "Er kam am 24. Mai um [94]:30.",
        "Er kam am 24. Mai um 10:[33].",
        "Er kam am 24. Mai um 10:[11].",
        "Die zwei Hunde fraßen [14] Knochen.",
        "Die [elf] Hunde fraßen 12 Knochen.",
        "Die zwei Hunde fraßen [24] Knochen.",
    ]


def test_names_become_others_of_the_corpus() -> None:
    made = many(GERMAN, ErrorFamily.NAME)
    assert made == {
        "Gestern gab [Boston] ihr 12 kleine Hunde und zwei Katzen, weil er Mary nicht kennt.",
        "Gestern gab Tom ihr 12 kleine Hunde und zwei Katzen, weil er [Boston] nicht kennt.",
    }


def test_untranslated_words_come_from_the_source() -> None:
    made = many(GERMAN, ErrorFamily.UNTRANSLATED)
    assert any("[small dogs]" in one for one in made)
    for one in made:
        left = one[one.index("[") + 1 : one.index("]")]
        assert left in (GERMAN.source or "")
        # A capital letter at the beginning alone
        assert left.startswith("Yesterday") == one.startswith("[")


def test_german_pronouns_and_endings() -> None:
    made = many(Pair("I see him.", "Ich sehe ihn."), ErrorFamily.PRONOUN)
    assert {"[Du] sehe ihn.", "[Er] sehe ihn.", "Ich sehe [mich]."} <= made
    made = many(Pair(None, "Ein kleiner Hund kennt den Park."), ErrorFamily.ENDING, copies=300)
    assert {
        *("Ein [kleinen] Hund kennt den Park.", "Ein [kleine] Hund kennt den Park."),
        *("Ein kleiner Hund [kennen] den Park.", "Ein kleiner Hund kennt [dem] Park."),
        "[Einen] kleiner Hund kennt den Park.",
    } <= made
    # Only words that the corpus has
    assert not any("kleinem" in one for one in made)


def test_the_capital_letter_of_formal_german() -> None:
    text = Pair("That is yours.", "Das ist Ihre.")
    made = many(text, ErrorFamily.ENDING)
    assert {"[Der] ist Ihre.", "Das ist [Ihren]."} <= made
    assert "Das ist [seine]." in many(text, ErrorFamily.PRONOUN)


def test_english_pronouns_numbers_and_endings() -> None:
    text = Pair("Er ist bei den zwei Hunden.", "He is with the two dogs.")
    assert "[She] is with the two dogs." in many(text, ErrorFamily.PRONOUN, "en")
    made = many(text, ErrorFamily.ENDING, "en")
    assert {"He [are] with the two dogs.", "He is with the two [dog]."} <= made
    assert "He is with the [three] dogs." in many(text, ErrorFamily.NUMBER, "en")


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Er kennt sie nicht mehr.", "de", {"Er kennt sie []mehr."}),
        ("Das ist kein Hund.", "de", {"Das ist [ein] Hund."}),
        ("Nie!", "de", {"[Immer]!", "[Oft]!"}),
        ("Das ist ein Hund.", "de", {"Das ist [nicht] ein Hund.", "Das ist [kein] Hund."}),
        ("Er geht.", "de", set()),
        ("He does not know.", "en", {"He does []know."}),
        ("He doesn't know.", "en", {"He does []know."}),
        ("He can\N{RIGHT SINGLE QUOTATION MARK}t.", "en", {"He can[]."}),
        ("He cannot go.", "en", {"He can []go."}),
        ("He won't go.", "en", {"He [will] go."}),
        ("Won\N{RIGHT SINGLE QUOTATION MARK}t he go?", "en", {"[Will] he go?"}),
        ("I shan't.", "en", {"I [shall]."}),
        # Nothing is left of these, and *no* beside them would say the same
        ("He ain't a dog.", "en", set()),
        ("He is n't a dog.", "en", set()),
        ("They are here.", "en", {"They are [not] here."}),
        ("He never sleeps.", "en", {"He [always] sleeps.", "He [often] sleeps."}),
    ],
)
def test_negations(text: str, language: str, expected: set[str]) -> None:
    assert many(Pair("?", text), ErrorFamily.NEGATION, language) == expected


def test_foreign_spans_are_as_long_as_what_they_replace() -> None:
    made = corrupt(PAIRS, mix=only(ErrorFamily.FOREIGN_SPAN), seed=0, copies=5)
    assert made
    for one in made:
        (error,) = one.pair.errors or ()
        span = one.pair.hypothesis[error.start : error.end]
        assert 2 <= len(words(span)) <= 5
        assert len(words(one.pair.hypothesis)) == len(words(one.original))
        assert any(span.casefold() in pair.hypothesis.casefold() for pair in PAIRS)


def test_forms_of_a_word() -> None:
    verbs = LANGUAGES["de"].inflection.rules[-1]
    assert verbs.forms("läuft", {"laufen", "läuft", "läufst"}) == ["läufst", "laufen"]
    assert verbs.forms("und", {"und"}) == []
    assert EndingRule(("", "s")).forms("dogs", {"dog"}) == ["dog"]
    assert EndingRule(("", "s")).forms("his", {"hi"}) == []


def test_lists_are_in_lower_case() -> None:
    for lists in (LANGUAGES["de"].negation, LANGUAGES["en"].negation):
        named = {*lists.negations, *lists.verbs, *lists.pronouns, *lists.opposites}
        assert all(word == word.lower() for word in named)


def test_runs_leave_parts_of_words_alone() -> None:
    text = TextWords("Die U-Bahn fährt ab.")
    assert [text[i] for i in text.runs(1)] == ["Die", "fährt", "ab"]
    assert [text.run_text(i, 2) for i in text.runs(2)] == ["fährt ab"]
    assert TextWords("").runs(1) == []
