"""Answers that say what their context does not: what changes, what is marked, what is refused."""

import pytest

from headwise.corruption.grounded import GroundedFamily, UnsupportedAnswer, unsupported_answers
from headwise.corruption.grounded.mentions import mentions, said
from headwise.corruption.known_texts import folded_words
from headwise.corruption.text_words import TextWords
from headwise.data.quantities import unsupported_quantities
from headwise.data.records.pairs import Pair

PAIRS = [
    Pair(
        "In 1862 the painter Ada Stone left Boston for Rome with three dogs. A sailor met her.",
        "The painter left Boston for Rome with three dogs. She had left in 1862.",
    ),
    Pair(
        "A girl is eating an apple in the garden. Two boys play on the beach with a ball.",
        "The girl is eating an apple. Two boys play on the beach with a ball.",
    ),
    Pair(
        "On Monday the king of Spain opened a museum in Madrid. It has 250 rooms.",
        "The museum in Madrid was opened on Monday. It has 250 rooms.",
    ),
]


def made(family: GroundedFamily, seeds: int = 12) -> list[UnsupportedAnswer]:
    return [
        copy
        for seed in range(seeds)
        for copy in unsupported_answers(PAIRS, families=(family,), seed=seed)
    ]


def marked(copy: UnsupportedAnswer) -> list[str]:
    assert copy.pair.errors
    return [copy.pair.hypothesis[error.start : error.end] for error in copy.pair.errors]


@pytest.mark.parametrize("family", list(GroundedFamily))
def test_a_copy_differs_from_its_answer_only_where_it_is_marked(family: GroundedFamily) -> None:
    copies = made(family)
    assert copies
    for copy in copies:
        original, text = PAIRS[copy.number].hypothesis, copy.pair.hypothesis
        assert text != original
        assert copy.pair.source == PAIRS[copy.number].source
        errors = copy.pair.errors or ()
        assert errors
        assert {error.category for error in errors} == {family.value}
        rest = text
        for error in reversed(errors):
            rest = rest[: error.start] + rest[error.end :]
        # What stands outside of the marks is what was there, an article's n and a capital aside
        left = set(folded_words(rest)) - {"a", "an"}
        assert left <= set(folded_words(original))


def test_what_is_put_in_does_not_stand_in_the_context() -> None:
    for family in (GroundedFamily.ENTITY, GroundedFamily.DETAIL, GroundedFamily.SENTENCE):
        for copy in made(family):
            assert all(text not in (copy.pair.source or "") for text in marked(copy))
    for family in (GroundedFamily.NUMBER, GroundedFamily.DATE):
        for copy in made(family):
            assert unsupported_quantities(copy.pair.source or "", copy.pair.hypothesis)


def test_relations_are_made_of_the_context_alone() -> None:
    both = 0
    for copy in made(GroundedFamily.RELATION):
        context = f"{PAIRS[copy.number].source} {PAIRS[copy.number].hypothesis}"
        assert all(text.casefold() in context.casefold() for text in marked(copy))
        both += len(marked(copy)) == 2
    assert both  # two that changed places


def test_an_article_fits_the_thing_behind_it() -> None:
    texts = " ".join(copy.pair.hypothesis for copy in made(GroundedFamily.ENTITY, seeds=40))
    assert "eating a ball" in texts or "eating a museum" in texts
    assert "eating an museum" not in texts


def test_names_and_things() -> None:
    words = TextWords("Ada Stone gave the old sailor two apples in Rome. Boston is far.")
    found = [(said(words, one), one.kind.value) for one in mentions(words)]
    assert found == [("Ada Stone", "name"), ("sailor", "one"), ("apples", "many"), ("Rome", "name")]


def test_copies_follow_from_their_seed_and_are_all_different() -> None:
    first = unsupported_answers(PAIRS, copies=5, seed=4)
    assert first == unsupported_answers(PAIRS, copies=5, seed=4)
    assert first != unsupported_answers(PAIRS, copies=5, seed=5)
    for number in range(len(PAIRS)):
        texts = [copy.pair.hypothesis for copy in first if copy.number == number]
        assert len(texts) == len(set(texts)) > 1


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="`copies` must be at least 1"):
        unsupported_answers(PAIRS, copies=0)
    with pytest.raises(ValueError, match="index 1 has no context"):
        unsupported_answers([PAIRS[0], Pair(None, "A text.")])
    with pytest.raises(ValueError, match="must be one of de, en"):
        unsupported_answers(PAIRS, language="fr")
    assert unsupported_answers([Pair("Yes.", "No")], families=(GroundedFamily.NUMBER,)) == []
