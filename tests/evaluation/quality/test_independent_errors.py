"""Errors to judge by: exact marks, the same for a seed, and none that may be right."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.pairs import Pair
from headwise.evaluation.quality.independent_errors import (
    INDEPENDENT_KINDS,
    IndependentError,
    independent_errors,
)

CORPUS = ["Der Mann kommt heute, glaube ich.", "Sie sieht den Baum!", "Ach, sie sehen dem Kind zu."]
PAIR = Pair("Today the dog barks.", "Heute bellt der Hund, oder?", 7, {"id": 3})


def shown(one: IndependentError) -> str:
    text = one.pair.hypothesis
    for error in reversed(one.pair.errors or ()):
        text = f"{text[: error.start]}[{text[error.start : error.end]}]{text[error.end :]}"
    return text


def many(kind: str, text: str = PAIR.hypothesis) -> set[str]:
    pair = Pair(PAIR.source, text)
    made = (independent_errors([pair], corpus=CORPUS, kinds=[kind], seed=n) for n in range(200))
    return {shown(one) for found in made for one in found if len(one.kinds) == 1}


@pytest.mark.parametrize(
    ("kind", "some"),
    [
        ("random word", {"Heute [heute,] der Hund, oder?", "Heute bellt der Hund, [Baum!]"}),
        ("swap", {"Heute bellt der [oder?] [Hund,]", "[bellt] [Heute] der Hund, oder?"}),
        ("confused word", {"Heute bellt [den] Hund, oder?", "Heute bellt [dem] Hund, oder?"}),
        ("slip", {"Heute [belt] der Hund, oder?", "Heute bellt der [Hnud], oder?"}),
        ("mark", {"Heute bellt der Hund[.] oder?", "Heute bellt der Hund []oder?"}),
        ("mark", {"Heute bellt der Hund[,,] oder?", "Heute[,] bellt der Hund, oder?"}),
        ("added word", {"Heute bellt [Baum!] der Hund, oder?"}),
        ("repeated word", {"Heute bellt der Hund [Hund], oder?"}),
        ("missing word", {"Heute []der Hund, oder?", "Heute bellt der []oder?"}),
        ("cut word", {"[Heu] bellt der Hund, oder?", "Heute [llt] der Hund, oder?"}),
        ("capital", {"Heute [Bellt] der Hund, oder?", "Heute bellt der [hund], oder?"}),
        ("space", {"[Heutebellt] der Hund, oder?", "Heute [be llt] der Hund, oder?"}),
        ("space", {"Heute bellt der Hund [,] oder?"}),
        ("untranslated word", {"Heute [barks] der Hund, oder?"}),
    ],
)
def test_each_kind_marks_what_it_did(kind: str, some: set[str]) -> None:
    assert some <= many(kind)


def test_a_mark_moves_to_the_next_word() -> None:
    assert "Er []kommt[,] heute." in many("mark", "Er, kommt heute.")


def test_what_may_be_right_is_not_made() -> None:
    assert "Er geht[!]" not in many("mark", "Er geht.")
    # The corpus has *sie* and *Sie* inside its sentences, and *sehen* as a word
    assert many("capital", "da sieht Sie").isdisjoint({"da sieht [sie]"})
    assert not any("[sehen]" in one for one in many("cut word", "Er geht sehenden Auges."))
    both = [Pair("He barks.", "Er bellt nun"), Pair("He barks.", "Nun bellt er"), Pair("x", "y")]
    for seed in range(40):
        for one in independent_errors(both, kinds=["swap", "capital", "mark"], seed=seed):
            assert one.pair.hypothesis not in {pair.hypothesis for pair in both}


def test_a_quarter_of_the_longer_texts_has_two_errors() -> None:
    pairs = [Pair(None, f"Wort {n} steht nun hier.") for n in range(800)]
    made = independent_errors([*pairs, Pair(None, "Zwei Worte.")])
    counts = Counter(len(one.kinds) for one in made)
    assert 140 < counts[2] < 260  # 200, give or take five standard deviations
    assert all(len(one.pair.errors or ()) >= len(one.kinds) for one in made)
    short = [independent_errors([Pair(None, "Drei kurze Worte.")], seed=n)[0] for n in range(40)]
    assert {len(one.kinds) for one in short} == {1}


def test_errors_hang_on_the_seed_and_the_pair_alone() -> None:
    pairs = [PAIR, Pair("A man.", "Ein Mann."), Pair(None, "Der Baum steht da.")]
    made = independent_errors(pairs, corpus=CORPUS)
    assert independent_errors(pairs[1:], corpus=CORPUS) == made[1:]
    assert independent_errors(pairs, corpus=CORPUS, seed=1) != made
    assert (made[0].pair.line, made[0].pair.extra) == (7, {"id": 3})
    assert made[0].original == PAIR.hypothesis
    # The draws of a seed are part of what a published figure means
    assert [shown(one) for one in made] == DRAWN


DRAWN = ["[Hetue] bellt der Hund, oder?", "Ein [kommt]", "Der Baum steht da[:]"]


def test_scripts_without_spaces() -> None:
    pair = Pair(None, "我喝茶。你好吗。")
    for seed in range(60):
        for one in independent_errors([pair], corpus=["他吃饭。"], seed=seed):
            changed = sum(e.end - e.start for e in one.pair.errors or ())
            assert changed <= 6  # never the whole text


@pytest.mark.parametrize("kinds", [[], ["typo"]])
def test_unknown_kinds_are_refused(kinds: list[str]) -> None:
    with pytest.raises(ValueError, match="`kinds` must name some of random word, swap"):
        independent_errors([PAIR], kinds=kinds)


@given(st.text(max_size=40), st.none() | st.text(max_size=20), st.integers(0, 3))
def test_any_text(text: str, source: str | None, seed: int) -> None:
    for one in independent_errors([Pair(source, text)], corpus=[text, *CORPUS], seed=seed):
        hypothesis, errors = one.pair.hypothesis, one.pair.errors
        assert hypothesis != text
        assert errors
        assert set(one.kinds) <= set(INDEPENDENT_KINDS)
        assert all(isinstance(e, ErrorSpan) for e in errors)
        assert all(0 <= e.start <= e.end <= len(hypothesis) for e in errors)


def test_no_texts_and_an_empty_corpus() -> None:
    assert independent_errors([]) == []
    assert independent_errors([PAIR], corpus=[]) == []


def test_nothing_that_trains_or_calibrates_knows_them() -> None:
    rooms = Path(__file__).parents[3] / "src" / "headwise"
    knowing = {
        file.relative_to(rooms).parts[0]
        for file in rooms.rglob("*.py")
        if "independent_errors" in file.read_text("utf-8")
    }
    assert knowing == {"evaluation"}
