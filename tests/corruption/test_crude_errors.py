from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwise.bundled.examples import example_pairs
from headwise.data.records.pairs import Pair
from headwise.data.records.words import word_ranges
from headwise.evaluation import CRUDE_KINDS, Corruption, ErrorFamily, crude_errors

PAIRS = example_pairs()
CORPUS = [pair.hypothesis for pair in PAIRS]
HOUSE = Pair("The house has 12 rooms.", "Das alte Haus hat 12 Zimmer.")


def words(text: str) -> list[str]:
    return [text[start:end] for start, end in word_ranges(text)]


def many(pair: Pair, kind: ErrorFamily, count: int = 200, **options: object) -> list[Corruption]:
    """Errors of one kind in a text, each with randomness of its own."""
    arguments: dict[str, object] = {"corpus": CORPUS, "seed": 0, **options}
    return crude_errors([pair] * count, kinds=[kind], **arguments)  # type: ignore[arg-type]


def place(made: Corruption) -> tuple[int, int]:
    (span,) = made.pair.errors or ()
    return span.start, span.end


def error(made: Corruption) -> str:
    return made.pair.hypothesis[slice(*place(made))]


@pytest.mark.parametrize("kind", [*CRUDE_KINDS, ErrorFamily.NEGATION])
def test_only_the_place_of_the_error_changes(kind: ErrorFamily) -> None:
    made = crude_errors([*PAIRS, HOUSE], corpus=CORPUS, seed=3, kinds=[kind], language="de")
    assert made
    for one in made:
        start, end = place(one)
        text = one.pair.hypothesis
        assert one.family == kind
        assert text != one.original
        assert 0 <= start < end <= len(text)
        assert one.original.endswith(text[end:])
        assert one.original.startswith(text[:start].rstrip())


def test_replaced_words_come_from_the_corpus_by_frequency() -> None:
    corpus = ["Anfang selten", "Anfang oft oft oft oft oft oft oft oft oft"]
    pair = Pair("x", "eins zwei")
    made = many(pair, ErrorFamily.REPLACEMENT, 500, corpus=corpus)
    assert len(made) == 500
    drawn = Counter(map(error, made))
    # What opens a text is no word to draw
    assert set(drawn) == {"selten", "oft"}
    assert 0.8 < drawn["oft"] / 500 < 0.97  # 9 of 10, give or take four standard deviations
    assert {one.pair.hypothesis for one in made} == {
        "selten zwei", "eins selten", "oft zwei", "eins oft"
    }  # fmt: skip


def test_a_word_is_not_replaced_by_itself() -> None:
    assert many(Pair("x", "OFT"), ErrorFamily.REPLACEMENT, 20, corpus=["Anfang oft"]) == []


def test_deletion_marks_the_word_after_the_gap() -> None:
    made = {(one.pair.hypothesis, error(one)) for one in many(HOUSE, ErrorFamily.DELETION)}
    assert made == {
        ("Alte Haus hat 12 Zimmer.", "Alte"),
        ("Das Haus hat 12 Zimmer.", "Haus"),
        ("Das alte hat 12 Zimmer.", "hat"),
        ("Das alte Haus 12 Zimmer.", "12"),
        ("Das alte Haus hat Zimmer.", "Zimmer"),
    }


def test_swapping_marks_both_words() -> None:
    made = {(one.pair.hypothesis, error(one)) for one in many(HOUSE, ErrorFamily.SWAP)}
    assert made == {
        ("Das Haus alte hat 12 Zimmer.", "Haus alte"),
        ("Das alte hat Haus 12 Zimmer.", "hat Haus"),
        ("Das alte Haus 12 hat Zimmer.", "12 hat"),
        ("Das alte Haus hat Zimmer 12.", "Zimmer 12"),
    }


@pytest.mark.parametrize("number", ["12", "7", "0", "007", "31415926535897932384626433832795"])
def test_numbers_keep_their_digits(number: str) -> None:
    made = many(Pair("x", f"Es sind {number} Stück."), ErrorFamily.NUMBER)
    assert len(made) == 200
    for one in made:
        new = error(one)
        assert new != number
        assert len(new) == len(number)
        assert new.isdigit()
        assert number[0] == "0" or new[0] != "0"
        assert one.pair.hypothesis == f"Es sind {new} Stück."


