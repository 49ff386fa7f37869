"""Files of rows as data sets of Ray, in which every row has an id."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from glob import glob
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow
import pyarrow.parquet
import ray.data
from ray.data import Dataset
from ray.data.block import BlockMetadata
from ray.data.datasource import Datasource, ReadTask

from headwise.data.readers import Format
from headwise.data.readers.opening import resolve_format, suffix_format
from headwise.data.readers.tables import check_input
from headwise.data.records.pairs import Reject
from headwise.data.writers.arrow_columns import FoundColumns, arrow_table
from headwise.errors import DataError

if TYPE_CHECKING:
    from headwise.data.jobs.batches import BatchWork

ROW_ID = "row_id"
"""The column with a row's id: its file and its number there, ``pairs.parquet:000000000007``."""

UNREADABLE = "headwise_unreadable"
"""The column with what is wrong with a row that could not be read; null for all others."""

_ROWS = 8192

Numbered = Iterable[tuple[Sequence[int], pyarrow.Table]]
"""Tables, each with the numbers of its rows in their file, counted from 1: lines, if it has any."""


def read_tables(
    paths: Sequence[str | Path], work: "BatchWork[Any]", *, id_column: str | None = None
) -> Dataset:
    """Read files of rows as ``work`` reads them; Parquet by groups of rows, others whole.

    Args:
        paths: Parquet, TSV, CSV, JSONL or XLSX files that all workers see, folders of such, or
            patterns (``pairs/*.parquet``).
        work: Knows what the columns of its files are called.
        id_column: A column that is another one in every row. Without one, rows get an id each in
            :data:`ROW_ID`, which sorts them as they stand.

    Returns:
        The rows, and :data:`UNREADABLE`.

    Raises:
        DataError: If there is no file, or one is missing, damaged or of an unknown format.
    """
    files = listed_files(paths)
    source = TableFiles(files, work, id_column=id_column)
    # It waits for disks, not for processors
    return ray.data.read_datasource(source, ray_remote_args={"num_cpus": 0})


def listed_files(paths: Sequence[str | Path]) -> list[Path]:
    """The files that paths name: patterns and folders opened, each file once, in order.

    Raises:
        DataError: If a path leads to no file of rows.
    """
    found: dict[Path, None] = {}
    for path in map(str, paths):
        there = sorted(map(Path, glob(path, recursive=True))) or [Path(path)]
        for one in there:
            inside = sorted(one.iterdir()) if one.is_dir() else [one]
            rows = [file for file in inside if not one.is_dir() or _is_table(file)]
            if not rows:
                raise DataError(f"There is no file of rows in the folder `{one}`.")
            found |= dict.fromkeys(file.absolute() for file in rows)
    for file in found:
        check_input(file)
    return list(found)


def _is_table(file: Path) -> bool:
    return file.is_file() and suffix_format(file) is not None


def file_names(files: Sequence[Path]) -> list[str]:
    """Short names of files, no two the same: the last part of a path, or more where that is."""
    short = [file.name for file in files]
    return short if len(set(short)) == len(short) else [file.as_posix() for file in files]


class TableFiles(Datasource):
    """Rows of files, read where Ray wants them to be read.

    Args:
        files: What is read.
        work: Opens files that are no Parquet.
        id_column: As of :func:`read_tables`.
    """

    def __init__(
        self, files: Sequence[Path], work: "BatchWork[Any]", *, id_column: str | None
    ) -> None:
        super().__init__()
        self._files, self._work, self._id_column = list(files), work, id_column

    def estimate_inmemory_data_size(self) -> int:
        """About as many bytes as the files have."""
        return sum(file.stat().st_size for file in self._files)

    def get_read_tasks(
        self,
        parallelism: int,  # noqa: ARG002
        per_task_row_limit: int | None = None,
        data_context: Any = None,  # noqa: ARG002
    ) -> list[ReadTask]:
        """One for each group of rows of a Parquet file, and for each other file."""
        tasks = []
        for file, name in zip(self._files, file_names(self._files), strict=True):
            for read, rows, size in self._parts(file):
                metadata = BlockMetadata(
                    num_rows=rows, size_bytes=size, input_files=[str(file)], exec_stats=None
                )
                whole = partial(_with_ids, read, name=name, id_column=self._id_column)
                tasks.append(ReadTask(whole, metadata, per_task_row_limit=per_task_row_limit))
        return tasks

    def _parts(
        self, file: Path
    ) -> Iterator[tuple[Callable[[], Numbered], int | None, int]]:
        if resolve_format(file) is not Format.PARQUET:
            yield partial(_read_rows, file, self._work), None, file.stat().st_size
            return
        try:
            told = pyarrow.parquet.read_metadata(file)
        except (pyarrow.ArrowException, OSError) as error:
            raise DataError(f"`{file}` cannot be read as Parquet: {error}.") from error
        before = 0
        for number in range(told.num_row_groups):
            group = told.row_group(number)
            yield partial(_read_group, file, number, before), group.num_rows, group.total_byte_size
            before += group.num_rows


def _read_group(file: Path, number: int, before: int) -> Numbered:
    with pyarrow.parquet.ParquetFile(file) as parquet:
        for batch in parquet.iter_batches(batch_size=_ROWS, row_groups=[number]):
            yield (
                range(before + 1, before + len(batch) + 1),
                pyarrow.Table.from_batches([batch]),
            )
            before += len(batch)


def _read_rows(file: Path, work: "BatchWork[Any]") -> Numbered:
    """A file that is no Parquet is read twice: all of its rows decide on types."""
    found = FoundColumns()
    with work.open(file) as table:
        found.add(dict.fromkeys(table.columns or ()))
        for row in table.rows:
            if not isinstance(row, Reject):
                found.add(row.values)
    schema = pyarrow.schema([*found.fields(), (UNREADABLE, "string")])
    with work.open(file) as table:
        while some := list(islice(table.rows, _ROWS)):
            values = [
                {UNREADABLE: row.reason} if isinstance(row, Reject) else row.values for row in some
            ]
            yield [row.line for row in some], arrow_table(values, schema)


def _with_ids(
    read: Callable[[], Numbered], *, name: str, id_column: str | None
) -> Iterator[pyarrow.Table]:
    """The same tables with the columns of ids and of what could not be read."""
    for numbers, table in read():
        whole = table
        if id_column is None:
            ids = pyarrow.array([f"{name}:{number:012d}" for number in numbers], "string")
            whole = whole.add_column(0, ROW_ID, ids)
        if UNREADABLE not in whole.column_names:
            whole = whole.append_column(UNREADABLE, pyarrow.nulls(len(whole), "string"))
        yield whole
