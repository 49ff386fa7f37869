import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.scored import (
    Aggregation,
    Alternative,
    ScoredGap,
    ScoredHypothesis,
    ScoredSpan,
    ScoredToken,
    aggregate,
)
from headwise.data.records.signals import Signal, parse_signals
from headwise.data.records.word_tags import WordTags

TEXT = "Ein Straßenhund läuft."
TOKENS = (
    ScoredToken(sigmoid=0.9, entropy=0.5, text="Ein", token_id=1, start=0, end=3),
    ScoredToken(sigmoid=0.8, entropy=1.0, text="Straßen", token_id=2, start=4, end=11),
    ScoredToken(sigmoid=0.2, entropy=3.0, text="hund", token_id=3, start=11, end=15),
    ScoredToken(sigmoid=0.4, entropy=2.0, text="läuft", token_id=4, start=16, end=21),
    ScoredToken(sigmoid=0.7, entropy=0.1, text=".", token_id=5, start=21, end=22),
)
END = ScoredToken(sigmoid=1.0, entropy=0.0, text="</s>", token_id=0, start=22, end=22, special=True)


def scored(**changes: Any) -> ScoredHypothesis:
    fields = {
        "source": "A stray dog runs.",
        "hypothesis": TEXT,
        "tokens": TOKENS,
        "special_tokens": (END,),
        "signals": (Signal.SIGMOID, Signal.ENTROPY),
    }
    return ScoredHypothesis(**(fields | changes))


def spans(found: tuple[ScoredSpan, ...]) -> list[tuple[str, float | None]]:
    return [(span.text, span.sigmoid) for span in found]


def test_the_sentence_score_is_the_mean_without_special_tokens() -> None:
    assert scored().score == pytest.approx(0.6)
    assert scored().aggregate(special_tokens=True) == pytest.approx(4.0 / 6)
    assert scored(signals=(Signal.ENTROPY, Signal.SIGMOID)).score == pytest.approx(1.32)
    assert scored(tokens=()).score is None
    assert scored(tokens=()).aggregate(special_tokens=True) == 1.0


@pytest.mark.parametrize(
    ("how", "sigmoid", "entropy"),
    [
        ("mean", 0.6, 1.32),
        ("min", 0.2, 3.0),  # the worst token, whichever way the signal points
        ("median", 0.7, 1.0),
        ("product", 0.9 * 0.8 * 0.2 * 0.4 * 0.7, None),
        ("geometric_mean", (0.9 * 0.8 * 0.2 * 0.4 * 0.7) ** 0.2, None),
    ],
)
def test_aggregations(how: str, sigmoid: float, entropy: float | None) -> None:
    assert scored().aggregate(how) == pytest.approx(sigmoid)
    assert scored().aggregate(Aggregation(how), signal="sigmoid") == pytest.approx(sigmoid)
    if entropy is not None:
        assert scored().aggregate(how, signal=Signal.ENTROPY) == pytest.approx(entropy)
    else:
        with pytest.raises(ValueError, match=r"defined for probabilities .* not for `entropy`"):
            scored().aggregate(how, signal="entropy")
    assert scored(tokens=()).aggregate(how) is None


def test_aggregations_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ValueError, match=r"one of mean, min, product.*got 'sum'"):
        scored().aggregate("sum")
    with pytest.raises(ValueError, match="`rank` was not computed; ask for it with signals="):
        scored().aggregate(signal="rank")
    with pytest.raises(ValueError, match="perplexity"):
        scored().aggregate(signal="perplexity")


def test_a_probability_of_zero_is_no_error() -> None:
    assert aggregate([0.0, 0.5], "geometric_mean", signal=Signal.SIGMOID) == 0.0
    assert aggregate([0.0, 0.5], "product", signal=Signal.SIGMOID) == 0.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_aggregations_of_probabilities_are_ordered(values: list[float]) -> None:
    def of(how: str) -> float:
        value = aggregate(values, how, signal=Signal.SIGMOID)
        assert value is not None
        return value

    assert 0.0 <= of("product") <= of("min") + 1e-12
    assert of("min") <= of("median") <= max(values)
    assert of("min") - 1e-12 <= of("geometric_mean") <= of("mean") + 1e-12
    assert not math.isnan(of("geometric_mean"))


