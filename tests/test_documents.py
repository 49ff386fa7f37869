"""JSON and YAML from outside: a value, or an error that says what is wrong."""

from pathlib import Path

import pytest

from headwise import documents
from headwise.documents import MAX_NESTING, parse_json, parse_yaml, read_json, read_object
from headwise.errors import DataError


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, f"nested more than {MAX_NESTING} levels deep"),
        ("[" * 80 + "]" * 80, "nested more than"),
        ('{"a":' * 80 + "1" + "}" * 80, "nested more than"),
        ("9" * 5000, "Invalid JSON: Exceeds the limit"),
        ("NaN", "NaN is no number"),
        ('{"a": -Infinity}', "-Infinity is no number"),
        ("1e999", "1e999 is too large"),
        ('{"a": 1, "b": {"c": 1, "c": 2}}', "'c' stands there twice"),
        ('{"a" 1}', "character 6 of the line: Expecting ':' delimiter"),
        ('{\n "a": ]\n}', "character 7 of line 2: Expecting value"),
        ("", "character 1 of the line: Expecting value"),
    ],
)
def test_what_is_no_json_is_named(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        parse_json(text)


def test_json_is_what_it_says() -> None:
    assert parse_json('{"a": [1, 2.5, null, "ü"], "b": {"a": true}}') == {
        "a": [1, 2.5, None, "ü"],
        "b": {"a": True},
    }
    assert parse_json("[NaN, 1e999]", allow_nan=True)[1] == float("inf")
    assert parse_json("[" * MAX_NESTING + "]" * MAX_NESTING)


# Nine lines that stand for 9 to the ninth values, and a list that holds itself
_BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (_BOMB, "stands for more than"),
        ("&a [*a]", "nested more than"),
        ("[" * 500, "nested more than"),
        ("a: 1\na: 2", "'a' stands there twice"),
        ("a: 2024-13-45", "Invalid YAML: month must be in"),
        ("9" * 5000, "Invalid YAML: Exceeds the limit"),
        ("!!timestamp x", "Invalid YAML"),
        ("!!int ''", "Invalid YAML"),
        ("!!python/object/apply:os.system ['false']", "could not determine a constructor"),
        ("a: [b", "Invalid YAML"),
        ("\x00", "special characters are not allowed"),
    ],
)
def test_what_is_no_yaml_is_named(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        parse_yaml(text)


def test_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    with pytest.raises(FileNotFoundError):
        read_json(path)
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}')  # as editors under Windows write it
    assert read_object(path) == {"a": 1}
    path.write_text("[]")
    with pytest.raises(DataError, match=r"a\.json must hold an object, got \[\]"):
        read_object(path)
    path.write_text('{"a": 1}', "utf-16")
    with pytest.raises(DataError, match=r"a\.json is damaged: byte 0xff at position 1"):
        read_json(path)
    monkeypatch.setattr(documents, "MAX_BYTES", 1000)
    path.write_text('"' + "x" * 1000 + '"')
    with pytest.raises(DataError, match=r"a\.json is damaged: it is longer than 1,000 bytes"):
        read_json(path)
    with pytest.raises(DataError, match="it is not a file"):
        read_json(tmp_path)
