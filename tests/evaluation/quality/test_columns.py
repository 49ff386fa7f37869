from dataclasses import replace

import numpy as np
import pytest
from scored_texts import judged_texts, scored_text

from headwise.choices import Unit
from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.signals import Signal
from headwise.data.records.word_tags import WordTags
from headwise.evaluation.quality.columns import judged_units, text_columns
from headwise.evaluation.quality.judged_texts import JudgedText, group_numbers


def of(columns, signal, aggregation=None):
    (found,) = [c for c in columns if (c.signal, c.aggregation) == (signal, aggregation)]
    return found


def test_every_signal_under_every_aggregation_that_it_allows() -> None:
    texts = judged_texts(5)
    columns = text_columns(texts)
    names = [(column.signal, column.aggregation) for column in columns]
    assert names == [
        *((s, h) for s in ("sigmoid", "softmax")
          for h in ("mean", "geometric_mean", "median", "min")),
        *(("-entropy", h) for h in ("mean", "median", "min")),
        ("length", None),
        ("random", None),
    ]  # fmt: skip
    for signal in ("sigmoid", "softmax"):
        for how in ("mean", "min"):
            expected = [t.scored.aggregate(how, signal=signal) for t in texts]
            assert of(columns, signal, how).values.tolist() == expected


def test_what_is_better_when_low_is_turned_round() -> None:
    texts = judged_texts(4)
    found = of(text_columns(texts), "-entropy", "min").values
    assert found.tolist() == [-max(t.entropy for t in x.scored.tokens) for x in texts]
    assert not of(text_columns(texts), "-entropy", "mean").is_probability


def text_with_gaps(*, opening=0.25):
    """Two words; something may be missing before, between and after them."""
    scored = scored_text(
        ["ein", "Hund"],
        {"error": [0.25, 0.75], "omission": [0.5, 0.125]},
        wrong=[1],
        tags=WordTags(((0, 3), (4, 8)), (False, True), (False, True, False)),
        closing={"error": 0.0},
    )
    return JudgedText(scored=replace(scored, opening_omission=opening), group="a")


def test_probabilities_of_being_wrong_become_those_of_being_right() -> None:
    columns = text_columns([text_with_gaps()])
    assert of(columns, "error", "mean").values.tolist() == [0.5]
    assert of(columns, "error", "min").values.tolist() == [0.25]
    assert of(columns, "error", "noisy_or").values.tolist() == [0.75 * 0.25]
    assert of(columns, "error", "noisy_or").is_probability
    assert of(columns, "omission", "min").values.tolist() == [0.5]
    assert not [c for c in columns if c.aggregation == "geometric_mean"]


def test_only_gaps_have_omission() -> None:
    for unit in (Unit.TOKEN, Unit.WORD):
        found = judged_units([text_with_gaps()], unit)
        assert [c.signal for c in found.columns] == ["error", "length", "random"]
        assert of(found.columns, "error").values.tolist() == [0.75, 0.25]
    gaps = judged_units([text_with_gaps()], Unit.GAP)
    assert of(gaps.columns, "omission").values.tolist() == [0.75, 0.5, 0.875]
    assert of(gaps.columns, "error").values.tolist() == [0.75, 0.25, 1.0]
    assert gaps.wrong.tolist() == [False, True, False]


def test_omission_that_is_not_known_everywhere_is_no_column(
    caplog: pytest.LogCaptureFixture,
) -> None:
    texts = [text_with_gaps(opening=None), text_with_gaps()]
    assert "omission" not in {c.signal for c in judged_units(texts, Unit.GAP).columns}
    assert "omission is left out: it is not known of 1 of 6 items" in caplog.text
    caplog.clear()
    one = scored_text(["ein"], {"error": [0.25], "omission": [0.5]})
    (token,) = one.tokens
    unknown = replace(one, tokens=(replace(token, omission=None),))
    judged = [JudgedText(scored=scored, group="a") for scored in (one, unknown)]
    assert "omission" not in {c.signal for c in text_columns(judged)}
    assert "omission (noisy_or) is left out: it is not known of 1 of 2 items" in caplog.text


def test_a_gap_makes_the_next_piece_wrong_and_the_text_too() -> None:
    scored = scored_text(["ein", "Hund", "da"], {"sigmoid": [0.9, 0.1, 0.8]})
    for unit in (Unit.TOKEN, Unit.WORD):
        text = JudgedText(scored=replace(scored, errors=(ErrorSpan(4, 4),)), group="a")
        assert judged_units([text], unit).wrong.tolist() == [False, True, False]
        assert text.has_error
    cut = JudgedText(scored=replace(scored, errors=(ErrorSpan(11, 11),)), group="a")
    assert not judged_units([cut], Unit.TOKEN).wrong.any()
    assert cut.has_error


