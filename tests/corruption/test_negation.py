import random

import pytest

from headwise.corruption.changes import apply_changes
from headwise.corruption.listed_edits import change_negation
from headwise.corruption.text_words import TextWords
from headwise.evaluation import NEGATION_DE


@pytest.mark.parametrize(
    ("text", "changed", "error"),
    [
        ("Ich habe keine Zeit.", "Ich habe Zeit.", "Zeit"),
        ("Ich weiß es nicht.", "Ich weiß es.", "."),
        ("Nicht alle kommen.", "Alle kommen.", "Alle"),
        ("Sie ist nie müde.", "Sie ist müde.", "müde"),
        ("Er ist müde.", "Er ist nicht müde.", "nicht"),
        ("Kann ich Ihnen helfen?", "Kann ich Ihnen nicht helfen?", "nicht"),
    ],
)
def test_the_only_place_there_is(text: str, changed: str, error: str) -> None:
    changes = change_negation(TextWords(text), NEGATION_DE, random.Random(0))
    new, ((start, end),) = apply_changes(text, changes)
    assert new == changed
    assert new[start:end] == error


@pytest.mark.parametrize(
    "text", ["Ein Hund bellt.", "Nicht!", "Nein, nicht", "weil er müde ist.", "Er ist", ""]
)
def test_no_place(text: str) -> None:
    assert change_negation(TextWords(text), NEGATION_DE, random.Random(0)) == ()


def test_all_places_are_drawn() -> None:
    words = TextWords("Er kann nicht kommen und will nicht schreiben.")
    made = [change_negation(words, NEGATION_DE, random.Random(seed)) for seed in range(30)]
    assert {apply_changes(words.text, changes)[0] for changes in made} == {
        "Er kann kommen und will nicht schreiben.",
        "Er kann nicht kommen und will schreiben.",
    }
