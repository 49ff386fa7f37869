import gzip
import json
from collections import Counter
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from headwise.data.readers import Layout, read_mqm, read_pairs
from headwise.data.readers.corpora.mqm import penalty
from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.pairs import Pair, Reject
from headwise.errors import DataError

HEADER = "system\tdoc\tdoc_id\tseg_id\trater\tsource\ttarget\tcategory\tseverity\tcomment"
REAL = Path(__file__).parents[4] / "shared/data/mqm-ted-en-de/mqm.tsv.gz"


def row(
    target: str,
    severity: str = "Major",
    *,
    source: str = "yes no",
    rater: str = "r1",
    system: str = "A",
    seg_id: str = "1",
) -> str:
    category = "No-error" if severity == "No-error" else "Style"
    cells = (system, "talk", "1", seg_id, rater, source, target, category, severity, "")
    return "\t".join(cells)


def read(tmp_path: Path, *rows: str, header: str = HEADER) -> list[Pair | Reject]:
    path = tmp_path / "mqm.tsv"
    path.write_bytes("".join(line + "\n" for line in (header, *rows)).encode())
    found = list(read_mqm(path))
    assert list(read_pairs(path)) == found
    return found


def segment(
    raters: list[str], source_marks: int = 0, mqm_score: float | None = 0.0, **key: str
) -> dict[str, object]:
    default = {"system": "A", "doc": "talk", "doc_id": "1", "seg_id": "1"}
    return {
        **default,
        **key,
        "raters": raters,
        "source_marks": source_marks,
        "mqm_score": mqm_score,
    }


def test_marks_of_all_raters_make_one_pair_a_segment(tmp_path: Path) -> None:
    rows = read(
        tmp_path,
        row("<v>ja</v> nein"),
        row("ja nein", "No-error", seg_id="2"),
        row("ja <v>nein</v>", "Minor"),  # rows of a segment need not be neighbours
        row("<v>ja nein</v>", rater="r2"),
        row("ja <v></v>nein", rater="r2"),
        row("yes <v>no</v>", source="yes no", system="B"),
    )
    assert rows == [
        Pair(
            "yes no",
            "ja nein",
            2,
            segment(["r1", "r2"], mqm_score=-8.0),
            errors=(
                ErrorSpan(0, 2, "Major", "Style", "r1"),
                ErrorSpan(3, 7, "Minor", "Style", "r1"),
                ErrorSpan(0, 7, "Major", "Style", "r2"),
            ),
        ),
        Pair("yes no", "ja nein", 3, segment(["r1"], seg_id="2"), errors=()),
        Pair(
            "yes no",
            "yes no",
            7,
            segment(["r1"], mqm_score=-5.0, system="B"),
            errors=(ErrorSpan(4, 6, "Major", "Style", "r1"),),
        ),
    ]


def test_the_layout_from_wmt23_on(tmp_path: Path) -> None:
    header = (
        "system\tdoc\tdocSegId\tglobalSegId\trater\tsource\ttarget\tcategory\tseverity\tmetadata"
        "\t# Documentation: https://example.org"
    )

    def marks(segment: str, rater: str, target: str, category: str, severity: str) -> str:
        key = f"A\ttalk\t{segment}\t1{segment}\t{rater}"
        return f"{key}\tyes no\t{target}\t{category}\t{severity}\t{{}}"

    rows = read(
        tmp_path,
        marks("1", "r1", "ja <v>nein</v>", "Style/Awkward", "Minor"),
        marks("1", "r2", "ja nein", "No-error", "No-error"),
        marks("2", "r1", "<v>Haus</v> nein", "Accuracy/Mistranslation", "Major"),
        marks("2", "r1", "Haus nein", "Found", "HOTW-test"),
        marks("2", "r2", "<v>Haus</v> nein", "Missed", "hotw-test") + "\t",
        marks("3", "r1", "nein", "Missed", "HOTW-test"),
        header=header,
    )
    extra = {"system": "A", "doc": "talk", "docSegId": "1", "globalSegId": "11"}
    scores = {"raters": ["r1", "r2"], "source_marks": 0, "mqm_score": -0.5}
    more = {**extra, "docSegId": "2", "globalSegId": "12", "raters": ["r1"], "source_marks": 0}
    minor, major = (
        ErrorSpan(3, 7, "Minor", "Style/Awkward", "r1"),
        ErrorSpan(0, 4, "Major", "Accuracy/Mistranslation", "r1"),
    )
    assert rows == [
        Pair("yes no", "ja nein", 2, extra | scores, errors=(minor,)),
        Pair("yes no", "Haus nein", 4, {**more, "mqm_score": -5.0}, errors=(major,)),
    ]


