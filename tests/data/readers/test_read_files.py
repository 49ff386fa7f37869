import gzip
import io
import sys
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from headwise.data.readers import Format, Layout, read_pairs, read_parallel_text
from headwise.data.records.pairs import Pair, Reject
from headwise.errors import DataError

SHARED = Path(__file__).parents[4] / "shared" / "data"
EXPECTED = [Pair("yes", "ja", 1), Pair("no", "nein", 2)]
TSV = b"yes\tja\nno\tnein\n"
JSONL = b'{"src": "yes", "mt": "ja"}\n{"src": "no", "mt": "nein"}\n'


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tsv", TSV),
        ("a.TXT", TSV),
        ("a.b.tab.gz", TSV),
        ("a.jsonl", JSONL),
        ("a.ndjson.gz", JSONL),
        ("a.CSV", b"yes,ja\nno,nein\n"),
        ("a.csv.gz", b"yes;ja\nno;nein\n"),
    ],
)
def test_format_follows_from_the_suffix(tmp_path: Path, name: str, content: bytes) -> None:
    assert list(read_pairs(write(tmp_path / name, content))) == EXPECTED


@pytest.mark.parametrize("name", ["a.tex", "a", ".tsv"])
def test_unknown_format_names_the_known_ones(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, TSV)
    with pytest.raises(DataError, match=r"\.jsonl.*--input-format .*tsv, csv, .*parquet"):
        read_pairs(path)
    assert list(read_pairs(path, Layout(format=Format.TSV)))[-1].line == 2


@pytest.mark.parametrize(
    ("name", "remedy"),
    [("a.xls", "save it as .xlsx"), ("a.tsv.zst", "unpack it")],
)
def test_what_to_do_with_other_files(tmp_path: Path, name: str, remedy: str) -> None:
    with pytest.raises(DataError, match=f"files that end in .* cannot be read; {remedy}"):
        read_pairs(write(tmp_path / name, TSV))


@pytest.mark.parametrize(
    ("name", "chosen"), [("a.parquet.gz", None), ("job.xlf.gz", None), ("a.gz", Format.XLIFF)]
)
def test_what_cannot_be_read_through_gzip(tmp_path: Path, name: str, chosen: Format | None) -> None:
    with pytest.raises(DataError, match="are read unpacked; gunzip it"):
        read_pairs(write(tmp_path / name, TSV), Layout(format=chosen))


def test_json_arrays(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('\n [{"prompt": "yes",\n "response": "ja"},\n {"src": "no", "mt": "nein"}, 5]')
    first, second, bad = read_pairs(path)
    assert [first, second] == EXPECTED
    assert isinstance(bad, Reject)
    assert (bad.line, bad.reason) == (3, "The array must hold JSON objects, got int.")
    path.write_bytes(JSONL)  # which some call so
    assert list(read_pairs(path)) == EXPECTED
    path.write_text("[1")
    with pytest.raises(DataError, match=r"a\.json` cannot be read as a JSON array"):
        list(read_pairs(path))


def test_missing_file_and_folder_are_noticed_at_once(tmp_path: Path) -> None:
    good = write(tmp_path / "a.tsv", TSV)
    missing = tmp_path / "missing.tsv"
    with pytest.raises(DataError, match=r"no file .*missing\.tsv"):
        read_pairs(missing)
    with pytest.raises(DataError, match="no file"):
        read_parallel_text(good, missing)
    with pytest.raises(DataError, match="is a folder"):
        read_pairs(tmp_path)


@pytest.mark.parametrize("content", [gzip.compress(TSV * 9999)[:-200], b"not gzip", TSV])
def test_damaged_gzip(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.tsv.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.tsv\.gz` cannot be read past line"):
        list(read_pairs(path))


def test_parallel_text_files(tmp_path: Path) -> None:
    sources = write(tmp_path / "a.en.gz", b"yes\nno\n")
    assert list(read_parallel_text(sources, write(tmp_path / "a.de", b"ja\nnein\n"))) == EXPECTED


@pytest.mark.parametrize(
    "content",
    [TSV, JSONL, b"\xef\xbb\xbf" + JSONL, b"[\n" + JSONL.strip().replace(b"\n", b",") + b"]"],
)
def test_standard_input_is_looked_at(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content))))
    assert list(read_pairs("-")) == EXPECTED


def test_standard_input_in_a_chosen_format(monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"{a\tb\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content))))
    assert list(read_pairs("-", Layout(format=Format.TSV))) == [Pair("{a", "b", 1)]
    with pytest.raises(DataError, match="Parquet cannot be read from standard input"):
        list(read_pairs("-", Layout(format=Format.PARQUET)))


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    count = 3000  # more than one record batch
    table = {
        "id": list(range(count)),
        "src": [f"source {i}" for i in range(count)],
        "mt": pyarrow.array([f"Zeile\t{i}\n" for i in range(count)]).dictionary_encode(),
    }
    table["src"][5] = None
    pyarrow.parquet.write_table(pyarrow.table(table), path, row_group_size=700)
    rows = list(read_pairs(path))
    assert [row.line for row in rows] == list(range(1, count + 1))
    assert rows[2999] == Pair("source 2999", "Zeile\t2999\n", 3000, {"id": 2999})
    assert rows[5] == Reject(
        6,
        "`src` must be a string, got null.",
        '{"id": 5, "src": null, "mt": "Zeile\\t5\\n"}',
    )


def test_bad_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1 not really PAR1")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        list(read_pairs(path))
    pyarrow.parquet.write_table(pyarrow.table({"a": ["x"], "mt": ["y"]}), path)
    with pytest.raises(DataError, match="there is no source"):
        list(read_pairs(path))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not on this machine")
@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("multi30k-en-de/dev.tsv.gz", 1014),
        ("mlqe-pe-en-de/dev.da.tsv.gz", 1000),
        ("tatoeba-en-de/dev-multireference.tsv.gz", 1764),
    ],
)
def test_real_files_have_no_rejects(name: str, rows: int) -> None:
    pairs = list(read_pairs(SHARED / name))
    assert len(pairs) == rows
    assert all(isinstance(pair, Pair) for pair in pairs)
