"""Numbers of named classes mean what their names say, in data sets and in Parquet."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from headwise.data.readers.inferences import InferenceLayout, read_inferences
from headwise.data.records.inferences import InferencePair
from headwise.data.records.pairs import Reject
from headwise.errors import DataError

datasets: Any = pytest.importorskip("datasets")
pq: Any = pytest.importorskip("pyarrow.parquet")

RTE = ("entailment", "not_entailment")


def save(
    folder: Path, labels: Sequence[object], names: Sequence[str] | None, kind: str, **more: Any
) -> Path:
    """A data set or Parquet file of pairs with these labels; classes if they have names."""
    plain = datasets.Value("int64")
    columns = {
        "premise": [f"Premise {i}." for i in range(len(labels))],
        "hypothesis": [f"Hypothesis {i}." for i in range(len(labels))],
        "label": list(labels),
    } | more
    features = {name: datasets.Value("string") for name in columns}
    features["label"] = plain if names is None else datasets.ClassLabel(names=list(names))
    data = datasets.Dataset.from_dict(columns, features=datasets.Features(features))
    path = folder / ("data.parquet" if kind == "parquet" else "data")
    if kind == "parquet":
        data.to_parquet(path)
    else:
        data.save_to_disk(path)
    return path


def labels_of(path: Path, **options: Any) -> list[str | None]:
    found = list(read_inferences(path, **options))
    assert all(isinstance(one, InferencePair) for one in found), found
    return [one.label.value if one.label else None for one in found]  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", ["dataset", "parquet"])
@pytest.mark.parametrize(
    "names",
    [
        ("entailment", "neutral", "contradiction"),
        ("contradiction", "entailment", "neutral"),
        ("Neutral", "CONTRADICTION", " entailment"),
        ("n", "e", "c"),
    ],
)
def test_names_decide(kind: str, names: tuple[str, ...], tmp_path: Path) -> None:
    path = save(tmp_path, [0, 1, 2, 0], names, kind)
    first = {"e": "entailment", "n": "neutral", "c": "contradiction"}
    meant = [first[name.strip().lower()[0]] for name in names]
    assert labels_of(path) == [*meant, meant[0]]


@pytest.mark.parametrize("kind", ["dataset", "parquet"])
def test_classes_that_are_no_labels_are_refused(kind: str, tmp_path: Path) -> None:
    path = save(tmp_path, [0, 1], RTE, kind)
    with pytest.raises(DataError, match="`not_entailment` is none of `entailment`, `neutral`"):
        list(read_inferences(path))
    # Nobody asked for labels: it is a column like any other, unless it is named
    found = list(read_inferences(path, labelled=False))
    assert [(one.label, one.extra["label"]) for one in found] == [(None, 0), (None, 1)]  # type: ignore[union-attr]
    with pytest.raises(DataError, match="`not_entailment`"):
        list(read_inferences(path, InferenceLayout(label_column="label"), labelled=False))


@pytest.mark.parametrize("kind", ["dataset", "parquet"])
def test_pairs_without_a_label_are_set_aside(kind: str, tmp_path: Path) -> None:
    path = save(tmp_path, [1, -1, None], ("neutral", "entailment", "contradiction"), kind)
    found = list(read_inferences(path))
    assert [type(one) for one in found] == [InferencePair, Reject, Reject]
    assert all("no label that annotators agreed on" in one.reason for one in found[1:])  # type: ignore[union-attr]
    assert labels_of(path, labelled=False) == ["entailment", None, None]


def test_numbers_without_names_keep_the_order_of_snli(tmp_path: Path) -> None:
    path = save(tmp_path, [2, 0, 1], None, "parquet")
    assert labels_of(path) == ["contradiction", "entailment", "neutral"]


def test_a_column_that_is_not_the_label_may_have_any_classes(tmp_path: Path) -> None:
    path = save(tmp_path, [0, 1], RTE, "parquet", gold_label=["neutral", "e"])
    assert labels_of(path) == ["neutral", "entailment"]
    with pytest.raises(DataError, match="`label` has the classes"):
        list(read_inferences(path, InferenceLayout(label_column="label")))


def test_a_number_beyond_the_classes_is_set_aside(tmp_path: Path) -> None:
    path = save(tmp_path, [0, 1], ("neutral", "entailment"), "parquet")
    table = pq.read_table(path)
    place = table.column_names.index("label")
    pq.write_table(table.set_column(place, table.field("label"), [[0, 7]]), path)
    first, second = read_inferences(path)
    assert isinstance(first, InferencePair)
    assert isinstance(second, Reject)
    assert "number of one of 2 classes" in second.reason


@pytest.mark.parametrize(
    "noted", ["{", "[]", '{"info": {"features": {"label": {"_type": "ClassLabel"}}}}']
)
def test_damaged_names_are_no_guess(noted: str, tmp_path: Path) -> None:
    path = save(tmp_path, [0], ("neutral",), "parquet")
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({"huggingface": noted}), path)
    with pytest.raises(DataError, match="classes of labels are unknown"):
        list(read_inferences(path))


def test_names_of_other_columns_do_not_matter(tmp_path: Path) -> None:
    path = save(tmp_path, [0, 1], ("contradiction", "entailment"), "parquet")
    noted = json.loads(pq.read_schema(path).metadata[b"huggingface"])
    noted["info"]["features"]["topic"] = {"names": ["a"], "_type": "ClassLabel"}
    table = pq.read_table(path).replace_schema_metadata({"huggingface": json.dumps(noted)})
    pq.write_table(table, path)
    assert labels_of(path) == ["contradiction", "entailment"]
