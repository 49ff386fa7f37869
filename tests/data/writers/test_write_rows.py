import datetime
import decimal
import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from headwise.data.records.pairs import Reject
from headwise.data.records.scored import ScoredHypothesis, ScoredToken
from headwise.data.records.signals import Signal
from headwise.data.writers import json_line, reject_row, scored_row

SCORED = ScoredHypothesis(
    source="Yes.",
    hypothesis="Ja.",
    tokens=(
        ScoredToken(0.5, text="Ja", start=0, end=2),
        ScoredToken(0.75, text=".", start=2, end=3),
    ),
    special_tokens=(),
    signals=(Signal.SIGMOID,),
    extra={"id": 7, "score": 0.1, "source": "wiki", "input_score": "kept"},
)
TEXT = st.text(st.characters(exclude_categories=[]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner | TEXT) | st.dictionaries(TEXT, inner),
    max_leaves=10,
)


def test_columns_of_the_input_are_not_lost_under_ours() -> None:
    assert scored_row(SCORED, "sentence") == {
        "id": 7,
        "input_input_score": 0.1,
        "input_source": "wiki",
        "input_score": "kept",
        "source": "Yes.",
        "hypothesis": "Ja.",
        "score": 0.625,
        "signals": {"sigmoid": 0.625},
    }


def test_levels() -> None:
    assert [word["text"] for word in scored_row(SCORED, "word")["words"]] == ["Ja", "."]
    assert [token["sigmoid"] for token in scored_row(SCORED, "token")["tokens"]] == [0.5, 0.75]


def test_reject() -> None:
    assert reject_row(Reject(3, "why", "what")) == {"line": 3, "reason": "why", "content": "what"}


@given(st.dictionaries(TEXT, JSON))
def test_round_trip_of_anything_that_json_can_say(row: dict[str, Any]) -> None:
    line = json_line(row)
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    line.decode("utf-8", "strict")
    assert json.loads(line) == json.loads(json.dumps(row))


def test_readable_text_stays_readable() -> None:
    assert json_line({"a": 'Straße "日本" \u2028 🚀\t\n'}).decode() == (
        '{"a": "Straße \\"日本\\" \u2028 🚀\\t\\n"}\n'
    )


def test_lone_surrogates_become_escapes() -> None:
    line = json_line({"\udc80": "\\\ud800"})
    assert line == b'{"\\udc80": "\\\\\\ud800"}\n'
    assert json.loads(line) == {"\udc80": "\\\ud800"}


def test_values_that_json_does_not_have() -> None:
    row = {
        "nan": math.nan,
        "nested": [{"inf": math.inf}, (1.5, -math.inf)],
        "day": datetime.date(2026, 1, 31),
        "price": decimal.Decimal("1.10"),
        "bytes": b"a\xff",
    }
    assert json.loads(json_line(row)) == {
        "nan": None,
        "nested": [{"inf": None}, [1.5, None]],
        "day": "2026-01-31",
        "price": "1.10",
        "bytes": "a\\xff",
    }