def test_words_take_the_worst_of_their_tokens() -> None:
    found = scored().words
    assert spans(found) == [("Ein", 0.9), ("Straßenhund", 0.2), ("läuft", 0.4), (".", 0.7)]
    assert [w.entropy for w in found] == [0.5, 3.0, 2.0, 0.1]
    assert found[1].tokens == TOKENS[1:3]
    assert all(TEXT[w.start : w.end] == w.text for w in found)
    assert scored().words_by("mean")[1].sigmoid == pytest.approx(0.5)
    product = scored().words_by("product")[1]
    assert product.sigmoid == pytest.approx(0.16)
    assert product.entropy is None  # undefined, not made up


def test_a_token_over_two_words_counts_in_both() -> None:
    tokens = (
        ScoredToken(sigmoid=0.3, text="会议", start=0, end=2),
        ScoredToken(sigmoid=0.9, text="七", start=2, end=3),
    )
    one = scored(hypothesis="会议七", tokens=tokens, signals=(Signal.SIGMOID,))
    assert spans(one.words) == [("会", 0.3), ("议", 0.3), ("七", 0.9)]


def test_a_word_without_a_token_has_no_value() -> None:
    one = scored(tokens=TOKENS[:1], signals=(Signal.SIGMOID,))
    assert [w.sigmoid for w in one.words] == [0.9, None, None, None]
    assert spans(one.spans(below=2.0)) == [("Ein", 0.9)]


def test_spans_join_neighbours() -> None:
    assert spans(scored().spans(below=0.5)) == [("Straßenhund läuft", 0.2)]
    assert spans(scored().spans(below=0.5, level="token")) == [("hund läuft", 0.2)]
    assert spans(scored().spans(below=0.3, level="token")) == [("hund", 0.2)]
    assert spans(scored().spans(below=0.75)) == [("Straßenhund läuft.", 0.2)]
    assert scored().spans(below=0.1) == ()
    assert spans(scored().spans(above=1.5, signal="entropy")) == [("Straßenhund läuft", 0.2)]
    assert spans(scored().spans(above=0.85)) == [("Ein", 0.9)]
    with pytest.raises(ValueError, match="one of `below` and `above`, not both"):
        scored().spans(below=0.5, above=0.5)


def test_rows() -> None:
    row = scored(extra={"id": 7, "score": "old"}).as_dict()
    assert row == {
        "id": 7,
        "source": "A stray dog runs.",
        "hypothesis": TEXT,
        "score": pytest.approx(0.6),
        "signals": {"sigmoid": pytest.approx(0.6), "entropy": pytest.approx(1.32)},
    }
    assert "source" not in scored(source=None).as_dict()
    words = scored().as_dict("word")["words"]
    assert words[1] == {
        "text": "Straßenhund",
        "start": 4,
        "end": 15,
        "sigmoid": 0.2,
        "entropy": 3.0,
    }
    tokens = scored().as_dict("token")["tokens"]
    assert tokens[0] == {
        "text": "Ein",
        "id": 1,
        "start": 0,
        "end": 3,
        "sigmoid": 0.9,
        "entropy": 0.5,
    }
    assert tokens[-1]["special"] is True
    assert len(tokens) == 6


def test_marks_come_back_at_token_level() -> None:
    errors = (ErrorSpan(4, 15, "major", "style", "a"), ErrorSpan(0, 3))
    tags = WordTags(((0, 3), (4, 15)), (False, True), (True, False, False))
    one = scored(errors=errors, tags=tags, extra={"id": 7})
    for level in ("sentence", "word", "token"):
        row = json.loads(json.dumps(one.as_dict(level)))
        assert row["annotations"] == [
            {"start": 4, "end": 15, "severity": "major", "category": "style", "rater": "a"},
            {"start": 0, "end": 3},
        ]
        assert row["word_tags"] == {
            "words": [[0, 3], [4, 15]],
            "bad": [0, 1],
            "bad_gaps": [1, 0, 0],
        }
    assert ScoredHypothesis.from_dict(row) == one
    nothing_wrong = scored(errors=())
    assert nothing_wrong.as_dict("token")["annotations"] == []
    assert ScoredHypothesis.from_dict(nothing_wrong.as_dict("token")) == nothing_wrong
    assert not {"annotations", "word_tags"} & set(scored().as_dict())


