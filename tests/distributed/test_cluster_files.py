"""Files go through two workers into a folder: every row once, with the values of one process."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from made_pair_tables import write_pairs

from headwise.distributed import Workers, run_on_cluster
from headwise.distributed.reading import listed_files
from headwise.errors import ClusterError, DataError, OutputError
from headwise.quality import ScoreTables

TWO = Workers(least=2, most=2, rows=32)

pytestmark = pytest.mark.usefixtures("two_workers")


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """Rows in the order of files' names, with one schema in all files."""
    tables = [pyarrow.parquet.read_table(file) for file in sorted(folder.glob("*.parquet"))]
    assert all(table.schema == tables[0].schema for table in tables)
    return [row for table in tables for row in table.to_pylist()]


def test_every_row_has_its_id_result_or_reason(
    pairs_folder: Path, tmp_path: Path, scores: dict[str, float]
) -> None:
    text = "source\thypothesis\tnumber\nA dog.\t\t7\nfew cells\n"
    (pairs_folder / "b.tsv").write_text(text, "utf-8")

    done = run_on_cluster(
        ScoreTables(),
        [pairs_folder],
        tmp_path / "scored",
        workers=TWO,
        in_order=True,
        rows_of_file=64,
    )

    rows = rows_of(tmp_path / "scored")
    assert (done.written, done.rejected, done.resumed_from) == (240, 2, 0)
    assert done.figures["flagged"] == sum(bool(row["flagged"]) for row in rows)
    # In order, which was asked for
    ids = [f"a.parquet:{n:012d}" for n in range(1, 241)] + [f"b.tsv:{n:012d}" for n in (2, 3)]
    assert [row["row_id"] for row in rows] == ids
    assert [row["number"] for row in rows] == [*map(str, range(240)), "7", None]
    for row in rows[:240]:
        assert row["error"] is None
        assert row["score"] == pytest.approx(scores[row["hypothesis"]], abs=1e-6)
    assert [row["score"] for row in rows[240:]] == [None, None]
    assert "The hypothesis is empty" in rows[240]["error"]
    assert "The row has 1 column" in rows[241]["error"]
    assert not (tmp_path / "scored.checkpoint").exists()

    again = run_on_cluster(ScoreTables(), [pairs_folder], tmp_path / "scored", workers=TWO)
    assert again.already_complete
    assert (again.written, again.rejected, again.figures) == (240, 2, done.figures)

    with pytest.raises(OutputError, match="`level` was 'sentence' and is 'word'"):
        run_on_cluster(ScoreTables(level="word"), [pairs_folder], tmp_path / "scored", workers=TWO)


KILLED = """
import sys
from headwise.distributed import Workers, cluster, run_on_cluster
from headwise.quality import ScoreTables

with cluster(sys.argv[1]):
    run_on_cluster(
        ScoreTables(), [sys.argv[2]], sys.argv[3], workers=Workers(least=2, most=2, rows=32),
        rows_of_file=64, id_column="number",
    )
"""


def test_a_job_that_was_killed_goes_on(tmp_path: Path, scores: dict[str, float]) -> None:
    import ray

    pairs, output = tmp_path / "pairs.parquet", tmp_path / "scored"
    write_pairs(pairs, 600)
    address = ray.get_runtime_context().gcs_address
    job = subprocess.Popen([sys.executable, "-c", KILLED, address, str(pairs), str(output)])
    ends = time.monotonic() + 300
    while (
        len([f for f in (tmp_path / "scored.checkpoint").glob("*") if "pending" not in f.name]) < 2
    ):
        assert job.poll() is None
        assert time.monotonic() < ends
        time.sleep(0.05)
    os.kill(job.pid, signal.SIGKILL)
    job.wait()
    assert not json.loads((tmp_path / "scored.run.json").read_text("utf-8"))["complete"]

    done = run_on_cluster(
        ScoreTables(), [pairs], output, workers=TWO, rows_of_file=64, id_column="number"
    )

    assert 64 <= done.resumed_from < 600
    rows = rows_of(output)
    assert sorted(int(row["number"]) for row in rows) == list(range(600))
    for row in rows:
        assert row["score"] == pytest.approx(scores[row["hypothesis"]], abs=1e-6)


def test_what_cannot_work_is_said_before_a_model_is_loaded(
    pairs_folder: Path, tmp_path: Path
) -> None:
    work, files = ScoreTables(), [pairs_folder]
    numbers = tmp_path / "numbers.parquet"
    pairs = {"source": ["A dog."], "hypothesis": ["Ein Hund."], "score": [1]}
    pyarrow.parquet.write_table(pyarrow.table(pairs), numbers)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()

    with pytest.raises(ClusterError, match="100 workers"):
        run_on_cluster(work, files, tmp_path / "out", workers=Workers(least=100))
    with pytest.raises(DataError, match="no column `nr`"):
        run_on_cluster(work, files, tmp_path / "out", id_column="nr")
    with pytest.raises(DataError, match="name of a result"):
        run_on_cluster(work, [numbers], tmp_path / "out", id_column="score")
    with pytest.raises(OutputError, match="no job began it"):
        run_on_cluster(work, files, tmp_path / "full")
    (pairs_folder / "c.jsonl").write_text('{"number": 3}\n', "utf-8")
    with pytest.raises(DataError, match="another type"):
        run_on_cluster(work, files, tmp_path / "out")


def test_folders_and_patterns_name_files(pairs_folder: Path) -> None:
    (pairs_folder / "notes").touch()
    file = pairs_folder / "a.parquet"

    assert listed_files([pairs_folder, file, f"{pairs_folder}/*.parquet"]) == [file]
    with pytest.raises(DataError, match="no file of rows"):
        listed_files([pairs_folder.parent])
