import gzip
import json
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from headwise.data.readers import join_numbers, read_numbers
from headwise.data.records.json_values import parse_number
from headwise.data.records.pairs import Pair
from headwise.errors import DataError


def file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


@pytest.mark.parametrize(
    ("value", "number"),
    [
        *((None, None), ("", None), (" NaN ", None), (float("nan"), None), (1, 1.0)),
        *(("-1e-3 ", -0.001), ("0,85", 0.85), ("-0,125", -0.125), ("1,5e3", 1500.0), (",5", 0.5)),
    ],
)
def test_numbers(value: object, number: float | None) -> None:
    assert parse_number(value) == number


@pytest.mark.parametrize(
    "value", ["x", "1.000,5", "1,000.5", True, "inf", -float("inf"), [], "1_0", 10**400, {}]
)
def test_what_is_no_number(value: object) -> None:
    with pytest.raises(ValueError, match="number is needed, got"):
        parse_number(value)


@pytest.mark.parametrize("value", ["1,234", "-12,345", "999,000"])
def test_a_number_that_could_be_two(value: str) -> None:
    with pytest.raises(ValueError, match="or a thousand times it"):
        parse_number(value)


@pytest.mark.parametrize(
    ("name", "text", "column"),
    [
        ("scores", "0.5\n\n-2\n", None),
        ("scores.txt", "0.5\nnan\n-2", None),
        ("scores.tsv", "0.5\n \n-2\n", None),
        ("scores.gz", "0.5\r\nNaN\r\n-2\r\n", None),
        ("scores.tsv", "score\n0.5\n\n-2\n", None),
        ("scores.tsv", "text\tscore\na\t0.5\n1\t\nc\t-2\n\n", None),
        ("scores.tsv.gz", "id\tscore\n1\t0.5\n2\tnan\n3\t-2\n", "score"),
        (
            "scores.jsonl",
            '{"x": 0.5, "t": "a"}\n{"x": null, "t": "1"}\n{"x": "-2", "t": 1}\n',
            None,
        ),
        ("scores.jsonl.gz", '{"x": 0.5, "y": 1}\n{"x": NaN, "y": 1}\n{"x": -2, "y": 1}\n\n', "x"),
        (
            "s.jsonl",
            "".join(
                json.dumps({"id": 7, "hypothesis": "a", "score": x, "signals": {"rank": 1}}) + "\n"
                for x in (0.5, None, -2)
            ),
            None,
        ),
        (
            "s.jsonl",
            "".join(
                json.dumps({"hypothesis": "a", "score": 3, "signals": {"rank": x}}) + "\n"
                for x in (0.5, None, -2)
            ),
            "rank",
        ),
    ],
)
def test_formats(tmp_path: Path, name: str, text: str, column: str | None) -> None:
    assert read_numbers(file(tmp_path, name, text), column=column) == [0.5, None, -2.0]


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = {"mt": ["a", "b"], "score": [0.5, None], "rank": [1, 2], "parts": [[1], [2]]}
    pyarrow.parquet.write_table(pyarrow.table(table), path)
    assert read_numbers(path, column="score") == [0.5, None]
    with pytest.raises(DataError, match="columns of numbers: `score`, `rank`"):
        read_numbers(path)
    with pytest.raises(DataError, match=r"`mt` in line 2 of .* is 'b'"):
        join_numbers(path, "score", [Pair(None, "a"), Pair(None, "c")])
    path.write_bytes(b"PAR1")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        read_numbers(path, column="score")


@pytest.mark.parametrize(
    ("name", "text", "column", "message"),
    [
        ("a.txt", "0.5\nhigh\n", None, "In line 2 of .*: a number is needed, got 'high'"),
        ("a.txt", "0.5\n0.5\t1\n", None, "Line 2 of .* has 2 columns, expected 1"),
        ("a.txt", "1\ninf\n", None, "line 2 .* a finite number is needed, got 'inf'"),
        ("a.tsv", "a\tb\n1\t2\n", None, "columns of numbers: `a`, `b`"),
        ("a.tsv", "a\tb\nx\t\n", None, "columns of numbers: none"),
        ("a.tsv", "a\tb\n1\t2\n", "c", "Line 2 of .* has no `c`; it has `a`, `b`"),
        ("a.tsv", "a\ta\n1\t2\n", "a", "more than one column called `a`"),
        ("a.tsv", "a\tb\n1\t2\n\n3\t4\n", "a", "Line 3 of .* is empty"),
        ("a.jsonl", '{"a": 1}\n{"b": 1}\n', "a", "Line 2 of .* has no `a`; it has `b`"),
        ("a.jsonl", '{"a": 1}\n{"a": true}\n', "a", "In line 2 .* a number is needed, got True"),
        ("a.jsonl", '{"a": 1}\n[2]\n', "a", "Line 2 of .* must be a JSON object"),
        ("a.jsonl", '{"a": 1}\n{"a": \n', "a", "Line 2 of .*: Invalid JSON at character"),
        ("a.txt", "", None, "columns of numbers: none"),
        ("a.txt", "\ufeff1\n\x00\n", None, "In line 2"),
    ],
)
def test_bad_files(tmp_path: Path, name: str, text: str, column: str | None, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_numbers(file(tmp_path, name, text), column=column)


ROWS = [Pair("one", "eins"), Pair("two", "zwei\tund"), Pair("three", "drei")]


def test_joining(tmp_path: Path) -> None:
    bare = file(tmp_path, "a.txt", "1\n\n3\n")
    assert join_numbers(bare, None, ROWS) == [1.0, None, 3.0]
    text = "src\tmt\tcomet\none\teins\t1\ntwo\tzwei\\tund\t2\nthree\tdrei\t3\n"
    assert join_numbers(file(tmp_path, "a.tsv", text), None, ROWS) == [1.0, 2.0, 3.0]
    lines = [json.dumps({"mt": row.hypothesis, "x": 1}) + "\n" for row in ROWS]
    assert join_numbers(file(tmp_path, "a.jsonl", "".join(lines)), "x", ROWS) == [1.0] * 3


@pytest.mark.parametrize("numbers", ["1\n2\n", "1\n2\n3\n4\n", "1\n2\n3\n\n"])
def test_files_of_different_lengths_are_never_cut(tmp_path: Path, numbers: str) -> None:
    count = numbers.count("\n")
    with pytest.raises(DataError, match=f"has {count} rows, and there are 3 to join them to"):
        join_numbers(file(tmp_path, "a.txt", numbers), None, ROWS)


def test_the_first_row_of_another_text_is_named(tmp_path: Path) -> None:
    text = "source\tx\none\t1\nthree\t2\ntwo\t3\n"
    with pytest.raises(DataError, match=r"`source` in line 3 of .* is 'three', and .* 'two'"):
        join_numbers(file(tmp_path, "a.tsv", text), "x", ROWS)
