import gzip
import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_tables import read_jsonl

from headwise.data.readers import Layout, align_words, read_pairs, read_tags
from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.pairs import Pair, Reject
from headwise.data.records.tagged_words import parse_tags, spaced_words
from headwise.data.records.word_tags import WordTags, place_tags, read_word_tags
from headwise.errors import DataError, InputError

TEXT = "Er sagt: „Ja.“"
WORDS = ["Er", "sagt", ":", "„", "Ja", ".", "“"]
RANGES = [(0, 2), (3, 7), (7, 8), (9, 10), (10, 12), (12, 13), (13, 14)]


def test_words_are_found_in_the_raw_text() -> None:
    assert align_words(WORDS, TEXT) == RANGES
    assert align_words([], " \n") == []
    assert align_words(["20\u202f000", "m"], "20 000\u00a0m") == [(0, 6), (7, 8)]
    assert align_words(["🚀", "b"], "🚀b") == [(0, 1), (1, 2)]  # counted in code points
    assert align_words(["der", "ÄRA"], "Der Ära") == [(0, 3), (4, 7)]  # corpora change the case


@given(st.lists(st.text(min_size=1).filter(lambda t: not any(map(str.isspace, t)))))
def test_a_tokenised_text_is_its_own_raw_text(words: list[str]) -> None:
    text = " ".join(words)
    assert [text[start:end] for start, end in align_words(words, text)] == words
    glued = "".join(words)
    assert [glued[start:end] for start, end in align_words(words, glued)] == words


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["Er", "sage"], r"Word 2, 'sage', .* goes on with: 'sagt: „Ja.“' \(character 3\)"),
        ([*WORDS, "x"], "Word 8, 'x', is not what the text goes on with: nothing"),
        (WORDS[:-1], r"After the last of the 6 words, .* '“' \(character 13\)"),
        (["Er", " "], "Word 2 is empty"),
        ([], "After the last of the 0 words"),
    ],
)
def test_where_words_and_text_part(words: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        align_words(words, TEXT)


def test_only_ascii_spaces_part_words() -> None:
    text = "10\u00a0% von  ab\u3000c \u00a0 d"
    words = ["10\u00a0%", "von", "ab\u3000c", "\u00a0", "d"]
    assert spaced_words(text) == words
    assert [text[start:end] for start, end in align_words(words, text)] == words


def test_tags_of_words_and_gaps() -> None:
    ranges = ((0, 2), (3, 5))
    assert place_tags(parse_tags("OK BAD"), ranges) == WordTags(ranges, (False, True))
    assert place_tags(parse_tags("BAD OK OK BAD OK"), ranges) == WordTags(
        ranges, (False, True), (True, False, False)
    )
    assert place_tags((), ()) == WordTags((), ())
    assert place_tags((True,), ()) == WordTags((), (), (True,))
    with pytest.raises(ValueError, match=r"2 words need 2 tags, or 5 .* there are 3"):
        place_tags(parse_tags("OK OK OK"), ranges)
    with pytest.raises(ValueError, match="Tag 2 must be OK or BAD, got 'ok'"):
        parse_tags("OK ok")


def test_wrong_words_are_error_spans() -> None:
    tags = WordTags(((0, 2), (3, 5), (5, 6)), (False, True, True), (True, False, False, False))
    assert tags.errors == (ErrorSpan(3, 5, category="BAD"), ErrorSpan(5, 6, category="BAD"))
    with pytest.raises(ValueError, match="each of the 1 words, got 2"):
        WordTags(((0, 2),), (True, False))
    with pytest.raises(ValueError, match="each of the 2 gaps, got 1"):
        WordTags(((0, 2),), (True,), (False,))


def test_files_of_tags(tmp_path: Path) -> None:
    path = tmp_path / "tags.gz"
    path.write_bytes(gzip.compress(b"OK BAD\n\nBAD\r\n"))
    assert list(read_tags(path)) == [(False, True), (), (True,)]
    path = tmp_path / "tags"
    path.write_text("OK\nOK GOOD\n")
    with pytest.raises(DataError, match=r"Line 2 of .*tags`: Tag 2 must be OK or BAD, got 'GOOD'"):
        list(read_tags(path))
    path.write_bytes(b"OK\n\xff\n")
    with pytest.raises(DataError, match=r"Line 2 .* not UTF-8"):
        list(read_tags(path))
    with pytest.raises(DataError, match="cannot be opened"):
        list(read_tags(tmp_path / "none"))


TAGS = WordTags(((0, 2), (3, 7)), (False, True), (False, False, True))


def read(tags: Any) -> Pair | Reject:
    row = {"src": "yes no", "mt": "ja nein", "word_tags": tags}
    (result,) = read_jsonl(BytesIO(json.dumps(row).encode()), "pairs.jsonl", Layout())
    return result


def test_tags_in_a_row(tmp_path: Path) -> None:
    tagged = Pair("yes no", "ja nein", 1, errors=TAGS.errors, tags=TAGS)
    assert read(TAGS.as_dict()) == tagged
    assert read(None) == Pair("yes no", "ja nein", 1)
    words = WordTags(TAGS.ranges, TAGS.bad)
    assert "bad_gaps" not in words.as_dict()
    assert read(words.as_dict()) == replace(tagged, tags=words)
    rows = {"src": ["yes no"], "mt": ["ja nein"], "word_tags": [TAGS.as_dict()]}
    pyarrow.parquet.write_table(pyarrow.table(rows), tmp_path / "a.parquet")
    assert list(read_pairs(tmp_path / "a.parquet")) == [tagged]


@pytest.mark.parametrize(
    "tags",
    [
        "OK OK OK BAD BAD",
        ["OK", "OK", "OK", "BAD", "BAD"],
        [0, 0, 0, 1, 1],
        {"words": ["ja", "nein"], "bad": ["OK", "BAD"], "bad_gaps": [0, 0, 1]},
    ],
)
def test_tags_as_corpora_have_them(tags: Any) -> None:
    assert read(tags) == Pair("yes no", "ja nein", 1, errors=TAGS.errors, tags=TAGS)


def test_other_marks_of_a_tagged_text_are_its_errors() -> None:
    mark = {"start": 0, "end": 1, "category": "Style"}
    row = {"src": "a", "mt": "ja nein", "word_tags": TAGS.as_dict(), "annotations": [mark]}
    (pair,) = read_jsonl(BytesIO(json.dumps(row).encode()), "pairs.jsonl", Layout())
    assert pair == Pair("a", "ja nein", 1, errors=(ErrorSpan(0, 1, None, "Style"),), tags=TAGS)


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        (5, "`word_tags` must be a list of OK and BAD, or an object with `words` and `bad`"),
        ({"words": []}, "or an object with `words` and `bad`"),
        (["OK"], "2 words need 2 tags, or 5 with those of the gaps around them; there are 1"),
        ("OK GOOD", "Tag 2 must be OK or BAD, got 'GOOD'"),
        ([0, 2], "Tag 2 must be OK or BAD, got 2"),
        ({"words": ["ja", "wohl"], "bad": [0, 1]}, "Word 2, 'wohl', is not what the text goes on"),
        ({"words": {}, "bad": []}, "`words` of `word_tags` must be a list, got dict"),
        ({"words": [[0]], "bad": [1]}, r"Word 1 of `word_tags` must be [start, end], got [0]"),
        ({"words": [[0, True]], "bad": [1]}, "Word 1 of `word_tags` must be [start, end]"),
        ({"words": [[0, 8]], "bad": [1]}, "from 0 to 8 of a hypothesis that has 7"),
        ({"words": [[2, 2]], "bad": [1]}, "from 2 to 2"),
        ({"words": [[0, 3], [2, 4]], "bad": [1, 0]}, "Word 2 of `word_tags` begins inside"),
        ({"words": [[0, 3]], "bad": [2]}, "`bad` of `word_tags` must be a list of 0 and 1"),
        ({"words": [[0, 3]], "bad": "1"}, "`bad` of `word_tags` must be a list of 0 and 1"),
        ({"words": [[0, 3]], "bad": []}, "each of the 1 words, got 0"),
        ({"words": [[0, 3]], "bad": [0], "bad_gaps": [0]}, "each of the 2 gaps, got 1"),
    ],
)
def test_bad_tags_reject_the_row(tags: Any, reason: str) -> None:
    reject = read(tags)
    assert isinstance(reject, Reject)
    assert reason in reject.reason
    with pytest.raises(InputError):
        read_word_tags(tags, "ja nein")


def test_tags_of_a_conversation_belong_to_its_only_turn() -> None:
    said = [{"role": "user", "content": "yes"}, {"role": "assistant", "content": "ja nein"}]
    row = {"messages": said, "word_tags": TAGS.as_dict()}
    (pair,) = read_jsonl(BytesIO(json.dumps(row).encode()), "a.jsonl", Layout())
    assert isinstance(pair, Pair)
    assert pair.tags == TAGS
    row["messages"] = said * 2
    (reject,) = read_jsonl(BytesIO(json.dumps(row).encode()), "a.jsonl", Layout())
    assert isinstance(reject, Reject)
    assert "`word_tags` could belong to each of the 2 assistant turns" in reject.reason
