import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwise.data.records.error_spans import (
    ErrorSpan,
    is_marked,
    marked_ranges,
    missing_places,
    split_marks,
)


@pytest.mark.parametrize(
    ("marked", "plain", "ranges"),
    [
        ("", "", []),
        ("a b", "a b", []),
        ("a <v>b</v> c", "a b c", [(2, 3)]),
        ("<v>ä</v><v>😀b</v>c", "ä😀bc", [(0, 1), (1, 3)]),
        ("a<v></v>b", "ab", [(1, 1)]),
        ("<V>a</V> <v >b", "<V>a</V> <v >b", []),
    ],
)
def test_marks_become_ranges(marked: str, plain: str, ranges: list[tuple[int, int]]) -> None:
    assert split_marks(marked) == (plain, ranges)


@pytest.mark.parametrize(
    ("marked", "reason"),
    [
        ("a <v>b", "`<v>` is not closed, at '<v>b'"),
        ("<v>a</v> <v>", "`<v>` is not closed, at '<v>'"),
        ("a</v> b", "`</v>` closes no `<v>`, at '</v> b'"),
        ("<v>a</v></v>", "`</v>` closes no `<v>`"),
        ("<v>a <v>b</v></v>", "`<v>` stands inside another, at '<v>b</v></v>'"),
    ],
)
def test_marks_that_do_not_belong_together(marked: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        split_marks(marked)


PIECE = st.text(st.characters(exclude_characters="<>", exclude_categories=["Cs"]))


@given(st.lists(st.tuples(PIECE, PIECE)), PIECE)
def test_ranges_hold_what_was_marked(pieces: list[tuple[str, str]], rest: str) -> None:
    marked = "".join(f"{before}<v>{inside}</v>" for before, inside in pieces) + rest
    plain, ranges = split_marks(marked)
    assert plain == "".join(before + inside for before, inside in pieces) + rest
    assert [plain[start:end] for start, end in ranges] == [inside for _, inside in pieces]


def test_spaces_at_the_ends_of_a_mark_are_not_wrong() -> None:
    text = "ein Hund läuft"
    assert marked_ranges([ErrorSpan(3, 9), ErrorSpan(9, 14)], text) == ((4, 8), (9, 14))
    assert marked_ranges([ErrorSpan(3, 4)], text) == ()


def test_gaps_are_places_and_mark_no_character() -> None:
    text = "ein Hund"
    errors = [ErrorSpan(8, 8), ErrorSpan(4, 8), ErrorSpan(0, 0), ErrorSpan(8, 8, rater="b")]
    assert missing_places(errors) == (0, 8)
    assert missing_places([]) == ()
    assert marked_ranges(errors, text) == ((4, 8),)


@pytest.mark.parametrize(
    ("place", "expected"),
    [((0, 2), False), ((1, 4), True), ((3, 6), True), ((5, 6), True), ((6, 9), False)],
)
def test_what_shares_a_character_is_marked(place: tuple[int, int], expected: bool) -> None:
    assert is_marked(place, [(3, 6), (12, 14)]) == expected
