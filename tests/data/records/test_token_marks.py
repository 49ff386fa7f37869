"""Marks of tokens against a look at every character."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.pairs import Pair
from headwise.data.records.token_marks import (
    has_error,
    known_marks,
    missing_marks,
    tagged_places,
    token_marks,
)
from headwise.data.records.word_tags import WordTags

TEXT = "Ein Hund läuft."
WORDS = ((0, 3), (4, 8), (9, 14), (14, 15))


@pytest.mark.parametrize(
    ("place", "token"),
    [(0, 0), (1, 0), (3, 1), (4, 1), (7, 1), (8, 2), (9, 2), (14, 3), (15, 4)],
)
def test_a_gap_belongs_to_what_follows_or_surrounds_it(place: int, token: int) -> None:
    missing = missing_marks(WORDS, [place])
    assert missing == tuple(i == token for i in range(5))
    marks = token_marks(WORDS, [ErrorSpan(place, place)], TEXT)
    assert marks.missing == missing
    assert marks.wrong == missing[:4]  # the reader stumbles there


def test_marks_and_gaps_stand_side_by_side() -> None:
    errors = [ErrorSpan(4, 9), ErrorSpan(15, 15), ErrorSpan(0, 0), ErrorSpan(8, 9)]
    wrong, missing = token_marks(WORDS, errors, TEXT)
    assert wrong == (True, True, False, False)
    assert missing == (True, False, False, False, True)


def test_what_is_unsure_is_not_known() -> None:
    ranges = [(0, 3), (4, 6), (6, 8), (9, 14)]
    found = known_marks(ranges, [(4, 8), (9, 9)])
    assert found.wrong == (True, False, False, True)
    assert found.missing == (True, True, True, False, True)
    assert known_marks(ranges, ()) == ((True,) * 4, (True,) * 5)


def test_bytes_of_one_character_have_one_gap() -> None:
    ranges = ((0, 1), (2, 3), (2, 3), (2, 3))
    assert missing_marks(ranges, [1, 2]) == (False, True, False, False, False)


def test_no_tokens_have_an_end() -> None:
    assert token_marks((), [ErrorSpan(0, 0)], "") == ((), (True,))
    assert token_marks((), (), "") == ((), (False,))
    assert token_marks(WORDS, (), TEXT) == ((False,) * 4, (False,) * 5)


def test_tags_tell_places_if_somebody_looked() -> None:
    words, bad = WORDS[:3], (False,) * 3
    tags = WordTags(words, bad, (False, True, False, True))
    assert tagged_places(tags, TEXT) == (4, len(TEXT))
    assert missing_marks(WORDS, tagged_places(tags, TEXT)) == (False, True, False, False, True)
    assert tagged_places(WordTags(words, bad), TEXT) == ()


@given(st.text("ab ", max_size=12), st.data())
def test_every_character_is_looked_at(text: str, data: st.DataObject) -> None:
    cuts = sorted({0, len(text), *data.draw(st.lists(st.integers(0, len(text)), max_size=4))})
    ranges = tuple(pairwise(cuts))
    places = st.integers(0, len(text))
    spans = data.draw(st.lists(st.tuples(places, places).map(sorted), max_size=4))
    found = token_marks(ranges, [ErrorSpan(*span) for span in spans], text)
    gaps = {start for start, end in spans if start == end}
    marked = {
        place
        for start, end in spans
        for place in range(start, end)
        if text[start : place + 1].strip() and text[place:end].strip()
    }
    assert found.missing == (
        *(any(start <= gap < end for gap in gaps) for start, end in ranges),
        len(text) in gaps,
    )
    assert found.wrong == tuple(
        gap or not marked.isdisjoint(range(start, end))
        for (start, end), gap in zip(ranges, found.missing[:-1], strict=True)
    )


@pytest.mark.parametrize(
    ("marks", "found"),
    [
        ({}, False),
        ({"errors": ()}, False),
        ({"errors": (ErrorSpan(3, 4),)}, False),  # a space
        ({"errors": (ErrorSpan(4, 8),)}, True),
        ({"errors": (ErrorSpan(15, 15),)}, True),
        ({"tags": WordTags(WORDS, (False,) * 4, (False,) * 5)}, False),
        ({"tags": WordTags(WORDS, (False,) * 4, (False,) * 4 + (True,))}, True),
        ({"tags": WordTags(WORDS, (False, True, False, False))}, True),
        ({"errors": (), "extra": {"source_marks": 1}}, True),
        ({"errors": (), "extra": {"missing_marks": 2}}, True),
        ({"errors": (), "extra": {"missing_marks": 0, "other": 1}}, False),
    ],
)
def test_a_text_has_an_error_wherever_that_is_said(marks: dict, found: bool) -> None:
    assert has_error(Pair(None, TEXT, **marks)) is found
