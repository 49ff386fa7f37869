import json
from io import BytesIO
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
from made_tables import read_jsonl, read_tsv

from headwise.data.readers import Layout, read_pairs
from headwise.data.records.pairs import Pair, Reject
from headwise.errors import DataError

TABLE = "id\tsentence1\tsentence2\tlabel\n1\tEr kam.\tSie kam.\t0\n2\tNS\tEr kam.\t1\n3\tA\tNS\t0\n"


def read(text: str, layout: Layout | None = None) -> list[Pair | Reject]:
    return list(read_tsv(BytesIO(text.encode()), "a.tsv", layout or Layout()))


def test_tsv() -> None:
    pair, no_first, no_second = read(TABLE)
    assert pair == Pair("Er kam.", "Sie kam.", 2, {"id": "1", "label": "0"})
    assert isinstance(no_first, Reject)
    assert isinstance(no_second, Reject)
    assert (no_first.line, no_second.line) == (3, 4)
    assert "`sentence1` is 'NS': the corpus has no text here" in no_first.reason
    assert "`sentence2` is 'NS'" in no_second.reason
    assert no_first.content == "2\tNS\tEr kam.\t1"


def test_nested_formats(tmp_path: Path) -> None:
    row = {"id": 1, "sentence1": "Er kam.", "sentence2": "Sie kam.", "label": 0}
    expected = Pair("Er kam.", "Sie kam.", 1, {"id": 1, "label": 0})
    line = json.dumps(row).encode()
    assert list(read_jsonl(BytesIO(line), "a.jsonl", Layout())) == [expected]
    rows = {name: [value] for name, value in row.items()}
    pyarrow.parquet.write_table(pyarrow.table(rows), tmp_path / "a.parquet")
    assert list(read_pairs(tmp_path / "a.parquet")) == [expected]
    (reject,) = read_jsonl(
        BytesIO(json.dumps({**row, "sentence2": "NS"}).encode()), "a.jsonl", Layout()
    )
    assert isinstance(reject, Reject)


def test_what_the_user_says_comes_first() -> None:
    layout = Layout(source_column="sentence2", hypothesis_column="sentence1")
    assert read(TABLE, layout)[1] == Pair("Er kam.", "NS", 3, {"id": "2", "label": "1"})
    alone = read(TABLE, Layout(has_source=False))
    assert alone[0] == Pair(None, "Sie kam.", 2, {"id": "1", "sentence1": "Er kam.", "label": "0"})
    with pytest.raises(DataError, match="4 columns, none of which has a name that is known"):
        read(TABLE, Layout(header=False))


@pytest.mark.parametrize("extra", ["gold", "id2"])
def test_other_tables_with_such_columns_are_not_guessed(extra: str) -> None:
    with pytest.raises(DataError, match="there is no source"):
        read(f"sentence1\tsentence2\tlabel\t{extra}\tx\n", Layout(header=True))


def test_ns_is_a_text_like_any_other_elsewhere() -> None:
    assert read("source\ttarget\nNS\tNS\n") == [Pair("NS", "NS", 2)]
