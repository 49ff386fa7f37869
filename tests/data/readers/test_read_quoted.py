"""Cells in quotation marks: CSV, and TSV as spreadsheets and pandas write it."""

import csv
import io
import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwise.data.readers import Format, Layout, read_numbers, read_pairs
from headwise.data.readers.cells import quoted as quoted_module
from headwise.data.records.pairs import Pair, Reject

TEXTS = [("A dog runs.", "Ein Hund."), ('Say "stop".', 'Sag "halt".'), ("a\n\nb", "c\nd\te, f")]


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def written(rows: list[tuple[str, str]], **options: object) -> str:
    stream = io.StringIO()
    csv.writer(stream, **options).writerows(rows)  # type: ignore[call-overload]
    return stream.getvalue()


def texts(path: Path, **layout: object) -> list[tuple[str | None, str]]:
    rows = list(read_pairs(path, Layout(**layout)))  # type: ignore[arg-type]
    assert all(isinstance(row, Pair) for row in rows), rows
    return [(row.source, row.hypothesis) for row in rows if isinstance(row, Pair)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
@pytest.mark.parametrize("header", [True, False])
def test_csv_with_any_delimiter(tmp_path: Path, delimiter: str, quoting: int, header: bool) -> None:
    rows = [("source", "hypothesis"), *TEXTS] if header else TEXTS
    text = written(rows, delimiter=delimiter, quoting=quoting, lineterminator="\r\n")
    assert texts(write(tmp_path / "a.csv", text)) == TEXTS
    if delimiter == "\t":
        assert texts(write(tmp_path / "a.tsv", text)) == TEXTS


@given(st.lists(st.tuples(*[st.text('ab,;\t\n" ', min_size=1)] * 2), min_size=1))
def test_what_is_written_is_read_back(rows: list[tuple[str, str]]) -> None:
    lines = enumerate(written(rows, lineterminator="\n").split("\n")[:-1], start=1)
    found = list(quoted_module.quoted_records(iter(lines), quoted_module.Dialect(",")))
    assert [tuple(r.cells) for _, r in found if isinstance(r, quoted_module.Record)] == rows


def test_lines_of_a_file_count_also_inside_cells(tmp_path: Path) -> None:
    good = 'source,target,n\n"a\nb","c\n\nd",1\n\n'
    text = good + 'wrong,row\n"broken" quote,e,2\n"open,f,3\ng,h,4\n,,\n'
    rows = list(read_pairs(write(tmp_path / "a.csv", text)))
    assert [(type(row), row.line) for row in rows] == [
        (Pair, 2),
        (Reject, 6),
        (Reject, 7),
        (Reject, 8),
        (Reject, 9),
        (Pair, 10),
    ]
    assert rows[0] == Pair("a\nb", "c\n\nd", 2, {"n": "1"})
    reasons = [row.reason for row in rows if isinstance(row, Reject)]
    assert "The line is empty" in reasons[0]
    assert reasons[1] == "The row has 2 columns, expected 3."
    assert all("quotation marks do not pair" in reason for reason in reasons[2:])


def test_a_cell_that_is_never_closed_costs_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quoted_module, "_MAX_CHARACTERS", 100)
    text = 'source,target\n"a,b\n' + "c,d\n" * 500
    first, *others = read_pairs(write(tmp_path / "a.csv", text))
    assert isinstance(first, Reject)
    assert [(row.line, type(row)) for row in others] == [(n, Pair) for n in range(3, 503)]


def test_a_line_that_is_not_utf8_spoils_its_record_alone(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b'source,mt\na,"b\n\xff"\nc,d\n')
    bad, good = read_pairs(tmp_path / "a.csv")
    assert isinstance(bad, Reject)
    assert (bad.line, "0xff" in bad.reason) == (2, True)
    assert good == Pair("c", "d", 4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('\ufeffen, de\n"a", "b, c"\n', [("a", "b, c")]),
        ("sep=;\nsource;mt\na;b\n", [("a", "b")]),
        (
            "Yes, sir;Ja, Herr\nNo, sir;Nein, Herr\n",
            [("Yes, sir", "Ja, Herr"), ("No, sir", "Nein, Herr")],
        ),
        ("source,mt\ra,b\r", [("a", "b")]),
        ('"source";"mt"\r"a\nb";"c"\rd;e\r', [("a\nb", "c"), ("d", "e")]),  # Excel on a Macintosh
        ("source|mt\na, b|c; d\n", [("a, b", "c; d")]),
        ("source,mt\na,b,\nc,d,,\n", [("a", "b"), ("c", "d")]),
        ("a b c d,e,\nf,g,\n", [("a b c d", "e"), ("f", "g")]),
        ("Review of May\n\nsource,mt\na,b\n", [("a", "b")]),
        ("# by, hand,,\n,,\nid,source,mt\n1,a,b\n", [("a", "b")]),
        ("a|b c d e,f|g\n", [("a|b c d e", "f|g")]),  # a bar is text without a header
        ("", []),
        ("\n\n", []),
    ],
)
def test_csv_as_people_have_it(tmp_path: Path, text: str, expected: list[tuple[str, str]]) -> None:
    assert texts(write(tmp_path / "a.csv", text)) == expected