def test_spaces_at_the_ends_of_a_text_are_those_of_its_first_row(tmp_path: Path) -> None:
    """As in 76 segments of WMT23, most of them with marks on a space behind the last mark."""
    (pair,) = read(
        tmp_path,
        row("<v>ja nein </v>", source="yes no "),
        row("ja <v>nein</v>"),
        row(" ja nein<v> </v>", "Minor"),
        row(" ja nein", "No-error", rater="r2"),
    )
    assert pair == Pair(
        "yes no ",
        "ja nein ",
        2,
        segment(["r1", "r2"], mqm_score=-5.5),
        errors=(
            ErrorSpan(0, 8, "Major", "Style", "r1"),
            ErrorSpan(3, 7, "Major", "Style", "r1"),
            ErrorSpan(7, 8, "Minor", "Style", "r1"),
        ),
    )


def test_marks_in_the_source_are_counted(tmp_path: Path) -> None:
    rows = read(tmp_path, row("ja nein", source="<v>yes</v> <v>no</v>"), row("<v>ja</v> nein"))
    errors = (ErrorSpan(0, 2, "Major", "Style", "r1"),)
    assert rows == [Pair("yes no", "ja nein", 2, segment(["r1"], 2, -10.0), errors=errors)]


@pytest.mark.parametrize(
    ("severity", "category", "cost"),
    [
        ("Major", "Accuracy/Mistranslation", 5.0),
        ("major", "Non-translation!", 25.0),
        ("Minor", "Fluency/Punctuation", 0.1),
        ("Minor", "Fluency/Grammar", 1.0),
        ("Major", "Fluency/Punctuation", 5.0),
        ("minor", "punctuation", 0.1),
        ("Neutral", "Style/Awkward", 0.0),
        ("Critical", "Accuracy/Mistranslation", 5.0),
        ("critical", "non_translation", 25.0),
        ("Major", "Source issue", 0.0),
        ("Minor", "Source error", 1.0),
        ("Major", "Accuracy/Creative Reinterpretation", 0.0),
        ("Dreadful", "Style/Awkward", None),
    ],
)
def test_what_a_mark_costs(severity: str, category: str, cost: float | None) -> None:
    assert penalty(severity, category) == cost


def test_segments_without_marks_that_say_something_all_the_same(tmp_path: Path) -> None:
    header = "system\tdoc\tdocSegId\tglobalSegId\trater\tsource\ttarget\tcategory\tseverity"

    def judged(segment: str, rater: str, category: str, severity: str) -> str:
        key = f"A\ttalk\t{segment}\t1{segment}\t{rater}"
        return f"{key}\tyes no\tja nein\t{category}\t{severity}"

    whole, right, unseen = read(
        tmp_path,
        judged("1", "r1", "Non-translation!", "Major"),
        judged("2", "r1", "", ""),
        judged("3", "", "", ""),
        header=header,
    )
    assert isinstance(whole, Pair)
    assert whole.errors == (ErrorSpan(0, 7, "Major", "Non-translation!", "r1"),)
    assert whole.extra["mqm_score"] == -25.0
    assert isinstance(right, Pair)
    assert (right.errors, right.extra["raters"], right.extra["mqm_score"]) == ((), ["r1"], 0.0)
    assert isinstance(unseen, Pair)
    assert (unseen.errors, unseen.extra["raters"], unseen.extra["mqm_score"]) == (None, [], None)


def test_a_severity_that_nobody_knows_leaves_a_segment_without_score(tmp_path: Path) -> None:
    (pair,) = read(tmp_path, row("<v>ja</v> nein", "Dreadful"), row("ja <v>nein</v>", "Minor"))
    assert isinstance(pair, Pair)
    assert pair.extra["mqm_score"] is None
    assert len(pair.errors or ()) == 2


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (row("<v>ja nein"), "In the target, a `<v>` is not closed, at '<v>ja nein'."),
        (row("ja nein", source="yes</v> no"), "In the source, a `</v>` closes no `<v>`"),
        (row("ja <v>Nein</v>"), "The target differs from that of the same segment in line 2"),
        (row("ja  <v>nein</v>"), "The target differs"),
        (row("ja <v>nein</v>", source="yes"), "The source differs"),
        (row("ja nein"), "The row says 'Major' and marks nothing"),
        (row("ja <v>nein</v>", "No-error"), "says that there is no error, and marks one"),
    ],
)
def test_row_at_fault_rejects_its_segment(tmp_path: Path, bad: str, reason: str) -> None:
    other = row("ja", "No-error", seg_id="2")
    reject, pair = read(tmp_path, row("<v>ja</v> nein"), other, bad, row("<v>ja</v> nein"))
    assert isinstance(pair, Pair)
    assert pair.extra["seg_id"] == "2"
    assert isinstance(reject, Reject)
    assert (reject.line, reject.content) == (4, bad)
    assert reason in reject.reason


