import json
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_tables import read_jsonl

from headwise.data.readers import Layout
from headwise.data.records.pairs import Pair, Reject
from headwise.documents import MAX_NESTING

TEXT = st.text(st.characters(exclude_categories=[]))


def read(content: bytes, **layout: Any) -> list[Pair | Reject]:
    return list(read_jsonl(BytesIO(content), "pairs.jsonl", Layout(**layout)))


def test_keys_and_extra() -> None:
    rows = read(b'{"id": 7, "SRC": "yes", "mt": "ja", "tags": ["x", null]}\n')
    assert rows == [Pair("yes", "ja", 1, {"id": 7, "tags": ["x", None]})]


def test_keys_may_differ_from_row_to_row() -> None:
    rows = read(b'{"src": "a", "mt": "b"}\n{"source": "c", "target": "d"}\n')
    assert rows == [Pair("a", "b", 1), Pair("c", "d", 2)]


def test_chosen_keys() -> None:
    rows = read(b'{"mt": "x", "text": "b"}\n', hypothesis_column="text", has_source=False)
    assert rows == [Pair(None, "b", 1, {"mt": "x"})]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"src": "a" "mt": "b"}', "character 13 of the line: Expecting ',' delimiter"),
        (b'{"src": "a"', "Invalid JSON at character"),
        (b'["a", "b"]', "must be a JSON object, got list"),
        (b'{"src": "a"}', "no hypothesis"),
        (b'{"mt": "a"}', "no source"),
        (b'{"src": "a", "mt": "b", "hyp": "c"}', "could each be the hypothesis"),
        (b'{"src": "a", "mt": 3}', "`mt` must be a string, got int"),
        (b'{"src": null, "mt": "b"}', "`src` must be a string, got null"),
        (b'{"src": "a", "mt": "b", "n": ' + b"9" * 5000 + b"}", "Invalid JSON"),
        (b'{"src": "a", "mt": "b", "n": ' + b"[" * 65 + b"]" * 65 + b"}", "nested more than"),
        (b"[" * 100_000, "nested more than"),
        (b'{"src": "\xff", "mt": "b"}', "0xff at position 10"),
        (b"", "empty"),
    ],
)
def test_bad_line_does_not_spoil_its_neighbours(line: bytes, reason: str) -> None:
    good = b'{"src": "a", "mt": "b"}\n'
    rows = read(good + line + b"\n" + good)
    assert [type(row) for row in rows] == [Pair, Reject, Pair]
    reject = rows[1]
    assert isinstance(reject, Reject)
    assert reject.line == 2
    assert reason in reject.reason
    assert reject.content == line.decode("utf-8", "backslashreplace")


def test_nesting_up_to_the_limit() -> None:
    deepest = b"[" * (MAX_NESTING - 1) + b"]" * (MAX_NESTING - 1)
    assert isinstance(read(b'{"src": "a", "mt": "b", "n": ' + deepest + b"}")[0], Pair)


@pytest.mark.parametrize("ascii_only", [True, False])
@given(pairs=st.lists(st.tuples(TEXT, TEXT)))
def test_any_text(ascii_only: bool, pairs: list[tuple[str, str]]) -> None:
    """Lone surrogates can be written as escapes; whether they can be scored is asked later."""
    content = "".join(
        json.dumps({"source": source, "hypothesis": text}, ensure_ascii=ascii_only) + "\n"
        for source, text in pairs
    ).encode("utf-8", "backslashreplace")
    joined = json.loads(json.dumps(pairs))  # two surrogates that make a character become it
    expected = [Pair(source, text, line) for line, (source, text) in enumerate(joined, start=1)]
    assert read(content) == expected