def test_a_column_alone_may_have_commas(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "Translation\nEin Hund, groß.\nZwei.\n")
    assert texts(path, has_source=False) == [(None, "Ein Hund, groß."), (None, "Zwei.")]


@pytest.mark.parametrize("quote", ["", '"'])
def test_row_names_of_r(tmp_path: Path, quote: str, caplog: pytest.LogCaptureFixture) -> None:
    rows = [["source", "mt"], ["1", "a", "b"], ["2", "c", "d"], ["10", "e", "f"]]
    text = "".join("\t".join(f"{quote}{c}{quote}" for c in cells) + "\n" for cells in rows)
    with caplog.at_level("INFO", "headwise"):
        first, *others = read_pairs(write(tmp_path / "a.tsv", text))
    assert first == Pair("a", "b", 2, {"column 1": "1"})
    assert len(others) == 2
    assert "rows begin with their number" in caplog.text
    plain = text.replace('"', "")
    for row in ("2\tx\ty", "x\ty\tz", "11\tx"):  # not all in order, or not all one cell wider
        path = write(tmp_path / "b.tsv", plain + row)
        assert all(isinstance(one, Reject) for one in list(read_pairs(path))[:3])
    path = write(tmp_path / "c.csv", plain.replace("\t", ","))  # the commas may be those of texts
    assert all(isinstance(one, Reject) for one in read_pairs(path))


def test_a_stray_return_is_named(tmp_path: Path) -> None:
    bad, good = read_pairs(write(tmp_path / "a.csv", "source,mt\na\rb,c\nd,e\n"))
    assert isinstance(bad, Reject)
    assert bad.reason.startswith("A cell without quotation marks holds a carriage return")
    assert good == Pair("d", "e", 3)


@pytest.mark.parametrize(
    "rows",
    [
        ['A "b" c\tEr "d"', '"a ""b"""\tc'],
        ['"Stop!" he said.\tEr sagte: "Halt!"'],
        ["Stop.\tHalt.", '"Stop!"\t"Halt!"'],
        ['"Yes, no"\tja', "Yes, no\tja"],
        ['"open\tb', 'c\td"'],
    ],
)
def test_quotation_marks_in_running_text_are_characters(tmp_path: Path, rows: list[str]) -> None:
    path = write(tmp_path / "a.tsv", "\n".join(rows))
    assert texts(path) == [tuple(row.split("\t")) for row in rows]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # What needs no quotes has none: pandas
        (['"a ""b"" c"\td', '"e\nf"\tg'], [('a "b" c', "d"), ("e\nf", "g")]),
        # A comma is enough: spreadsheets
        (["yes\tja", '"yes, no"\t"ja, nein"'], [("yes", "ja"), ("yes, no", "ja, nein")]),
        # Everything that is text
        (['"yes"\t"ja"', '"no"\t"nein"'], [("yes", "ja"), ("no", "nein")]),
        (["a\tb"] * 3000 + ['"a ""b"""\t"c\nd"'], [("a", "b")] * 3000 + [('a "b"', "c\nd")]),
    ],
)
def test_tsv_that_looks_quoted_says_so(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    rows: list[str],
    expected: list[tuple[str, str]],
) -> None:
    path = write(tmp_path / "a.tsv", "\n".join(rows) + "\n")
    with caplog.at_level(logging.INFO, "headwise"):
        assert texts(path) == expected
    assert "cells are in quotation marks" in caplog.text
    caplog.clear()
    assert [r for r in read_pairs(path, Layout(quotes=False)) if isinstance(r, Pair)] != expected
    assert "quotation marks" not in caplog.text


def test_quotes_can_be_insisted_on(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", '"Stop!"\tHalt\n')
    assert texts(path, quotes=True) == [("Stop!", "Halt")]
    assert texts(path, format=Format.CSV) == [("Stop!", "Halt")]
    assert texts(path, format=Format.CSV, quotes=False) == [('"Stop!"', "Halt")]


def test_numbers_of_quoted_tables(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'name,"score"\n"a, b",0.5\nc,\n')
    assert read_numbers(path) == [0.5, None]
    assert read_numbers(write(tmp_path / "b.csv", '"s"\n"0.5"\n""\n"1"\n')) == [0.5, None, 1.0]
