import pytest

from headwise.corruption.changes import Change, apply_changes, stand_apart
from headwise.corruption.text_words import TextWords

TEXT = "Der Hund läuft weg."
WORDS = TextWords(TEXT)


@pytest.mark.parametrize(
    ("change", "text", "place"),
    [
        (WORDS.without(0), "Hund läuft weg.", (0, 0)),
        (WORDS.without(1, 2, gap=False), "Der weg.", (4, 7)),
        (WORDS.without(3), "Der Hund läuft.", (14, 14)),
        (WORDS.with_other(1, "Esel"), "Der Esel läuft weg.", (4, 8)),
        (WORDS.with_word_after(2, "nicht"), "Der Hund läuft nicht weg.", (15, 20)),
        (WORDS.swapped(1), "Der läuft Hund weg.", (4, 14)),
    ],
)
def test_a_change_knows_its_place(change: Change, text: str, place: tuple[int, int]) -> None:
    assert apply_changes(TEXT, [change]) == (text, (place,))


def test_changes_keep_their_places_beside_each_other() -> None:
    late = Change(15, 18, "gern", (0, 4))
    early = Change(0, 8, "Hund", (0, 0))
    text, places = apply_changes(TEXT, [late, early])
    assert text == "Hund läuft gern."
    assert places == ((11, 15), (0, 0))
    assert apply_changes(TEXT, []) == (TEXT, ())


def test_changes_that_touch_do_not_stand_apart() -> None:
    first, second = Change(0, 3, "a", (0, 1)), Change(3, 5, "b", (0, 1))
    assert not stand_apart([first, second])
    assert not stand_apart([first, first])
    assert stand_apart([Change(4, 5, "b", (0, 1)), first])
    assert stand_apart([])
