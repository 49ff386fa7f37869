import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support

from headwise.metrics import Range, overlap_counts, span_scores, token_span_scores

RANGES = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 8)).map(lambda r: (r[0], r[0] + r[1])), max_size=5
)
TEXTS = st.lists(st.tuples(RANGES, RANGES, RANGES), max_size=5)
Texts = list[tuple[list[Range], list[Range], list[Range]]]


def characters(ranges: list[Range]) -> set[int]:
    return {index for start, end in ranges for index in range(start, end)}


def sides(texts: Texts) -> tuple[list[list[Range]], list[list[Range]], list[list[Range]]]:
    predicted, gold, tokens = ([text[i] for text in texts] for i in range(3))
    return predicted, gold, tokens


@given(TEXTS)
def test_characters_are_counted_as_sets(texts: Texts) -> None:
    predicted, gold, _ = sides(texts)
    counts = overlap_counts(predicted, gold)
    assert counts.shape == (len(texts), 3)
    for row, marked, wanted in zip(counts, predicted, gold, strict=True):
        a, b = characters(marked), characters(wanted)
        assert row.tolist() == [len(a & b), len(a), len(b)]


@given(TEXTS)
def test_a_token_is_marked_if_one_of_its_characters_is(texts: Texts) -> None:
    predicted, gold, tokens = sides(texts)
    counts = overlap_counts(predicted, gold, tokens)
    for row, marked, wanted, units in zip(counts, predicted, gold, tokens, strict=True):
        a = [bool(characters([unit]) & characters(marked)) for unit in units]
        b = [bool(characters([unit]) & characters(wanted)) for unit in units]
        assert row.tolist() == [sum(map(min, a, b)), sum(a), sum(b)]


@given(TEXTS)
def test_scores_equal_scikit_learn_over_all_characters(texts: Texts) -> None:
    predicted, gold, _ = sides(texts)
    marks = np.zeros((2, len(texts), 30), dtype=bool)
    for side, ranges in enumerate((predicted, gold)):
        for index, entry in enumerate(ranges):
            marks[side, index, list(characters(entry))] = True
    found = span_scores(predicted, gold)
    assert (found.precision.value is None) == (not marks[0].any())
    assert (found.recall.value is None) == (not marks[1].any())
    assert (found.f1.value is None) == (not marks.any())
    if marks.any():
        reference = precision_recall_fscore_support(
            marks[1].ravel(), marks[0].ravel(), average="binary", zero_division=0
        )
        values = (found.precision.value, found.recall.value, found.f1.value)
        for value, expected in zip(values, reference[:3], strict=True):
            if value is not None:
                assert value == pytest.approx(expected, abs=1e-9)


def test_known_values() -> None:
    predicted, gold = [[(0, 5)], [], [(3, 6), (5, 8)]], [[(3, 7)], [(0, 2)], [(3, 8)]]
    assert overlap_counts(predicted, gold).tolist() == [[2, 5, 4], [0, 0, 2], [5, 5, 5]]
    found = span_scores(predicted, gold)
    assert found.precision.value == pytest.approx(7 / 10)
    assert found.recall.value == pytest.approx(7 / 11)
    assert found.f1.value == pytest.approx(14 / 21)
    assert [m.name for m in (found.precision, found.recall, found.f1)] == [
        "span_precision",
        "span_recall",
        "span_f1",
    ]
    assert found.f1.count == 3


def test_known_tokens() -> None:
    tokens = [[(0, 0), (0, 3), (4, 6), (6, 9)]]
    found = token_span_scores([[(2, 5)]], [[(3, 5), (8, 9)]], tokens)
    assert overlap_counts([[(2, 5)]], [[(3, 5), (8, 9)]], tokens).tolist() == [[1, 2, 2]]
    assert (found.precision.value, found.recall.value, found.f1.value) == (0.5, 0.5, 0.5)
    assert [m.name for m in (found.precision, found.recall, found.f1)] == [
        "token_span_precision",
        "token_span_recall",
        "token_span_f1",
    ]


def test_a_touching_range_does_not_mark() -> None:
    assert overlap_counts([[(3, 4)]], [[(0, 3)]], [[(0, 3), (3, 4), (4, 9)]]).tolist() == [
        [0, 1, 1]
    ]


def test_nothing_marked() -> None:
    silent = span_scores([[], []], [[(0, 2)], []])
    assert (silent.precision.value, silent.recall.value, silent.f1.value) == (None, 0.0, 0.0)
    assert silent.precision.reason == "No character is marked."
    flawless = token_span_scores([[(0, 1)]], [[]], [[(0, 2)]])
    assert (flawless.precision.value, flawless.recall.value) == (0.0, None)
    assert flawless.recall.reason == "The gold marks no token."
    for found in (span_scores([], []), span_scores([[(4, 4)]], [[]])):
        assert found.f1.value is None
        assert found.f1.reason == "No character is marked, nor in the gold."
    assert overlap_counts([], []).shape == (0, 3)


def test_bad_input() -> None:
    for predicted, gold, message in (
        ([[]], [[], []], "got 1 of `predicted`, 2 of `gold`"),
        (
            [[], [(5, 3)]],
            [[], []],
            "`predicted` must hold ranges with 0 <= start <= end, got (5, 3) in text 1",
        ),
        (
            [[]],
            [[(-1, 3)]],
            "`gold` must hold ranges with 0 <= start <= end, got (-1, 3) in text 0",
        ),
        ([[(0.0, 1.5)]], [[]], "`predicted` must hold pairs of integers, got (0.0, 1.5) in text 0"),
        ([[(1, 2, 3)]], [[]], "`predicted` must hold pairs of integers, got (1, 2, 3) in text 0"),
        ([(1, 2)], [[]], "`predicted` must hold pairs of integers, got 1 in text 0"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            span_scores(predicted, gold)
    with pytest.raises(ValueError, match="got 1 of `predicted`, 1 of `gold`, 2 of `tokens`"):
        token_span_scores([[]], [[]], [[], []])
    with pytest.raises(ValueError, match="`tokens` must hold ranges"):
        token_span_scores([[]], [[]], [[(2, 1)]])
    assert overlap_counts([[np.array([0, 2])]], [[[1, 3]]]).tolist() == [[1, 2, 2]]
