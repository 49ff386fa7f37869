import gzip
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from headwise.cli.reading import expect_columns
from headwise.data.readers import Layout, read_pairs
from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.pairs import Pair, Reject
from headwise.errors import DataError

COLUMNS = (
    *("mt_system", "doc_id", "seg_id", "annotator_id", "source", "target"),
    *("start_ids", "end_ids", "errors"),
)
DATA = Path(__file__).parents[4] / "shared/data"
NONE = ("-1", "-1", "no-error")
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes rows of cells, by default below the header; a row may be a line as it lies."""

    def writer(*rows: tuple[str, ...] | str, name: str = "spans.tsv", header: bool = True) -> Path:
        lines = [row if isinstance(row, str) else "\t".join(row) for row in rows]
        text = "".join(f"{line}\n" for line in ["\t".join(COLUMNS)] * header + lines).encode()
        (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
        return tmp_path / name

    return writer


def row(
    target: str,
    starts: str = "-1",
    ends: str = "-1",
    errors: str = "no-error",
    *,
    rater: str = "r1",
    system: str = "A",
    source: str = "yes no",
) -> tuple[str, ...]:
    return (system, "talk", "1", rater, source, target, starts, ends, errors)


def extra(raters: list[str], mqm_score: float | None, system: str = "A") -> dict[str, object]:
    names = {"system": system, "doc_id": "talk", "seg_id": "1"}
    return {**names, "raters": raters, "mqm_score": mqm_score}


@pytest.mark.parametrize("header", [True, False])
def test_rows_of_all_raters_make_one_pair_a_segment(write: Write, header: bool) -> None:
    path = write(
        row("ja nein", "3 0", "7 2", "major minor"),  # in any order
        row("ja ja", system="B"),
        row("ja nein", rater="r2"),  # rows of a segment need not be neighbours
        row("ja nein", "0", "7", "critical", system="C"),
        name="spans.tsv.gz",
        header=header,
    )
    first = 1 + header
    errors = (ErrorSpan(3, 7, "major", rater="r1"), ErrorSpan(0, 2, "minor", rater="r1"))
    assert list(read_pairs(path)) == [
        Pair("yes no", "ja nein", first, extra(["r1", "r2"], -3.0), errors=errors),
        Pair("yes no", "ja ja", first + 1, extra(["r1"], 0.0, "B"), errors=()),
        Pair(
            "yes no",
            "ja nein",
            first + 3,
            extra(["r1"], -10.0, "C"),
            errors=(ErrorSpan(0, 7, "critical", rater="r1"),),
        ),
    ]
    expect_columns(str(path), ["system", "mqm_score"])  # which are made of the rows


def test_offsets_are_characters_and_the_end_is_exclusive(write: Write) -> None:
    # A line of newstest-2021 in English-German, as released
    source = "UN says thousands of anti-Pakistan militants in Afghanistan"
    target = "UN sagt, Tausende von Anti-Pakistan-Kämpfern in Afghanistan"
    nemo = ("hyp.Nemo", "abcnews.420140", "1", "rater7", source, target)
    rocket = row("🚀 läuft.", "2 8", "7 8", "minor major")
    pair, other = read_pairs(write((*nemo, "0 22", "8 44", "major major"), rocket, header=False))
    assert isinstance(pair, Pair)
    assert isinstance(other, Pair)
    marked = [pair.hypothesis[error.start : error.end] for error in pair.errors or ()]
    assert marked == ["UN sagt,", "Anti-Pakistan-Kämpfern"]
    marked = [other.hypothesis[error.start : error.end] for error in other.errors or ()]
    assert marked == ["läuft", ""]  # a place where something is missing


def test_segments_with_one_id_are_told_apart_by_their_texts(write: Write) -> None:
    # Ids with an underscore were cut there, and the segment's number stands where the rater does
    cut = ("hyp.A", "daily", "planet.12")
    rows = [(*cut, "1", "yes", "ja", *NONE), (*cut, "2", "no", "nein", "0", "4", "major")]
    pairs = list(read_pairs(write(*rows, header=False)))
    assert [(pair.hypothesis, pair.extra["mqm_score"]) for pair in pairs] == [  # type: ignore[union-attr]
        ("ja", 0.0),
        ("nein", -5.0),
    ]


def test_severity_of_another_name_stays_and_leaves_no_score(write: Write) -> None:
    (pair,) = read_pairs(write(row("ja nein", "0 3", "2 7", "Minor undecided")))
    assert isinstance(pair, Pair)
    assert [error.severity for error in pair.errors or ()] == ["Minor", "undecided"]
    assert pair.extra["mqm_score"] is None


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (("ja nein", "0 3", "2", "major"), "there are 2, 1 and 1"),
        (("ja nein", "0", "2", "major minor"), "there are 1, 1 and 2"),
        (("ja nein", "3", "2", "major"), "Span 1 is 'major' from 3 to 2 in a target of 7"),
        (("ja nein", "0 3", "2 8", "minor major"), "Span 2 is 'major' from 3 to 8 in a target of"),
        (("ja nein", "-1", "-1", "major"), "Span 1 is 'major' from -1 to -1"),
        (("ja nein", "0", "2", "no-error"), "Span 1 is 'no-error' from 0 to 2"),
        (("ja nein", "first", "2", "major"), "`start_ids` must be whole numbers with spaces betwe"),
        (("ja nein", "0", "2.5", "major"), "`end_ids` must be whole numbers with spaces between,"),
        (("ja nein", "", "", ""), "`start_ids` must be whole numbers with spaces between, or -1,"),
        (("", "0", "2", "major"), "from 0 to 2 in a target of 0 characters"),
    ],
)
def test_row_at_fault_is_rejected_alone(
    write: Write, cells: tuple[str, str, str, str], reason: str
) -> None:
    bad = row(*cells)
    other = row(cells[0], rater="r2")
    reject, *pairs = read_pairs(write(row("ja", system="B"), bad, other))
    assert isinstance(reject, Reject)
    assert (reject.line, reject.content) == (3, "\t".join(bad))
    assert reason in reject.reason
    assert [pair.extra["raters"] for pair in pairs] == [["r1"], ["r2"]]  # type: ignore[union-attr]


def test_cells_that_a_quotation_mark_has_joined(write: Write) -> None:
    """Quoted cells, among them one that was split at the marks of its text, as in dev-2022."""
    quoted = 'A\ttalk\t1\tr1\t"He says ""yes""."\t"Er sagt ""ja""."\t9\t11\tmajor'
    joined = 'A\ttalk\t2\tr1\t"Well, no.\tAlso nein."\t-1\t-1\tno-error\t'
    reject, pair = read_pairs(write(quoted, joined))
    assert isinstance(pair, Pair)
    assert pair.hypothesis == 'Er sagt "ja".'
    assert pair.errors == (ErrorSpan(9, 11, "major", rater="r1"),)
    assert isinstance(reject, Reject)
    assert reject.line == 3
    assert "The source holds a tab" in reject.reason


def test_bytes_that_are_no_text_cost_their_row(write: Write) -> None:
    path = write(row("ja"), row("nein"))
    path.write_bytes(path.read_bytes().replace(b"nein", b"n\xe4in"))
    reject, pair = read_pairs(path)
    assert isinstance(pair, Pair)
    assert isinstance(reject, Reject)
    assert "not UTF-8" in reject.reason
    _, pair = read_pairs(path, Layout(encoding="cp1252"))
    assert isinstance(pair, Pair)
    assert pair.hypothesis == "näin"


def test_json_lines_and_parquet(tmp_path: Path) -> None:
    cells = dict(zip(COLUMNS, row("ja\tnein", "3", "7", "major"), strict=True))
    (tmp_path / "a.jsonl").write_text(json.dumps(cells))
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([cells]), tmp_path / "a.parquet")
    for name in ("a.jsonl", "a.parquet"):
        (pair,) = read_pairs(tmp_path / name)
        assert isinstance(pair, Pair)
        assert pair.hypothesis == "ja\tnein"
        assert (pair.errors, pair.extra["mqm_score"]) == (
            (ErrorSpan(3, 7, "major", rater="r1"),),
            -5.0,
        )


def test_layout_can_say_otherwise(write: Write) -> None:
    path = write(row("ja", "0", "2", "major"))
    (pair,) = read_pairs(path, Layout(has_source=False))
    assert isinstance(pair, Pair)
    assert (pair.source, pair.errors) == (None, (ErrorSpan(0, 2, "major", rater="r1"),))
    (pair,) = read_pairs(path, Layout(hypothesis_column="target"))
    assert isinstance(pair, Pair)
    assert (pair.errors, pair.extra["start_ids"]) == (None, "0")
    bare = write(row("ja", "0", "2", "major"), header=False)
    (pair,) = read_pairs(bare, Layout(source_column="5", hypothesis_column="6"))
    assert isinstance(pair, Pair)
    assert (pair.hypothesis, pair.errors) == ("ja", None)


def test_other_tables_are_none_of_these(write: Write) -> None:
    nine = row("ja", "0", "2", "major")
    for cells in (nine[:-1], (*nine[:-1], "5"), (*nine[:-3], "0 1", "2", "major")):
        with pytest.raises(DataError, match="columns, none of which has a name that is known"):
            list(read_pairs(write(cells, header=False)))
    path = write(row("ja"))
    path.write_text(path.read_text().replace("target", "goal"))
    with pytest.raises(DataError, match="there is no `target`, which tables of error spans need"):
        list(read_pairs(path))


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data are not on this machine")
@pytest.mark.parametrize(
    ("name", "pairs", "rejects", "marks"),
    [
        ("wmt-mqm-en-de/dev-2022", 985, 19, {"major": 594, "minor": 81}),
        ("wmt-mqm-en-de/newstest-2021", 9886, 0, {"major": 2065, "minor": 3881}),
        ("wmt-mqm-zh-en/newstest-2021", 9614, 0, {"major": 8492, "minor": 5353}),
    ],
)
def test_released_tables(name: str, pairs: int, rejects: int, marks: dict[str, int]) -> None:
    rows = list(read_pairs(DATA / f"{name}.tsv.gz"))
    read = [row for row in rows if isinstance(row, Pair)]
    assert (len(read), len(rows) - len(read)) == (pairs, rejects)
    assert Counter(error.severity for pair in read for error in pair.errors or ()) == marks
    ends = [(pair.hypothesis, error.end) for pair in read for error in pair.errors or ()]
    inside = sum(
        text[end - 1 : end].isalnum() and text[end : end + 1].isalnum() for text, end in ends
    )
    further = sum(
        text[end : end + 1].isalnum() and text[end + 1 : end + 2].isalnum() for text, end in ends
    )
    assert inside < further  # exclusive, not inclusive