def test_lines_that_are_no_rows(tmp_path: Path) -> None:
    *rejects, pair = read(tmp_path, "A\ttalk", "", row("<v>ja</v>"))
    assert isinstance(pair, Pair)
    assert [reject.line for reject in rejects] == [2, 3]
    assert isinstance(rejects[0], Reject)
    assert rejects[0].reason == "The row has 2 columns, expected 10."


def test_columns_are_found_by_name(tmp_path: Path) -> None:
    rows = read(
        tmp_path,
        "Minor\tStyle\t<v>ja</v>\tyes\t7\tr1",
        header="Severity\tCategory\tTarget\tSource\tseg_id\tRater",
    )
    errors = (ErrorSpan(0, 2, "Minor", "Style", "r1"),)
    extra = {"seg_id": "7", "raters": ["r1"], "source_marks": 0, "mqm_score": -1.0}
    assert rows == [Pair("yes", "ja", 2, extra, errors=errors)]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (HEADER.replace("\tseg_id", ""), "there is no `seg_id`, which MQM annotations need"),
        (HEADER + "\tseg_id", "more than one column called `seg_id`"),
    ],
)
def test_bad_header(tmp_path: Path, header: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, header=header)


@pytest.mark.parametrize("content", [b"", b"source\ttarget\nyes\tja\n", b"\xff\n"])
def test_file_of_something_else(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pairs.tsv"
    path.write_bytes(content)
    with pytest.raises(DataError, match="holds no MQM annotations"):
        list(read_mqm(path))
    with pytest.raises(DataError, match="There is no file"):
        read_mqm(tmp_path / "missing.tsv")


def test_layout_can_say_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "mqm.tsv.gz"
    path.write_bytes(gzip.compress(f"{HEADER}\n{row('<v>ja</v>')}\n".encode()))
    (pair,) = read_pairs(path, Layout(hypothesis_column="target"))
    assert (pair.hypothesis, pair.errors) == ("<v>ja</v>", None)  # type: ignore[union-attr]
    (pair,) = read_pairs(path, Layout(has_source=False))
    assert (pair.source, pair.hypothesis) == (None, "ja")  # type: ignore[union-attr]


@pytest.mark.skipif(not REAL.is_file(), reason="the shared data are not on this machine")
def test_real_annotations() -> None:
    pairs = [pair for pair in read_pairs(REAL) if isinstance(pair, Pair)]
    spans = [span for pair in pairs for span in pair.errors or ()]
    assert (len(pairs), len(spans)) == (5180, 2995)
    assert Counter(span.severity for span in spans) == {"Minor": 1640, "Major": 1355}
    assert sum(pair.extra["source_marks"] for pair in pairs) == 8
    assert all(pair.errors is not None and "<v>" not in pair.hypothesis for pair in pairs)


def test_marks_in_json_lines_and_parquet(tmp_path: Path) -> None:
    rows = [
        {"system": "a", "seg_id": 1, "rater": "r1", "source": "yes", "target": "<v>ja</v>"},
        {"system": "a", "seg_id": 1, "rater": "r2", "source": "yes", "target": "ja"},
    ]
    marks = [("Style", "Major"), ("No-error", "no-error")]
    for row, (category, severity) in zip(rows, marks, strict=True):
        row |= {"category": category, "severity": severity, "note": None}
    (tmp_path / "a.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "a.parquet")
    for name in ("a.jsonl", "a.parquet"):
        (pair,) = read_pairs(tmp_path / name)
        assert isinstance(pair, Pair)
        assert (pair.source, pair.hypothesis, pair.extra["mqm_score"]) == ("yes", "ja", -2.5)
        assert pair.errors == (ErrorSpan(0, 2, "Major", "Style", "r1"),)
    del rows[1]["note"]
    (tmp_path / "a.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    reject, pair = read_pairs(tmp_path / "a.jsonl")
    assert isinstance(reject, Reject)
    assert "not those of the first row" in reject.reason