@pytest.mark.parametrize(
    "marks",
    [
        {"annotations": [{"start": 0, "end": 99}]},
        {"annotations": "major"},
        {"word_tags": {"words": [[0, 99]], "bad": [1]}},
    ],
)
def test_marks_that_do_not_fit_are_refused(marks: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"99 of a hypothesis that has 22|must be a list"):
        ScoredHypothesis.from_dict(scored().as_dict("token") | marks)


def test_only_known_signals_are_shown() -> None:
    assert repr(TOKENS[0]) == (
        "ScoredToken(text='Ein', token_id=1, start=0, end=3, special=False, alternatives=None, "
        "sigmoid=0.9, entropy=0.5)"
    )
    token = ScoredToken(text="a", alternatives=(Alternative("b", 0.5),))
    assert "Alternative(text='b', probability=0.5)" in repr(token)
    assert token.as_dict() == {}


def test_signals_by_name() -> None:
    assert parse_signals("sigmoid, rank") == (Signal.SIGMOID, Signal.RANK)
    assert parse_signals(["rank", "sigmoid", "rank"]) == (Signal.RANK, Signal.SIGMOID)
    assert parse_signals([Signal.BOOSTED]) == (Signal.BOOSTED,)
    with pytest.raises(ValueError, match="'loss' is not a valid Signal; choose from sigmoid"):
        parse_signals(["loss"])
    with pytest.raises(ValueError, match="No signal was asked for"):
        parse_signals([])


def test_which_way_signals_point() -> None:
    low = {s.value for s in Signal if not s.higher_is_better}
    assert low == {"entropy", "rank", "error", "omission"}
    assert {s.value for s in Signal if not s.is_probability} == {"logprob", "entropy", "rank"}
    needy = {s.value for s in Signal if s.needs_vocabulary}
    assert needy == {"softmax", "logprob", "entropy", "boosted", "rank"}
    assert {s.value for s in Signal if s.needs_error_head} == {"error", "omission"}


def test_oriented_values_speak_for_the_text_where_they_are_high() -> None:
    assert Signal.SIGMOID.oriented(0.25) == 0.25
    assert Signal.LOGPROB.oriented(-2.0) == -2.0
    assert Signal.ENTROPY.oriented(3.0) == -3.0
    assert Signal.ERROR.oriented(0.25) == 0.75
    assert Signal.OMISSION.oriented(np.array([0.0, 1.0])).tolist() == [1.0, 0.0]


def with_errors(*values: tuple[float, float | None], **changes: Any) -> ScoredHypothesis:
    """TEXT with values of `error` and `omission`, token by token."""
    tokens = tuple(
        replace(token, sigmoid=None, entropy=None, error=error, omission=omission)
        for token, (error, omission) in zip(TOKENS, values, strict=True)
    )
    end = replace(END, sigmoid=None, entropy=None, error=0.01)
    fields = {
        "tokens": tokens,
        "special_tokens": (end,),
        "signals": (Signal.ERROR, Signal.OMISSION),
        "opening_omission": 0.1,
    }
    return scored(**(fields | changes))


ERRORS = ((0.1, 0.2), (0.2, 0.9), (0.8, 0.3), (0.5, 0.7), (0.0, 0.6))