def test_rows_without_tokens_have_their_means_only() -> None:
    texts = [
        JudgedText(
            scored=replace(text.scored, tokens=()),
            group=text.group,
            means={Signal.SIGMOID: 0.25, Signal.SOFTMAX: 0.5, Signal.ENTROPY: 2.0},
        )
        for text in judged_texts(3)
    ]
    columns = text_columns(texts)
    assert [c.aggregation for c in columns] == ["mean"] * 3 + [None, None]
    assert of(columns, "-entropy", "mean").values.tolist() == [-2.0] * 3
    assert of(columns, "length").values[0] == -len(texts[0].scored.hypothesis)


def test_other_systems_and_noise_that_a_seed_fixes() -> None:
    texts = [replace(t, others={"comet": float(i)}) for i, t in enumerate(judged_texts(6))]
    columns = text_columns(texts, seed=3)
    assert of(columns, "comet").values.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert np.array_equal(
        of(columns, "random").values, of(text_columns(texts, seed=3), "random").values
    )
    assert not np.array_equal(
        of(columns, "random").values, of(text_columns(texts, seed=4), "random").values
    )


def test_tokens_are_wrong_where_they_overlap_an_error() -> None:
    texts = judged_texts(8)
    found = judged_units(texts, Unit.TOKEN)
    assert len(found.wrong) == sum(len(t.scored.tokens) for t in texts)
    for place, wrong, text in zip(found.ranges, found.wrong, found.texts, strict=True):
        assert wrong == (place in {(e.start, e.end) for e in texts[text].scored.errors})
    assert found.groups.tolist() == group_numbers(texts)[found.texts].tolist()


def test_space_around_a_mark_makes_no_neighbour_wrong() -> None:
    scored = replace(
        scored_text(["ein", "Hund", "da"], {"sigmoid": [0.9, 0.1, 0.8]}),
        # The mark takes in the spaces on both sides of the word
        errors=(ErrorSpan(3, 9),),
    )
    # A token that begins with the space before its word, as those of many models do
    tokens = tuple(replace(t, start=max(t.start - 1, 0)) for t in scored.tokens)
    found = judged_units([JudgedText(scored=replace(scored, tokens=tokens), group="a")], Unit.TOKEN)
    assert found.wrong.tolist() == [False, True, False]


def test_words_have_the_worst_of_their_tokens_in_every_signal() -> None:
    scored = scored_text(["ein", "Hund"], {"sigmoid": [0.9, 0.2], "entropy": [1.0, 5.0]}, wrong=[1])
    tags = WordTags(((0, 8),), (True,))  # one word made of both tokens
    found = judged_units([JudgedText(scored=replace(scored, tags=tags), group="a")], Unit.WORD)
    assert of(found.columns, "sigmoid").values.tolist() == [0.2]
    assert of(found.columns, "-entropy").values.tolist() == [-5.0]
    assert found.wrong.tolist() == [True]


def test_a_gap_has_the_score_of_what_follows_it() -> None:
    tags = WordTags(((0, 3), (4, 8)), (False, False), (False, True, True))
    scored = scored_text(
        ["ein", "Hund"], {"sigmoid": [0.9, 0.2]}, wrong=[], tags=tags, closing={"sigmoid": 0.4}
    )
    found = judged_units([JudgedText(scored=scored, group="a")], Unit.GAP)
    assert of(found.columns, "sigmoid").values.tolist() == [0.9, 0.2, 0.4]
    assert found.wrong.tolist() == [False, True, True]


def test_words_without_tags_are_those_of_unicode() -> None:
    scored = scored_text(["Hund,", "da!"], {"sigmoid": [0.9, 0.2]}, wrong=[1])
    found = judged_units([JudgedText(scored=scored, group="a")], Unit.WORD)
    texts = [scored.hypothesis[a:b] for a, b in found.ranges]
    assert texts == ["Hund", ",", "da", "!"]
    assert found.wrong.tolist() == [False, False, True, True]


@pytest.mark.parametrize("unit", [Unit.TOKEN, Unit.WORD])
def test_all_columns_are_finite_and_equally_long(unit) -> None:
    found = judged_units(judged_texts(10), unit)
    for column in found.columns:
        assert column.values.shape == found.wrong.shape
        assert np.isfinite(column.values).all()


def test_what_texts_are_ranked_by_is_a_column_and_no_probability() -> None:
    texts = [
        replace(text, scored=replace(text.scored, ranking_score=float(place)))
        for place, text in enumerate(judged_texts(4))
    ]
    column = of(text_columns(texts), "quality", "for ranking")
    assert column.values.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert not column.is_probability
