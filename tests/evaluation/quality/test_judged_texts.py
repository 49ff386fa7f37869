import pytest
from scored_texts import judged_texts, scored_text

from headwise.errors import DataError
from headwise.evaluation.quality.judged_texts import as_row, cells, judge, numbers_of


def rows(count=4, **extra):
    return [
        as_row(
            scored_text(["a", "b"], {"sigmoid": [0.5, 0.7]}, source=f"s{i // 2}",
                        extra={name: values[i] for name, values in extra.items()} or None),
            line=i + 1,
        )
        for i in range(count)
    ]  # fmt: skip


def test_texts_without_gold_are_left_out_and_counted() -> None:
    found = judge(rows(), gold=[1.0, None, 3.0, float("nan")], gold_name="da")
    assert [text.gold for text in found.texts] == [1.0, 3.0]
    assert found.notes == ("2 of 4 texts were left out: they have no `da`.",)


def test_every_other_system_must_have_scored_a_text() -> None:
    found = judge(rows(), others={"comet": [0.1, None, 0.3, 0.4]})
    assert [text.others["comet"] for text in found.texts] == [0.1, 0.3, 0.4]
    assert "`comet`" in found.notes[0]


def test_texts_without_tokens_have_no_scores() -> None:
    empty = as_row(scored_text([], {"sigmoid": []}), line=5)
    found = judge([*rows(), empty])
    assert len(found.texts) == 4
    assert "they have no scores" in found.notes[0]


def test_lower_is_better_turns_round() -> None:
    found = judge(
        rows(2), gold=[1.0, 2.0], others={"ter": [0.2, 0.4]}, lower_is_better=["ter", "gold"]
    )
    assert [text.gold for text in found.texts] == [-1.0, -2.0]
    assert [text.others for text in found.texts] == [{"-ter": -0.2}, {"-ter": -0.4}]


def test_a_name_to_turn_round_must_be_known() -> None:
    with pytest.raises(DataError, match="`hter` is neither"):
        judge(rows(2), gold=[1.0, 2.0], lower_is_better=["hter"])


def test_numbers_must_be_one_a_text() -> None:
    with pytest.raises(DataError, match="`comet` has 3 values for 4 texts"):
        judge(rows(), others={"comet": [1.0, 2.0, 3.0]})


def test_signals_must_be_the_same() -> None:
    other = as_row(scored_text(["a"], {"softmax": [0.5]}), line=9)
    with pytest.raises(DataError, match=r"Line 1 was .* than line 9: sigmoid, and softmax"):
        judge([*rows(), other])


def test_texts_of_a_source_belong_together_unless_a_column_says_otherwise() -> None:
    assert [t.group for t in judge(rows()).texts] == ["s0", "s0", "s1", "s1"]
    found = judge(rows(doc=["x", "y", "y", "x"]), group_column="doc")
    assert [t.group for t in found.texts] == ["x", "y", "y", "x"]


def test_texts_without_a_source_belong_to_nothing() -> None:
    alone = [as_row(scored_text(["a"], {"sigmoid": [0.5]}, source=None), line=i) for i in (1, 2)]
    assert len({text.group for text in judge(alone).texts}) == 2


def test_a_column_named_like_ours_is_found_under_its_new_name() -> None:
    found = rows(1, input_score=[7.0], other=[1])
    assert cells(found, "score") == [7.0]
    with pytest.raises(DataError, match=r"no column `z`; the input brought `input_score`, `other`"):
        cells(found, "z")


def test_a_row_without_the_column_has_nothing_in_it() -> None:
    found = [*rows(1, mean=[2.0]), *rows(1)]
    assert cells(found, "mean") == [2.0, None]
    assert numbers_of(found, "mean") == [2.0, None]


def test_labels_that_are_turned_round_stay_labels() -> None:
    found = judge(rows(3), gold=[1.0, 0.0, None], gold_name="bad", lower_is_better=["bad"])
    assert [text.gold for text in found.texts] == [0.0, 1.0]


def test_a_system_may_have_the_name_of_the_gold() -> None:
    found = judge(rows(2), gold=[1.0, 2.0], gold_name="da", others={"da": [3.0, 4.0]})
    assert [(text.gold, text.others) for text in found.texts] == [
        (1.0, {"da": 3.0}),
        (2.0, {"da": 4.0}),
    ]


def test_columns_hold_numbers_texts_of_numbers_or_truth_values() -> None:
    assert numbers_of(rows(3, label=[True, False, True]), "label") == [1.0, 0.0, 1.0]
    assert numbers_of(rows(3, mean=["1.5", "", None]), "mean") == [1.5, None, None]
    with pytest.raises(DataError, match="`mean` in line 2 must be a number, got 'good'"):
        numbers_of(rows(2, mean=["1", "good"]), "mean")


def test_judged_texts_know_their_error_ranges() -> None:
    text = judged_texts(1)[0]
    assert text.error_ranges == tuple((e.start, e.end) for e in text.scored.errors)