def test_probabilities_of_being_wrong_are_combined_by_noisy_or() -> None:
    one = with_errors(*ERRORS)
    assert one.aggregate("noisy_or") == pytest.approx(1 - 0.9 * 0.8 * 0.2 * 0.5 * 1.0)
    assert one.aggregate("min") == 0.8  # the worst token
    assert one.score == pytest.approx(0.32)
    for how in ("product", "geometric_mean"):
        with pytest.raises(ValueError, match=r"being right .* not for `error`; use .*noisy_or"):
            one.aggregate(how)
    with pytest.raises(ValueError, match=r"being wrong \(error, omission\), not for `sigmoid`"):
        scored().aggregate("noisy_or")
    assert one.words[1].error == 0.8
    assert one.words_by("noisy_or")[1].error == pytest.approx(1 - 0.8 * 0.2)
    assert [span.text for span in one.spans(above=0.4)] == ["Straßenhund läuft"]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_noisy_or_is_no_less_than_the_worst(values: list[float]) -> None:
    found = aggregate(values, "noisy_or", signal=Signal.ERROR)
    worst = aggregate(values, "min", signal=Signal.ERROR)
    assert found is not None
    assert worst is not None
    assert worst - 1e-12 <= found <= 1.0


def test_sums_over_the_root_of_the_length_lie_between_mean_and_sum() -> None:
    assert aggregate([-1.0, -2.0, -3.0, -3.0], "root_length", signal=Signal.LOGPROB) == -4.5
    assert aggregate([1.0, 2.0, 3.0, 3.0], "root_length", signal=Signal.ENTROPY) == 4.5
    right = aggregate([0.9, 0.4, 0.5, 0.8], "root_length", signal=Signal.SIGMOID)
    assert right == pytest.approx((0.9 * 0.4 * 0.5 * 0.8) ** 0.5)
    wrong = aggregate([0.1, 0.6, 0.5, 0.2], "root_length", signal=Signal.ERROR)
    assert wrong == pytest.approx(1 - (0.9 * 0.4 * 0.5 * 0.8) ** 0.5)
    assert aggregate([0.9, 0.0], "root_length", signal=Signal.SOFTMAX) == 0.0
    with pytest.raises(ValueError, match=r"what can be summed .* not for `rank`; use one of mean"):
        aggregate([1.0, 2.0], "root_length", signal=Signal.RANK)


def test_gaps_stand_before_what_follows_them() -> None:
    one = with_errors(*ERRORS)
    assert one.gaps() == (ScoredGap(11, 0.9), ScoredGap(21, 0.7), ScoredGap(22, 0.6))
    assert one.gaps(above=0.8) == (ScoredGap(11, 0.9),)
    assert one.gaps(above=0.05)[0] == ScoredGap(0, 0.1)
    with pytest.raises(ValueError, match="`omission` was not computed"):
        scored().gaps()


def test_gaps_of_tokens_that_share_a_character_are_one() -> None:
    tokens = (
        ScoredToken(omission=0.6, text="会", start=0, end=1),
        ScoredToken(omission=0.9, text="七", start=1, end=2),
        ScoredToken(omission=0.8, text="七", start=1, end=2),
    )
    one = scored(hypothesis="会七", tokens=tokens, signals=(Signal.OMISSION,))
    assert one.gaps() == (ScoredGap(1, 0.9), ScoredGap(2, 0.8))


def test_an_unknown_gap_at_the_end_counts_for_nothing() -> None:
    one = with_errors(*ERRORS[:4], (0.0, None), special_tokens=())
    assert one.aggregate("mean", signal="omission") == pytest.approx((0.2 + 0.9 + 0.3 + 0.7) / 4)
    assert one.gaps(above=0.5) == (ScoredGap(11, 0.9), ScoredGap(21, 0.7))
    assert one.words[-1].omission is None


def test_rows_with_gaps_are_read_back() -> None:
    one = with_errors(*ERRORS)
    row = json.loads(json.dumps(one.as_dict("token")))
    assert row["opening_omission"] == 0.1
    assert row["tokens"][0]["omission"] == 0.2
    assert "omission" not in row["tokens"][-1]
    assert ScoredHypothesis.from_dict(row) == one
    # Without the signal the name belongs to the input
    plain = scored(extra={"opening_omission": "none"}).as_dict("token")
    assert ScoredHypothesis.from_dict(plain).extra == {"opening_omission": "none"}
