import json
from io import BytesIO
from typing import Any

import pytest
from made_tables import read_jsonl

from headwise.data.readers import Layout
from headwise.data.readers.nested_rows import as_pair
from headwise.data.records.pairs import Pair, Reject
from headwise.errors import InputError

USER, ANSWER = {"role": "user", "content": "yes?"}, {"role": "assistant", "content": "ja"}
ASKED = Pair("yes?", "ja", history=(USER,))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (("yes?", "ja"), Pair("yes?", "ja")),
        ((None, "ja"), Pair(None, "ja")),
        (ASKED, ASKED),
        (([USER], "ja"), ASKED),
        ([USER, ANSWER], ASKED),
        ({"messages": [USER, ANSWER], "id": 1}, Pair("yes?", "ja", 0, {"id": 1}, (USER,))),
        ({"prompt": "yes?", "response": "ja"}, Pair("yes?", "ja")),
        ({"prompt": [USER], "completion": [ANSWER]}, ASKED),
        ({"translation": {"en": "yes?", "de": "ja"}}, Pair("yes?", "ja")),
    ],
)
def test_what_stands_for_a_pair(value: Any, expected: Pair) -> None:
    assert as_pair(value) == expected


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ({"text": "ja"}, InputError, "there is no source"),
        ({"prompt": [USER], "response": [USER]}, InputError, "one message of the assistant"),
        ({"prompt": [], "response": "ja"}, InputError, "has no messages"),
        ({"prompt": [USER], "response": None}, InputError, "answer must be a string, got null"),
        ([USER], InputError, "None of the 1 messages"),
        ("yes", TypeError, "must be"),
        (5, TypeError, "must be"),
    ],
)
def test_what_does_not(value: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        as_pair(value)


def test_prompts_of_messages_in_files() -> None:
    row = {"prompt": [USER, ANSWER, USER], "response": "ja", "id": 1}
    bad = {"prompt": ["yes?"], "response": "ja"}
    content = "\n".join(map(json.dumps, (row, bad))).encode()
    pair, reject = read_jsonl(BytesIO(content), "a.jsonl", Layout())
    assert pair == Pair("yes?", "ja", 1, {"id": 1}, history=(USER, ANSWER, USER))
    assert isinstance(reject, Reject)
