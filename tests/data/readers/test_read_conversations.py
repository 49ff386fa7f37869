import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from made_tables import read_jsonl

from headwise.data.readers import Layout, read_pairs
from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.pairs import Pair, Reject

SYSTEM = {"role": "system", "content": "Be brief."}
USER = {"role": "user", "content": "yes?"}
ASSISTANT = {"role": "assistant", "content": "ja"}
AGAIN = {"role": "user", "content": "no?"}
SECOND = {"role": "assistant", "content": "nein"}


def read(row: dict[str, Any], **layout: Any) -> list[Pair | Reject]:
    content = json.dumps(row).encode()
    return list(read_jsonl(BytesIO(content), "pairs.jsonl", Layout(**layout)))


def test_every_assistant_turn_is_a_hypothesis() -> None:
    messages = [SYSTEM, USER, ASSISTANT, AGAIN, SECOND, AGAIN]
    extra = {"id": 3, "source": "the web"}
    assert read({"messages": messages, **extra}) == [
        Pair("yes?", "ja", 1, extra, history=(SYSTEM, USER)),
        Pair("no?", "nein", 1, extra, history=(SYSTEM, USER, ASSISTANT, AGAIN)),
    ]


def test_assistant_may_begin_after_a_system_message() -> None:
    assert read({"Messages": [SYSTEM, ASSISTANT]}) == [Pair(None, "ja", 1, history=(SYSTEM,))]


def test_parts_of_text_are_one_text() -> None:
    parts = [{"type": "text", "text": "ye"}, {"type": "input_text", "text": "s?"}]
    developer = {"role": "developer", "content": "Be brief."}
    assert read({"messages": [developer, {"role": "user", "content": parts}, ASSISTANT]}) == [
        Pair("yes?", "ja", 1, history=(SYSTEM, USER))
    ]


def test_named_columns_are_taken_instead() -> None:
    row = {"messages": [USER, ASSISTANT], "src": "a", "mt": "b"}
    expected = [Pair("a", "b", 1, {"messages": [USER, ASSISTANT]})]
    assert read(row, source_column="src") == expected
    assert read({**row, "src": "c"}, has_source=False) == [
        Pair(None, "b", 1, {"messages": [USER, ASSISTANT], "src": "c"})
    ]


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([], "None of the 0 messages is the assistant's"),
        ([SYSTEM, USER], "None of the 2 messages is the assistant's"),
        ([ASSISTANT, USER, SECOND], "The first message is the assistant's"),
        ("yes?", "`messages` must be a list of messages, got str"),
        (None, "`messages` must be a list of messages, got null"),
        (["yes?", "ja"], "Message 1 must be an object, got str"),
        ([USER, {"role": "assistant"}], "content of message 2 must be a string, got null"),
        (
            [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}, ASSISTANT],
            "content of message 1 has a part of type 'image_url'; only `text` is read",
        ),
        (
            [{"role": "user", "content": ["yes?"]}, ASSISTANT],
            "content of message 1 has a part of type 'str'",
        ),
        (
            [{"role": "user", "content": [{"type": "text"}]}, ASSISTANT],
            "A text of message 1 must be a string, got null",
        ),
        (
            [USER, {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}],
            "Message 2 holds `tool_calls`",
        ),
        (
            [USER, {"role": "tool", "content": "3"}, ASSISTANT],
            "role of message 2 must be system, user or assistant, got 'tool'",
        ),
        (
            [{"from": "human", "value": "yes?"}],
            "role of message 1 must be system, user or assistant, got None",
        ),
        ([{"role": ["user"], "content": "yes?"}], "role of message 1 must be"),
    ],
)
def test_bad_conversation_is_one_reject(messages: Any, reason: str) -> None:
    row = {"messages": messages, "id": 1}
    good = json.dumps({"messages": [USER, ASSISTANT]})
    content = "\n".join([good, json.dumps(row), good]).encode()
    before, reject, after = read_jsonl(BytesIO(content), "pairs.jsonl", Layout())
    assert isinstance(before, Pair)
    assert isinstance(after, Pair)
    assert isinstance(reject, Reject)
    assert (reject.line, reject.content) == (2, json.dumps(row))
    assert reason in reject.reason


def test_annotations_belong_to_the_only_assistant_turn() -> None:
    marks = {"annotations": [{"start": 0, "end": 2, "severity": "major"}]}
    (pair,) = read({"messages": [USER, ASSISTANT], **marks})
    assert pair == Pair("yes?", "ja", 1, {}, (USER,), (ErrorSpan(0, 2, "major"),))
    (reject,) = read({"messages": [USER, ASSISTANT, AGAIN, SECOND], **marks})
    assert isinstance(reject, Reject)
    assert "could belong to each of the 2 assistant turns" in reject.reason


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    named = {**USER, "name": None}  # Arrow gives every message the keys of all
    conversations = [[named, ASSISTANT], [ASSISTANT], None]
    pyarrow.parquet.write_table(pyarrow.table({"messages": conversations, "n": [1, 2, 3]}), path)
    pair, *rejects = read_pairs(path)
    assert pair == Pair("yes?", "ja", 1, {"n": 1}, history=(USER,))
    assert [(type(reject), reject.line) for reject in rejects] == [(Reject, 2), (Reject, 3)]
