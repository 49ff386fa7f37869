"""Which segments and words a person should look at, and that rows say it."""

from typing import Any

import pytest

from headwise.data.records.pairs import Pair
from headwise.data.records.scored import ScoredHypothesis, ScoredToken
from headwise.data.records.signals import Signal

TEXT = "<b>Ein</b> Hund läuft %s."
VALUES = [("<b>", 0.1), ("Ein", 0.9), ("</b>", 0.0), (" Hund", 0.3), (" läuft", 0.4)]
VALUES += [(" %s", 0.2), (".", 0.8)]


def scored(**changes: Any) -> ScoredHypothesis:
    tokens, end = [], 0
    for text, value in VALUES:
        tokens.append(ScoredToken(text=text, start=end, end=end + len(text), quality=value))
        end += len(text)
    fields = {"source": "A dog runs.", "hypothesis": TEXT, "tokens": tuple(tokens)}
    fields |= {"special_tokens": (), "signals": (Signal.QUALITY,), "quality": 0.4}
    return ScoredHypothesis(**(fields | {"threshold": 0.5, "segment_threshold": 0.35} | changes))


def test_placeholders_and_tags_count_nowhere() -> None:
    one = scored()
    assert one.score == pytest.approx((0.9 + 0.3 + 0.4 + 0.8) / 4)
    assert [word.text for word in one.words] == ["Ein", "Hund", "läuft", "."]
    assert [span.text for span in one.to_check] == ["Hund läuft"]
    assert [span.text for span in one.spans(below=0.5, level="token")] == [" Hund läuft"]
    nothing = scored(hypothesis="<b>", tokens=one.tokens[:1])
    assert (nothing.score, nothing.to_check, nothing.words) == (None, (), ())


def test_texts_are_flagged_apart_from_their_words() -> None:
    assert [scored(quality=q).flagged for q in (0.34, 0.35, 0.9)] == [True, False, False]
    assert scored(quality=0.9).to_check  # words to check, in a text that is not flagged
    without = {"segment_threshold": None}
    assert scored(**without).flagged
    assert not scored(**without, threshold=0.2).flagged


def test_rows_say_what_to_check_and_come_back() -> None:
    one = scored()
    row = one.as_dict("token")
    assert row["flagged"] is False
    assert row["to_check"] == [{"text": "Hund läuft", "start": 11, "end": 21, "quality": 0.3}]
    assert (row["threshold"], row["segment_threshold"]) == (0.5, 0.35)
    assert ScoredHypothesis.from_dict(row) == one
    assert [span.text for span in ScoredHypothesis.from_dict(row).spans()] == ["Hund läuft"]


def test_gaps_are_to_be_checked_too_but_never_inside_a_placeholder() -> None:
    tokens = tuple(
        ScoredToken(text=t, start=a, end=b, error=0.1, omission=o)
        for t, a, b, o in [("Ein", 0, 3, 0.9), (" {n", 3, 6, 0.9), ("}", 6, 7, 0.1)]
    )
    one = ScoredHypothesis(
        None, "Ein {n}", tokens, (), (Signal.ERROR, Signal.OMISSION), threshold=0.5
    )
    assert [(span.start, span.end, span.omission) for span in one.to_check] == [(3, 3, 0.9)]
    assert one.flagged


def test_a_token_has_one_id_under_both_names() -> None:
    token = ScoredToken(text="a", token_id=7)
    assert token.id == token.token_id == 7
    row = token.row()
    assert ScoredToken.of_row({**row, "token_id": row.pop("id")}) == token


def test_tuples_and_objects_are_pairs() -> None:
    assert Pair.of(("a", "b")) == Pair("a", "b")
    row = {"source": "a", "hypothesis": "b", "id": 3, "annotations": []}
    assert Pair.of(row) == Pair("a", "b", extra={"id": 3}, errors=())
    with pytest.raises(TypeError, match="an object with `hypothesis`"):
        Pair.of({"mt": "b"})


def test_a_notebook_shows_marked_and_escaped_text() -> None:
    html = scored()._repr_html_()
    assert html == scored().to_html()
    assert "&lt;b&gt;" in html
    assert "<b>Ein" not in html
    assert html.count("underline wavy") == 2  # Hund, läuft
    assert "no error 40%" in html
