"""Pairs made of labelled pairs: their labels follow, and what they are made of says so."""

import pytest

from headwise.choices import Lesson
from headwise.corruption.inferences.lessons import lesson_of, lesson_pairs, source_premises
from headwise.data.records.inferences import InferencePair
from headwise.heads import NLILabel

E, N, C = NLILabel

TEXTS = (
    ("Two men repair an old engine in the garage .", "Two men work .", E),
    ("A woman is holding a baby near the window .", "A woman holds a baby .", E),
    ("Three dogs are running over green grass .", "Three animals run outside .", E),
    ("The orchestra plays a slow waltz tonight", "Musicians perform", N),
    ("Somebody paints the fence blue .", "Nobody paints .", C),
    ("A child is pulling a horse along", "The child is alone", C),
)
PAIRS = [InferencePair(*row) for row in TEXTS]


def made(
    lesson: Lesson, *, pairs: list[InferencePair] = PAIRS, seed: int = 0
) -> list[tuple[str, ...]]:
    found = lesson_pairs(pairs, [lesson], share=9.0, seed=seed)
    assert all(lesson_of(pair) == lesson.value for pair in found)
    assert all(set(source_premises(pair)) <= {one.premise for one in pairs} for pair in found)
    return [(*pair.texts, str(pair.label)) for pair in found]


def test_unrelated_hypotheses_come_from_another_premise() -> None:
    found = made(Lesson.UNRELATED)
    assert len(found) > 3
    home = {pair.hypothesis: pair.premise for pair in PAIRS}
    for premise, hypothesis, label in found:
        assert home[hypothesis] != premise
        assert label == "neutral"


def test_joined_premises_keep_the_label_and_repeated_ones_follow() -> None:
    labels = {pair.hypothesis: pair.label for pair in PAIRS}
    own = {pair.hypothesis: pair.premise for pair in PAIRS}
    for premise, hypothesis, label in made(Lesson.JOINED):
        assert label == labels[hypothesis]
        assert own[hypothesis] in premise
        assert sum(pair.premise in premise for pair in PAIRS) == 2
        assert premise.endswith(".")
    for premise, hypothesis, label in made(Lesson.REPEATED):
        assert premise != hypothesis
        assert hypothesis in premise
        assert label == "entailment"


def test_two_claims_are_as_true_as_the_less_true_one() -> None:
    labels = {pair.hypothesis.rstrip(" ."): pair.label for pair in PAIRS}
    found = made(Lesson.CONJOINED) + made(Lesson.CONJOINED, seed=1)
    for premise, hypothesis, label in found:
        first, second = hypothesis.removesuffix(".").split(" and ", 1)
        both = {labels[first], labels[second[0].upper() + second[1:]]}
        assert label == str(C if C in both else N if N in both else E)
        assert sum(pair.premise in premise for pair in PAIRS) == 2
    assert {label for *_, label in found} == {"entailment", "neutral", "contradiction"}


def test_what_says_more_does_not_follow_from_what_says_less() -> None:
    found = made(Lesson.REVERSED)
    assert ("Two men work .", PAIRS[0].premise, "neutral") in found
    assert all(pair.texts in {p.texts[::-1] for p in PAIRS[:3]} for pair in
               lesson_pairs(PAIRS, [Lesson.REVERSED], share=9.0))  # fmt: skip


def test_negations_numbers_and_roles_contradict_what_is_true() -> None:
    negated = {
        hypothesis for seed in range(9) for _, hypothesis, _ in made(Lesson.NEGATED, seed=seed)
    }
    assert "Three dogs are not running over green grass ." in negated
    numbers = made(Lesson.NUMBER)
    for premise, hypothesis, _ in numbers:
        assert "Two men" not in hypothesis or premise != PAIRS[0].premise
        assert {"Two", "Three"}.isdisjoint(set(hypothesis.split()) & set(premise.split()))
    assert {premise for premise, *_ in numbers} == {PAIRS[0].premise, PAIRS[2].premise}
    roles = {hypothesis for _, hypothesis, _ in made(Lesson.ROLES)}
    assert "A horse is pulling a child along" in roles
    assert roles & {"A baby is holding a woman near the window .", "A baby holds a woman ."}
    for lesson in (Lesson.NEGATED, Lesson.NUMBER, Lesson.ROLES):
        assert {label for *_, label in made(lesson)} == {"contradiction"}


@pytest.mark.parametrize(
    "premise",
    [
        "A man and a woman walk the dog",  # three beings
        "A man and then a woman",  # together
        "A man walks with his dog",
        "A man sees men there",  # of two numbers
        "A man knows another man",
        "A man sees , quite suddenly , a dog",
    ],
)
def test_roles_that_are_not_safe_to_change_stay(premise: str) -> None:
    assert made(Lesson.ROLES, pairs=[InferencePair(premise, "x", N)]) == []


def test_the_share_bounds_each_kind_and_the_seed_decides() -> None:
    def draw(seed: int) -> list[InferencePair]:
        return lesson_pairs(PAIRS, [Lesson.JOINED, Lesson.UNRELATED], share=0.5, seed=seed)

    assert [pair.extra["lesson"] for pair in draw(0)] == ["joined"] * 3 + ["unrelated"] * 3
    assert draw(0) == draw(0)
    assert any(draw(0) != draw(seed) for seed in range(1, 4))
    assert lesson_pairs(PAIRS, Lesson, share=0.0) == lesson_pairs([], Lesson, share=1.0) == []
    unlabelled = [InferencePair(pair.premise, pair.hypothesis) for pair in PAIRS]
    assert lesson_pairs(unlabelled, Lesson, share=1.0) == []


def test_roles_change_in_what_does_not_follow_too() -> None:
    """There, the text is its own premise."""
    pairs = [InferencePair("It rains .", "A man bites a dog .", N)]
    expected = [("A man bites a dog .", "A dog bites a man .", "contradiction")]
    assert made(Lesson.ROLES, pairs=pairs) == expected
    premise = "In the park , a man , who smiles , bites a big dog ."
    follows = [InferencePair(premise, "A man bites a dog .", E)]
    assert made(Lesson.ROLES, pairs=follows) == [(premise, "A dog bites a man .", "contradiction")]


def test_german_has_negations_and_no_roles() -> None:
    pairs = [InferencePair("Der Mann kann die Frau sehen.", "Er schläft.", N)]
    found = lesson_pairs(pairs, [Lesson.NEGATED, Lesson.ROLES], share=1.0, language="de")
    assert [pair.hypothesis for pair in found] == ["Der Mann kann nicht die Frau sehen."]


def test_wrong_shares_and_languages_are_named() -> None:
    with pytest.raises(ValueError, match="`share` must be at least 0"):
        lesson_pairs(PAIRS, Lesson, share=-0.1)
    with pytest.raises(ValueError, match="one of de, en, got 'fr'"):
        lesson_pairs(PAIRS, Lesson, share=0.1, language="fr")
