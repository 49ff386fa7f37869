import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwise.data.error_spans import split_marks


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
