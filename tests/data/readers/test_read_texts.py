import gzip
import io
import sys
from pathlib import Path

import pytest

from headwise.data.readers.texts import read_texts, read_whole_text
from headwise.data.records.pairs import Pair, Reject
from headwise.errors import DataError

LINES = b"\xef\xbb\xbfone\ttab\r\n\nstra\xdfe\ntwo\n\n"


def test_lines_of_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_bytes(LINES)
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(LINES))
    (tmp_path / "notes").write_bytes(LINES)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(LINES)))
    for path in (tmp_path / "a.txt", tmp_path / "a.txt.gz", tmp_path / "notes", "-"):
        first, empty, broken, last = read_texts(path)
        assert first == Pair(None, "one\ttab", 1)
        assert isinstance(empty, Reject)
        assert isinstance(broken, Reject)
        assert (empty.line, broken.line) == (2, 3)
        assert last == Pair(None, "two", 4)


def test_a_column(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("id\tbody\n1\tx\n2\ty\n")
    assert [row.hypothesis for row in read_texts(tmp_path / "a.tsv", column="body")] == ["x", "y"]
    with pytest.raises(DataError, match="no `text`"):
        list(read_texts(tmp_path / "a.tsv", column="text"))
    for path in (tmp_path / "a.tsv", tmp_path / "a.parquet", tmp_path):
        with pytest.raises(DataError, match="has columns"):
            read_texts(path)
    with pytest.raises(DataError, match="no file"):
        read_texts(tmp_path / "none.txt")


def test_a_whole_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.md").write_bytes(b"\xef\xbb\xbfone\n\ntwo")
    assert read_whole_text(tmp_path / "a.md") == "one\n\ntwo"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"three")))
    assert read_whole_text("-") == "three"
    (tmp_path / "b.md").write_bytes(b"stra\xdfe")
    with pytest.raises(DataError, match=r"0xdf at position 5 of .*b.md"):
        read_whole_text(tmp_path / "b.md")
    (tmp_path / "c.gz").write_bytes(gzip.compress(b"a" * 100)[:-9])
    with pytest.raises(DataError, match="cannot be read"):
        read_whole_text(tmp_path / "c.gz")
    with pytest.raises(DataError, match="no file"):
        read_whole_text(tmp_path / "none.md")
