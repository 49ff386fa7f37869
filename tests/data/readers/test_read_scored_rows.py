import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from headwise.data.readers import is_scored, read_scored, read_scored_rows
from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.scored import Level, ScoredHypothesis, ScoredToken
from headwise.data.records.signals import Signal
from headwise.data.records.word_tags import WordTags
from headwise.data.writers import (
    RESERVED_NAMES,
    beside_reserved,
    input_column,
    json_line,
    scored_row,
)
from headwise.errors import DataError

TOKENS = (
    ScoredToken(sigmoid=0.25, rank=3.0, text="ja", token_id=5, start=0, end=2),
    ScoredToken(sigmoid=0.75, rank=1.0, text="!", token_id=6, start=2, end=3),
)
SCORED = ScoredHypothesis(
    "yes",
    "ja!",
    TOKENS,
    (),
    (Signal.SIGMOID, Signal.RANK),
    {"score": 80, "id": "a"},
    errors=(ErrorSpan(0, 2),),
    tags=WordTags(((0, 2),), (True,)),
)
EMPTY = replace(SCORED, tokens=(), extra=None, errors=None, tags=None)


def write(path: Path, *rows: ScoredHypothesis, level: Level) -> Path:
    lines = b"".join(json_line(scored_row(row, level)) for row in rows)
    path.write_bytes(gzip.compress(lines) if path.suffix == ".gz" else lines)
    return path


@pytest.mark.parametrize("level", ["sentence", "word", "token"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_rows_of_any_level(tmp_path: Path, name: str, level: Level) -> None:
    path = write(tmp_path / name, SCORED, EMPTY, level=level)
    assert is_scored(path)
    first, second = read_scored_rows(path)
    assert (first.line, second.line) == (1, 2)
    assert first.means == {Signal.SIGMOID: 0.5, Signal.RANK: 2.0}
    assert second.means == {Signal.SIGMOID: None, Signal.RANK: None}
    assert first.has_tokens is second.has_tokens is (level == "token")
    assert first.scored.tokens == (TOKENS if level == "token" else ())
    assert first.scored.extra == {"input_score": 80, "id": "a"}
    assert first.scored.errors == SCORED.errors
    assert first.scored.tags == SCORED.tags
    assert (first.scored.source, first.scored.hypothesis) == ("yes", "ja!")
    if level == "token":
        assert [row.scored for row in read_scored_rows(path)] == list(read_scored(path))
    else:
        with pytest.raises(DataError, match=r"Line 1 .* not a hypothesis scored at token level"):
            list(read_scored(path))


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        "{",
        '{"source": "a", "hypothesis": "b"}',
        '{"hypothesis": "b", "signals": {"loss": 1}}',
        '{"hypothesis": "b", "signals": {"rank": "high"}}',
        '{"hypothesis": "b", "signals": {}, "tokens": [5]}',
        '{"hypothesis": "b", "signals": {}, "tokens": null}',
        '{"hypothesis": "b", "signals": [], "annotations": [{"start": 0, "end": 2}]}',
        "\xff",
    ],
)
def test_lines_that_are_not_ours(tmp_path: Path, line: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(json_line(scored_row(SCORED, "token")) + line.encode("latin-1") + b"\n")
    with pytest.raises(DataError, match=r"Line 2 of .* is not a hypothesis scored \("):
        list(read_scored_rows(path))
    with pytest.raises(DataError, match=r"Line 2 of .* is not a hypothesis scored at token"):
        list(read_scored(path))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", False),
        (b"source\thypothesis\tsignals\n", False),
        (b'{"source": "a", "hypothesis": "b"}\n', False),
        (b'{"hypothesis": "b", "signals": "x"}\n', False),
        (b"\xff\n", False),
        (b'\xef\xbb\xbf{"hypothesis": "b", "signals": {}}', True),
    ],
)
def test_what_is_scored(tmp_path: Path, content: bytes, expected: bool) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    assert is_scored(path) is expected
    with pytest.raises(DataError, match="There is no file"):
        is_scored(tmp_path / "b")


@pytest.mark.parametrize(
    ("extra", "column", "found"),
    [
        ({"score": 1}, "score", "input_score"),
        ({"id": 1}, "id", "id"),
        ({"score": 1, "input_score": 2}, "score", "input_input_score"),
        ({"score": 1, "input_score": 2}, "input_score", "input_score"),
        ({"sigmoid": 1, "words": 2}, "sigmoid", "input_sigmoid"),
    ],
)
def test_columns_of_the_input_are_found_again(
    extra: dict[str, Any], column: str, found: str
) -> None:
    row = beside_reserved(extra)
    assert not RESERVED_NAMES & set(row)
    assert input_column(row, column) == found
    assert row[found] == extra[column]


def test_a_column_that_is_not_there() -> None:
    with pytest.raises(LookupError, match="no column `gold`; the input brought `id`, `mean`"):
        input_column(["id", "mean"], "gold")
    with pytest.raises(LookupError, match="the input brought none"):
        input_column([], "score")


def test_what_is_written_is_never_hidden_by_the_input() -> None:
    quality = replace(
        SCORED,
        signals=(Signal.SIGMOID,),
        extra={"threshold": 9, "annotations": "x"},
        threshold=0.5,
    )
    row = json.loads(json_line(scored_row(quality, "sentence")))
    assert (row["threshold"], row["input_threshold"], row["input_annotations"]) == (0.5, 9, "x")
