import gzip
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from made_tables import read_jsonl, read_tsv

from headwise.data.readers import Layout, read_pairs
from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.pairs import Pair, Reject
from headwise.data.writers import json_line, pair_row


def read(annotations: Any) -> Pair | Reject:
    row = {"src": "yes no", "mt": "ja nein", "annotations": annotations}
    (result,) = read_jsonl(BytesIO(json.dumps(row).encode()), "pairs.jsonl", Layout())
    return result


@pytest.mark.parametrize(
    ("annotations", "errors"),
    [
        (None, None),
        ([], ()),
        ([{"start": 3, "end": 7}], (ErrorSpan(3, 7),)),
        # Something is missing at a place
        ([{"start": 0, "end": 0}, {"start": 7, "end": 7}], (ErrorSpan(0, 0), ErrorSpan(7, 7))),
        (
            [
                {"start": 3, "end": 7, "severity": "major", "category": "other", "rater": "a"},
                {"start": 0, "end": 7, "severity": None, "id": 5},
            ],
            (ErrorSpan(3, 7, "major", "other", "a"), ErrorSpan(0, 7)),
        ),
        ([{"start": "missing", "end": "missing", "severity": "minor"}], ()),
        ([{"start": None, "end": None}, {"start": 0, "end": 1}], (ErrorSpan(0, 1),)),
    ],
)
def test_errors(annotations: Any, errors: tuple[ErrorSpan, ...] | None) -> None:
    pair = read(annotations)
    assert isinstance(pair, Pair)
    assert pair.errors == errors
    missing = sum(mark["start"] in (None, "missing") for mark in annotations or ())
    assert pair.extra == ({"missing_marks": missing} if missing else {})


def test_marks_are_read_back_from_what_is_written() -> None:
    pair = read([{"start": 3, "end": 7, "severity": "major", "rater": "a"}, {"start": 1, "end": 1}])
    assert isinstance(pair, Pair)
    row = pair_row(pair)
    assert row["annotations"] == [
        {"start": 3, "end": 7, "severity": "major", "rater": "a"},
        {"start": 1, "end": 1},
    ]
    assert list(read_jsonl(BytesIO(json_line(row)), "a", Layout())) == [pair]
    assert pair_row(Pair(None, "ja", extra={"score": 1, "source": 2})) == {
        "hypothesis": "ja",
        "score": 1,
        "input_source": 2,
    }


@pytest.mark.parametrize(
    ("annotations", "reason"),
    [
        ("major", "`annotations` must be a list of marks, got str"),
        ({"start": 0, "end": 1}, "`annotations` must be a list of marks, got dict"),
        ([[0, 1]], "Annotation 1 must be an object with `start` and `end`"),
        ([{"start": 0, "end": 1}, {"start": 0}], "Annotation 2 must be an object with `start`"),
        ([{"start": 0, "end": 8}], "from 0 to 8 of a hypothesis that has 7"),
        ([{"start": -1, "end": 2}], "from -1 to 2"),
        ([{"start": 8, "end": 8}], "from 8 to 8"),
        ([{"start": 3, "end": 2}], "from 3 to 2"),
        ([{"start": 0.0, "end": 2}], "`start` of annotation 1 must be an integer, got float"),
        ([{"start": False, "end": True}], "`start` of annotation 1 must be an integer, got bool"),
        ([{"start": 0, "end": "missing"}], "`end` of annotation 1 must be an integer, got str"),
        ([{"start": None, "end": 2}], "`start` of annotation 1 must be an integer, got null"),
        ([{"start": 0, "end": 1, "severity": 5}], "`severity` of annotation 1 must be a string"),
        ([{"start": 0, "end": 1, "category": []}], "`category` of annotation 1 must be a string"),
    ],
)
def test_bad_marks_reject_the_row(annotations: Any, reason: str) -> None:
    reject = read(annotations)
    assert isinstance(reject, Reject)
    assert reject.line == 1
    assert reason in reject.reason


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    mark = {"start": 0, "end": 2, "severity": "major", "category": None}
    marks = [[mark], [], None, [{**mark, "end": 9}]]
    table = {"src": ["yes"] * 4, "mt": ["ja"] * 4, "annotations": marks}
    pyarrow.parquet.write_table(pyarrow.table(table), path)
    *pairs, reject = read_pairs(path)
    expected = [(ErrorSpan(0, 2, "major"),), (), None]
    assert pairs == [Pair("yes", "ja", i, errors=e) for i, e in enumerate(expected, start=1)]
    assert isinstance(reject, Reject)


def test_cell_of_a_tsv_file_is_text_like_any_other() -> None:
    rows = read_tsv(BytesIO(b"src\tmt\tannotations\nyes\tja\tfine\n"), "pairs.tsv", Layout())
    assert list(rows) == [Pair("yes", "ja", 2, {"annotations": "fine"})]


def test_rows_of_esa(tmp_path: Path) -> None:
    """A score, marks with severities, missing text; two people's rows of one segment stay two."""
    key = {"system": "Big-LM", "document": "news.1", "line": 29, "domain": "news"}
    marks: list[list[dict[str, Any]]] = [
        [
            {"start": 0, "end": 2, "severity": "minor"},
            {"start": 7, "end": 7, "severity": "major"},
        ],
        [{"start": 3, "end": 7, "severity": "undecided"}],
        [],
    ]
    rows = [
        {"source": "yes no", "hypothesis": "ja nein", **key, "esa": score, "annotations": found}
        for score, found in zip((60.0, 85.0, 100.0), marks, strict=True)
    ]
    path = tmp_path / "esa.jsonl.gz"
    path.write_bytes(gzip.compress("".join(f"{json.dumps(row)}\n" for row in rows).encode()))
    errors = (
        (ErrorSpan(0, 2, "minor"), ErrorSpan(7, 7, "major")),
        (ErrorSpan(3, 7, "undecided"),),
        (),
    )
    assert list(read_pairs(path)) == [
        Pair("yes no", "ja nein", line, {**key, "esa": score}, errors=spans)
        for line, score, spans in zip((1, 2, 3), (60.0, 85.0, 100.0), errors, strict=True)
    ]
