"""Premises, hypotheses and labels from every layout in use."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from headwise.data.readers.inferences import InferenceLayout, read_inferences
from headwise.data.records.inferences import InferencePair, parse_label
from headwise.data.records.pairs import Reject
from headwise.errors import DataError
from headwise.heads import NLILabel

E, N, C = NLILabel.ENTAILMENT, NLILabel.NEUTRAL, NLILabel.CONTRADICTION


def write(path: Path, *rows: tuple[str, ...]) -> Path:
    path.write_text("".join("\t".join(row) + "\n" for row in rows), "utf-8")
    return path


def triples(path: Path, **options: object) -> list[tuple[str, str, NLILabel | None]]:
    rows = list(read_inferences(path, **options))
    assert all(isinstance(row, InferencePair) for row in rows), rows
    return [(row.premise, row.hypothesis, row.label) for row in rows]


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("entailment", E),
        ("Neutral", N),
        (" CONTRADICTION ", C),
        ("e", E),
        ("n", N),
        ("c", C),
        (0, E),
        ("1", N),
        (2, C),
        ("-", None),
        (-1, None),
        ("-1", None),
        (1.0, N),
        (-1.0, None),
        (np.int64(2), C),
    ],
)
def test_labels_of_every_corpus(value: object, label: NLILabel | None) -> None:
    assert parse_label(value) is label


@pytest.mark.parametrize("value", ["maybe", "", 3, True, 0.5, None, ["e"]])
def test_other_labels_are_named(value: object) -> None:
    with pytest.raises(ValueError, match="entailment, neutral, contradiction") as error:
        parse_label(value)
    assert repr(value) in str(error.value)


def test_snli_as_published(tmp_path: Path) -> None:
    path = write(
        tmp_path / "snli.txt",
        ("gold_label", "sentence1_parse", "sentence1", "sentence2", "label1"),
        ("neutral", "(x)", "A man.", "A tall man.", "neutral"),
        ("-", "(x)", "A dog.", "A cat.", "neutral"),
    )
    first, second = read_inferences(path)
    assert isinstance(first, InferencePair)
    assert (first.texts, first.label, first.line) == (("A man.", "A tall man."), N, 2)
    assert first.extra == {"sentence1_parse": "(x)", "label1": "neutral"}
    assert isinstance(second, Reject)
    assert second.line == 3
    assert "annotators agreed" in second.reason


def test_anli_as_published(tmp_path: Path) -> None:
    path = tmp_path / "anli.jsonl.gz"
    row = {"uid": "1", "context": "A man.", "hypothesis": "A tall man.", "label": "c"}
    path.write_bytes(gzip.compress(json.dumps(row).encode()))
    assert triples(path) == [("A man.", "A tall man.", C)]


def test_glue_columns_that_paws_x_has_too(tmp_path: Path) -> None:
    path = write(
        tmp_path / "glue.tsv", ("id", "sentence1", "sentence2", "label"), ("0", "A.", "B.", "2")
    )
    assert triples(path) == [("A.", "B.", C)]


def test_parquet_and_saved_data_sets_with_numbers(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    columns = {"premise": ["A.", "B."], "hypothesis": ["C.", "D."], "label": [0, -1]}
    dataset = datasets.Dataset.from_dict(columns)
    dataset.to_parquet(tmp_path / "rows.parquet")
    dataset.save_to_disk(tmp_path / "saved")
    for path in (tmp_path / "rows.parquet", tmp_path / "saved"):
        first, second = read_inferences(path)
        assert isinstance(first, InferencePair)
        assert first.label is E
        assert isinstance(second, Reject)
        assert triples(path, labelled=False) == [("A.", "C.", E), ("B.", "D.", None)]


def test_without_a_header(tmp_path: Path) -> None:
    three = write(tmp_path / "three.tsv", ("A.", "B.", "entailment"), ("C.", "D."))
    first, second = read_inferences(three)
    assert isinstance(first, InferencePair)
    assert first.label is E
    assert isinstance(second, Reject)
    assert (second.line, "expected 3" in second.reason) == (2, True)
    two = write(tmp_path / "two.tsv", ("A.", "B."))
    assert triples(two, labelled=False) == [("A.", "B.", None)]
    with pytest.raises(DataError, match="has 2 columns"):
        list(read_inferences(two))


def test_columns_by_name(tmp_path: Path) -> None:
    path = write(tmp_path / "own.tsv", ("text", "claim", "verdict"), ("A.", "B.", "n"))
    layout = InferenceLayout(
        premise_column="text", hypothesis_column="claim", label_column="verdict"
    )
    assert triples(path, layout=layout) == [("A.", "B.", N)]
    with pytest.raises(DataError, match="there is no `gold`; found `text`"):
        list(read_inferences(path, InferenceLayout(premise_column="text", label_column="gold")))


def test_unknown_labels_are_set_aside_with_their_line(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.tsv", ("premise", "hypothesis", "label"), ("A.", "B.", "hidden"))
    (reject,) = read_inferences(path)
    assert isinstance(reject, Reject)
    assert reject.line == 2
    assert "'hidden'" in reject.reason


def test_a_table_without_labels_is_refused_where_they_are_needed(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.tsv", ("premise", "hypothesis"), ("A.", "B."))
    with pytest.raises(DataError, match=r"there is no label \(gold_label, label\)"):
        list(read_inferences(path))
    assert triples(path, labelled=False) == [("A.", "B.", None)]


def test_an_object_without_a_hypothesis_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"premise": "A.", "label": "e"}\n{"premise": 1, "hypothesis": "B."}\n')
    rows = list(read_inferences(path, labelled=False))
    assert [type(row) for row in rows] == [Reject, Reject]
    assert [row.line for row in rows] == [1, 2]


def test_a_missing_file_is_named() -> None:
    with pytest.raises(DataError, match="no file"):
        read_inferences("nowhere.tsv")
