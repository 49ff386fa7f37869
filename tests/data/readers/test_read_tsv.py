from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_tables import read_tsv

from headwise.data.readers import Layout
from headwise.data.readers import lines as lines_module
from headwise.data.records.pairs import Pair, Reject
from headwise.errors import DataError

# Quotation marks may mean that cells are quoted
CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters='\t\n"'), min_size=1)


def read(content: bytes, **layout: object) -> list[Pair | Reject]:
    return list(read_tsv(BytesIO(content), "pairs.tsv", Layout(**layout)))  # type: ignore[arg-type]


def texts(rows: list[Pair | Reject]) -> list[tuple[str | None, str]]:
    assert all(isinstance(row, Pair) for row in rows), rows
    return [(row.source, row.hypothesis) for row in rows if isinstance(row, Pair)]


def test_without_header() -> None:
    assert read(b"a\tb\nc\td\n") == [Pair("a", "b", 1), Pair("c", "d", 2)]


def test_hypotheses_alone() -> None:
    assert read(b"a\nb", has_source=False) == [Pair(None, "a", 1), Pair(None, "b", 2)]


@pytest.mark.parametrize("source", ["source", "SRC", " Original "])
@pytest.mark.parametrize("hypothesis", ["Hypothesis", "hyp", "mt", "target", "TGT", "translation"])
def test_header_with_known_names(source: str, hypothesis: str) -> None:
    header = f"id\t{hypothesis}\t{source}\n".encode()
    assert read(header + b"7\tja\tyes\n") == [Pair("yes", "ja", 2, {"id": "7"})]


def test_header_with_chosen_names() -> None:
    rows = read(b"premise\ttext\nyes\tja\n", source_column="premise", hypothesis_column="text")
    assert rows == [Pair("yes", "ja", 2)]


def test_source_is_handed_through_when_it_is_not_asked_for() -> None:
    assert read(b"src\tmt\nyes\tja\n", has_source=False) == [Pair(None, "ja", 2, {"src": "yes"})]


def test_header_can_be_denied_and_insisted_on() -> None:
    assert texts(read(b"source\ttarget\n", header=False)) == [("source", "target")]
    with pytest.raises(DataError, match="no source"):
        read(b"a\tb\n", header=True)


@pytest.mark.parametrize(
    ("header", "layout", "message"),
    [
        (
            b"premise\thypothesis\tlabel",
            {},
            "there is no source .*`premise`, `hypothesis`, `label`",
        ),
        (b"source\tlabel", {}, "there is no hypothesis"),
        (b"src\tmt\ttarget", {}, "`mt`, `target` could each be the hypothesis"),
        (b"src\tmt\tsrc", {}, "more than one column called `src`"),
        (b"src\tmt", {"source_column": "english"}, "there is no `english`; found `src`, `mt`"),
    ],
)
def test_header_that_does_not_fit(header: bytes, layout: dict[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(header + b"\na\tb\tc\n", **layout)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"a", "The row has 1 column, expected 2. Text on its own needs --no-source."),
        (b"a\tb\tc", "The row has 3 columns, expected 2."),
        (b"a\t\t\tb", "The row has 4 columns, expected 2."),
    ],
)
def test_wrong_number_of_columns(row: bytes, reason: str) -> None:
    rows = read(b"a\tb\n" + row + b"\nc\td\n")
    assert rows[1] == Reject(2, reason, row.decode())
    assert [type(row) for row in rows] == [Pair, Reject, Pair]


def test_undecodable_line_does_not_spoil_its_neighbours() -> None:
    rows = read(b"gut\tgut\n" + b"Stra\xdfe\tstreet\n" + "schön\tfine\n".encode())
    assert [type(row) for row in rows] == [Pair, Reject, Pair]
    reject = rows[1]
    assert isinstance(reject, Reject)
    assert (reject.line, reject.content) == (2, "Stra\\xdfe\tstreet")
    assert "0xdf at position 5" in reject.reason


def test_encoded_surrogates_are_not_utf8() -> None:
    assert isinstance(read(b"a\t\xed\xa0\x80\n")[0], Reject)


def test_empty_lines() -> None:
    rows = read(b"a\tb\n\n\r\nc\td\n\n\n\r\n")
    assert [(type(row), row.line) for row in rows] == [
        (Pair, 1),
        (Reject, 2),
        (Reject, 3),
        (Pair, 4),
    ]
    assert read(b"") == []
    assert read(b"\n\n") == []


def test_byte_order_mark_and_carriage_returns() -> None:
    rows = read(b"\xef\xbb\xbfsource\tmt\r\nyes\tja\r\nn\ro\tnein\r\n")
    assert texts(rows) == [("yes", "ja"), ("n\ro", "nein")]


def test_carriage_returns_that_end_cells_are_no_text() -> None:
    """As at the ends of references in MLQE-PE that were taken from files of another system."""
    rows = read(b"source\tmt\tref\nyes\r\tja\r\tjo\r\nno\tn\rein\r\tne\n")
    assert rows == [Pair("yes", "ja", 2, {"ref": "jo"}), Pair("no", "n\rein", 3, {"ref": "ne"})]


def test_overlong_line_is_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "MAX_LINE_BYTES", 8)
    rows = read(b"a\tb\n" + b"x" * 50 + b"\tlong\nc\td\n" + b"abcd\tefg\n")
    assert [(type(row), row.line) for row in rows] == [
        (Pair, 1),
        (Reject, 2),
        (Pair, 3),
        (Reject, 4),
    ]


@given(st.lists(st.tuples(CELL, CELL)), st.sampled_from(["\n", "\r\n"]))
def test_what_is_no_tab_and_no_line_feed_is_text(rows: list[tuple[str, str]], end: str) -> None:
    rows = [(source.rstrip("\r"), text.removesuffix("\r") or "-") for source, text in rows]
    content = "".join(f"{source}\t{text}{end}" for source, text in rows).encode()
    read_back = read(content, header=False)
    if rows and rows[0][0].startswith("\ufeff"):
        rows[0] = (rows[0][0].removeprefix("\ufeff"), rows[0][1])
    assert texts(read_back) == rows
    assert [row.line for row in read_back] == list(range(1, len(rows) + 1))


@given(st.binary().map(lambda content: content.replace(b'"', b"")))
def test_every_line_is_one_row_whatever_the_bytes(content: bytes) -> None:
    rows = read(b"source\tmt\n" + content)
    *ended, rest = content.split(b"\n")
    lines = [line.removesuffix(b"\r") for line in ended] + [rest]
    while lines and not lines[-1]:
        lines.pop()
    assert [row.line for row in rows] == list(range(2, 2 + len(lines)))
