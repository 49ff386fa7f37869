import pytest

from headwise.corruption.changes import Change, Edit, apply_changes, stand_apart
from headwise.corruption.text_words import TextWords

TEXT = "Der Hund läuft weg."


@pytest.mark.parametrize(
    ("edit", "gap"),
    [
        (TextWords(TEXT).without(0), True),
        (TextWords(TEXT).without(1, 2), False),
        (TextWords(TEXT).without(3), True),
        (TextWords(TEXT).with_other(1, "Esel"), False),
        (TextWords(TEXT).with_word_after(2, "nicht"), False),
        (TextWords(TEXT).swapped(1), False),
    ],
)
def test_a_change_does_what_its_edit_did(edit: Edit, gap: bool) -> None:
    change = Change.of(TEXT, edit, gap=gap)
    assert apply_changes(TEXT, [change]) == (
        edit.text,
        ((edit.start, edit.start if gap else edit.end),),
    )


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
