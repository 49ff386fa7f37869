"""Values of Parquet that have no counterpart in Python: their rows are set aside, others read."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headwise.data.readers import read_pairs
from headwise.data.records.pairs import Pair, Reject


def written(path: Path, column: pa.Array) -> Path:
    texts = pa.array(["a", "b", "c"])
    pq.write_table(pa.table({"source": texts, "hypothesis": texts, "extra": column}), path)
    return path


def bad_text() -> pa.Array:
    offsets = pa.py_buffer(np.array([0, 1, 3, 4], np.int32).tobytes())
    return pa.StringArray.from_buffers(3, offsets, pa.py_buffer(b"x\xff\xfey"))


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (bad_text(), "`extra` cannot be read: 'utf-8' codec can't decode"),
        (pa.array([0, 10**9, 0], pa.date32()), "`extra` cannot be read"),
        (pa.array([0, 10**13, 0], pa.timestamp("s")), "`extra` cannot be read"),
    ],
    ids=["text", "date", "time"],
)
def test_the_row_is_set_aside(tmp_path: Path, column: pa.Array, said: str) -> None:
    first, second, third = read_pairs(written(tmp_path / "a.parquet", column))
    assert isinstance(first, Pair)
    assert isinstance(third, Pair)
    assert isinstance(second, Reject)
    assert second.line == 2
    assert second.reason.startswith(said)


def test_other_types_pass_through(tmp_path: Path) -> None:
    times = [datetime(2024, 2, 29, 12), None, datetime(1, 1, 1)]
    rows = list(read_pairs(written(tmp_path / "a.parquet", pa.array(times, pa.timestamp("us")))))
    assert [row.extra["extra"] for row in rows] == times
