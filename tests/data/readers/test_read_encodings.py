import logging
from pathlib import Path

import pytest

from headwise.data.readers import Layout, read_pairs, read_parallel_text
from headwise.data.records.pairs import Pair, Reject
from headwise.errors import DataError

TEXT = "source\tmt\nStraße\t街\nĳ\tЖ\n"
EXPECTED = [Pair("Straße", "街", 2), Pair("ĳ", "Ж", 3)]


@pytest.mark.parametrize("name", ["a.tsv", "a.csv"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_is_told_by_itself(tmp_path: Path, name: str, encoding: str) -> None:
    (tmp_path / name).write_bytes(TEXT.replace("\n", "\r\n").encode(encoding))
    assert list(read_pairs(tmp_path / name)) == EXPECTED


@pytest.mark.parametrize("order", ["le", "be"])
def test_utf16_by_name_without_a_mark(tmp_path: Path, order: str) -> None:
    for width in ("16", "32"):
        (tmp_path / "a.tsv").write_bytes(TEXT.encode(f"utf-{width}-{order}"))
        assert list(read_pairs(tmp_path / "a.tsv", Layout(encoding=f"UTF_{width}"))) == EXPECTED


def test_jsonl_in_utf16(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes('{"src": "ä", "mt": "ö"}\n'.encode("utf-16-be"))
    assert list(read_pairs(tmp_path / "a.jsonl")) == [Pair("ä", "ö", 1)]


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "mac_roman", "cp437", "gb18030"])
def test_code_pages_by_name(tmp_path: Path, encoding: str) -> None:
    text = "source;mt\n" + "Grüße;für\n" * 9000
    (tmp_path / "a.csv").write_bytes(text.encode(encoding))
    rows = list(read_pairs(tmp_path / "a.csv", Layout(encoding=encoding)))
    assert rows == [Pair("Grüße", "für", line) for line in range(2, 9002)]
    rejects = [row for row in read_pairs(tmp_path / "a.csv") if isinstance(row, Reject)]
    assert len(rejects) == 9000
    assert "--encoding" in rejects[0].reason


def test_parallel_text_in_a_code_page(tmp_path: Path) -> None:
    for name, text in (("a", "ä\n"), ("b", "ö\n")):
        (tmp_path / name).write_bytes(text.encode("cp1252"))
    pairs = read_parallel_text(tmp_path / "a", tmp_path / "b", encoding="cp1252")
    assert list(pairs) == [Pair("ä", "ö", 1)]


def test_bytes_that_an_encoding_lacks_reject_their_line(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_bytes(b"a\tb\n\x81\tc\nd\te\n")
    first, bad, last = read_pairs(tmp_path / "a.tsv", Layout(encoding="cp1252", header=False))
    assert isinstance(bad, Reject)
    assert (bad.line, bad.content) == (2, "\\udc81\tc")
    assert "not cp1252" in bad.reason
    assert (first, last) == (Pair("a", "b", 1), Pair("d", "e", 3))
    (tmp_path / "b.tsv").write_bytes("a\tb\n".encode("utf-16") + b"\x00\xdcx\x00\t\x00y\x00\n\x00")
    good, bad = read_pairs(tmp_path / "b.tsv")
    assert (good, type(bad)) == (Pair("a", "b", 1), Reject)


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        (b"a\tb\n", "nope", "--encoding must be an encoding that Python knows.*'nope'"),
        (b"a\tb\n", "rot13", "--encoding must be an encoding"),
        (b"\xef\xbb\xbfa\tb\n", "cp1252", "begins with the mark of utf-8"),
        (b"PK\x03\x04", None, "a ZIP archive, as spreadsheets are"),
        (b"\xd0\xcf\x11\xe0", None, "a spreadsheet of an old kind; save it as .xlsx"),
        (b"\x1f\x8b", None, "packed with gzip; name it .gz"),
        (b"\x28\xb5\x2f\xfd", None, "packed with zstd; unpack it first"),
        (b"%PDF-1.7", None, "a PDF; copy its text"),
    ],
)
def test_what_is_no_such_text(
    tmp_path: Path, content: bytes, encoding: str | None, message: str
) -> None:
    (tmp_path / "a.tsv").write_bytes(content)
    with pytest.raises(DataError, match=message):
        list(read_pairs(tmp_path / "a.tsv", Layout(encoding=encoding)))


def test_a_zero_byte_does_not_make_utf16(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.tsv").write_bytes(b"a\0\tb\nc\td\0\n")
    with caplog.at_level(logging.INFO, "headwise"):
        assert list(read_pairs(tmp_path / "a.tsv")) == [Pair("a\0", "b", 1), Pair("c", "d\0", 2)]
    assert "utf-16" not in caplog.text
