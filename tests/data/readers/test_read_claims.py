"""Claims from tables of any format, with their own sources or without."""

from pathlib import Path

import pytest

from headwise.data.readers.claims import ClaimLayout, read_claims
from headwise.data.records.claims import ClaimRow
from headwise.data.records.pairs import Reject
from headwise.errors import DataError


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tsv", "id\tclaim\tdocument\n1\tA dog runs.\tIt is late.\n"),
        ("a.csv", 'id,Statement,source\n1,A dog runs.,"It is late."\n'),
        ("a.jsonl", '{"id": "1", "hypothesis": "A dog runs.", "premise": "It is late."}\n'),
    ],
)
def test_claims_and_sources_are_found_by_their_names(
    tmp_path: Path, name: str, content: str
) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    (row,) = read_claims(tmp_path / name)
    assert isinstance(row, ClaimRow)
    assert (row.claim, row.source, row.extra) == ("A dog runs.", "It is late.", {"id": "1"})
    assert row.content == "It is late.\tA dog runs."


def test_a_source_of_all_leaves_the_column_of_the_rows_alone(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("claim\tsource\nA dog runs.\tThe Times\n", "utf-8")
    (row,) = read_claims(tmp_path / "a.tsv", ClaimLayout(has_source=False))
    assert row == ClaimRow("A dog runs.", None, 2, {"source": "The Times"})
    assert row.content == "A dog runs."


def test_without_a_header(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("A dog runs.\nA cat sat.\n", "utf-8")
    rows = list(read_claims(tmp_path / "a.txt", ClaimLayout(has_source=False)))
    assert rows == [ClaimRow("A dog runs.", None, 1), ClaimRow("A cat sat.", None, 2)]
    (tmp_path / "b.tsv").write_text("It is late.\tA dog runs.\nIt rains.\n", "utf-8")
    first, second = read_claims(tmp_path / "b.tsv")
    assert first == ClaimRow("A dog runs.", "It is late.", 1)
    assert isinstance(second, Reject)
    with pytest.raises(DataError, match="2 columns; it needs the claim alone, or a header with"):
        list(read_claims(tmp_path / "b.tsv", ClaimLayout(has_source=False)))


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        (ClaimLayout(), "there is no source .*or give one source for all claims"),
        (ClaimLayout(claim_column="thesis"), "no source"),
        (ClaimLayout(claim_column="thesis", has_source=False), "there is no `thesis`"),
        (ClaimLayout(claim_column="claim", source_column="claim"), "there is no `claim`"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, layout: ClaimLayout, message: str) -> None:
    (tmp_path / "a.tsv").write_text("claim\tid\nA dog runs.\t1\n", "utf-8")
    with pytest.raises(DataError, match=message):
        list(read_claims(tmp_path / "a.tsv", layout))