def test_texts_that_allow_no_error_are_left_out() -> None:
    texts = ["Ja!", "", "?!", "so so", "am 24. Mai"]
    pairs = [Pair(None, text) for text in texts]

    def possible(kind: ErrorFamily) -> list[str]:
        made = crude_errors(pairs, corpus=CORPUS, seed=0, kinds=[kind], language="de")
        return [pair.original for pair in made]

    assert possible(ErrorFamily.REPLACEMENT) == ["Ja!", "so so", "am 24. Mai"]
    assert possible(ErrorFamily.DELETION) == ["am 24. Mai"]
    assert possible(ErrorFamily.SWAP) == []
    assert possible(ErrorFamily.NUMBER) == ["am 24. Mai"]
    assert possible(ErrorFamily.NEGATION) == []


def test_one_translation_does_not_become_another() -> None:
    source = "He comes."
    pairs = [Pair(source, "Er kommt heute an"), Pair(source, "Er kommt an")]
    for seed in range(40):
        made = crude_errors(pairs[:1], corpus=CORPUS, seed=seed, kinds=[ErrorFamily.DELETION])
        if made[0].pair.hypothesis == "Er kommt an":
            break
    else:
        raise AssertionError("no seed deletes this word")
    made = crude_errors(pairs, corpus=CORPUS, seed=seed, kinds=[ErrorFamily.DELETION])
    assert [pair.original for pair in made] == ["Er kommt an"]
    # Nor does a word of one stand in for a word of the other
    made = crude_errors(pairs[::-1], corpus=["Na heute"], seed=0, kinds=[ErrorFamily.REPLACEMENT])
    assert all("heute" not in one.pair.hypothesis for one in made if one.original == "Er kommt an")


def test_kinds_are_drawn_evenly() -> None:
    made = crude_errors([HOUSE] * 800, corpus=CORPUS, seed=1)
    counts = Counter(one.family for one in made)
    assert set(counts) == set(CRUDE_KINDS)
    assert all(150 < count < 250 for count in counts.values())


def test_an_error_depends_on_seed_and_index_alone() -> None:
    made = crude_errors(PAIRS, corpus=CORPUS, seed=5)
    assert made == crude_errors(PAIRS, corpus=CORPUS, seed=5)
    assert made != crude_errors(PAIRS, corpus=CORPUS, seed=6)
    assert made[:3] == crude_errors(PAIRS[:3], corpus=CORPUS, seed=5)


@given(st.text(max_size=40), st.integers(0, 5))
def test_any_text(text: str, seed: int) -> None:
    for one in crude_errors([Pair(None, text)], corpus=CORPUS, seed=seed):
        assert one.original == text
        assert one.pair.hypothesis != text
        assert error(one)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must name some of replacement, .*, got \[\]"):
        crude_errors(PAIRS, corpus=CORPUS, seed=0, kinds=[])
    with pytest.raises(ValueError, match=r"got \['plausible'\]; `plausible_errors` makes"):
        crude_errors(PAIRS, corpus=CORPUS, seed=0, kinds=["plausible"])
    with pytest.raises(ValueError, match=r"`language` out of de, en, got None"):
        crude_errors(PAIRS, corpus=CORPUS, seed=0, kinds=["negation"])
    with pytest.raises(ValueError, match=r"`language` out of de, en, got 'tlh'"):
        crude_errors(PAIRS, corpus=CORPUS, seed=0, kinds=["negation"], language="tlh")
    with pytest.raises(ValueError, match="holds no word inside a sentence"):
        crude_errors(PAIRS, corpus=["Eins.", "2 3"], seed=0)
    with pytest.raises(ValueError, match="'typo' is not a valid ErrorFamily"):
        crude_errors(PAIRS, corpus=CORPUS, seed=0, kinds=["typo"])
