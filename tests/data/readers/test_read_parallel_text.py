from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st

from headwise.data.readers.pairs import pair_lines
from headwise.data.records.pairs import Pair, Reject

LINE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\ufeff"))


def read(sources: bytes, hypotheses: bytes) -> list[Pair | Reject]:
    return list(pair_lines(BytesIO(sources), BytesIO(hypotheses), names=("a.en", "a.de")))


def test_lines_are_paired() -> None:
    assert read(b"a\r\nb\tc", b"x\ny\n") == [Pair("a", "x", 1), Pair("b\tc", "y", 2)]


def test_surplus_lines_are_rejected() -> None:
    rows = read(b"a\nb\nc\n", b"x\n")
    assert rows[0] == Pair("a", "x", 1)
    reason = "`a.de` has no line {}; both files need the same lines."
    assert rows[1:] == [Reject(2, reason.format(2), "b\t"), Reject(3, reason.format(3), "c\t")]
    assert read(b"", b"x\n") == [
        Reject(1, "`a.en` has no line 1; both files need the same lines.", "\tx")
    ]


def test_empty_text_opposite_of_a_text_is_for_the_estimator_to_judge() -> None:
    assert read(b"a\nb\n", b"x\n\n") == [Pair("a", "x", 1), Pair("b", "", 2)]


def test_lines_empty_on_both_sides() -> None:
    rows = read(b"a\n\nb\n\n\n", b"x\n\ny\n\n")
    assert [(type(row), row.line) for row in rows] == [(Pair, 1), (Reject, 2), (Pair, 3)]


def test_undecodable_lines() -> None:
    rows = read(b"a\n\xff\nc\n", b"x\n\xfe\nz\n")
    assert rows[::2] == [Pair("a", "x", 1), Pair("c", "z", 3)]
    reject = rows[1]
    assert isinstance(reject, Reject)
    assert "`a.en`: Byte 0xff" in reject.reason
    assert "`a.de`: Byte 0xfe" in reject.reason
    assert reject.content == "\\xff\t\\xfe"


@given(st.lists(LINE), st.lists(LINE))
def test_no_line_is_lost(sources: list[str], hypotheses: list[str]) -> None:
    rows = read(
        "".join(line + "\n" for line in sources).encode(),
        "".join(line + "\n" for line in hypotheses).encode(),
    )
    assert [row.line for row in rows] == list(range(1, len(rows) + 1))
    while sources and not sources[-1] and len(sources) > len(rows):
        sources.pop()
    while hypotheses and not hypotheses[-1] and len(hypotheses) > len(rows):
        hypotheses.pop()
    assert len(rows) == max(len(sources), len(hypotheses))
    for row, source, hypothesis in zip(rows, sources, hypotheses, strict=False):
        if isinstance(row, Pair):
            assert (row.source, row.hypothesis) == (source, hypothesis)
        else:
            assert source == hypothesis == ""
