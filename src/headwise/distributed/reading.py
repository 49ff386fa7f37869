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
from headwise.data.readers.rows import check_unique
from headwise.data.readers.tables import check_input
from headwise.data.records.json_values import listed
from headwise.data.records.pairs import Reject
from headwise.data.writers.arrow_columns import FoundColumns, arrow_table
from headwise.errors import DataError, HeadwiseError

if TYPE_CHECKING:
    from headwise.data.jobs.table_work import TableWork

ROW_ID = "row_id"
"""The column with a row's id: its file and its number there, ``pairs.parquet:000000000007``."""

UNREADABLE = "headwise_unreadable"
"""The column with what is wrong with a row that could not be read; null for all others."""

_ROWS = 8192

Numbered = Iterable[tuple[Sequence[int], pyarrow.Table]]
"""Tables, each with the numbers of its rows in their file, counted from 1: lines, if it has any."""


def read_tables(
    paths: Sequence[str | Path], work: "TableWork[Any]", *, id_column: str | None = None
) -> Dataset:
    """Read files of rows as ``work`` reads them; Parquet by groups of rows, others whole.

    Args:
        paths: Parquet, TSV, CSV, JSONL or XLSX files that all workers see, folders of such, or
            patterns (``pairs/*.parquet``).
        work: Knows what the columns of its files are called.
        id_column: A column that is another one in every row. Without one, rows get an id each in
            :data:`ROW_ID`, which sorts them as they stand.

    Returns:
        The rows, and :data:`UNREADABLE`; the columns of all files, which are null where a file
        lacks one.

    Raises:
        DataError: If there is no file, or one is missing, damaged or of an unknown format, or two
            have columns of one name and different types.
    """
    # It waits for disks, not for processors
    return ray.data.read_datasource(TableFiles(listed_files(paths), work, id_column), num_cpus=0)


def listed_files(paths: Sequence[str | Path]) -> list[Path]:
    """The files that paths name: patterns and folders opened, each file once, in order.

    Raises:
        DataError: If a path leads to no file of rows.
    """
    found: dict[Path, None] = {}
    for path in map(str, paths):
        matching = glob(path, recursive=True)  # noqa: PTH207 - patterns may begin at any root
        there = sorted(map(Path, matching)) or [Path(path)]
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

    Attributes:
        columns: What all tables have.
        ids: Which of them has the ids.
    """

    def __init__(
        self, files: Sequence[Path], work: "TableWork[Any]", id_column: str | None
    ) -> None:
        super().__init__()
        self._files, self._work = list(files), work
        self.ids = id_column or ROW_ID
        self.columns = _common_columns(self._files, work)
        if (self.ids in self.columns.names) != (id_column is not None):
            said = "no column" if id_column else "a column"
            raise DataError(
                f"The files have {said} `{self.ids}`; name one that is another one in every row "
                f"with --id-column; found {listed(self.columns.names)}."
            )
        if id_column is None:
            self.columns = self.columns.insert(0, pyarrow.field(ROW_ID, "string"))
        self.columns = self.columns.append(pyarrow.field(UNREADABLE, "string"))

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
                whole = partial(_with_ids, read, name, self.columns, self.ids)
                tasks.append(ReadTask(whole, metadata, per_task_row_limit=per_task_row_limit))
        return tasks

    def _parts(self, file: Path) -> Iterator[tuple[Callable[[], Numbered], int | None, int]]:
        if resolve_format(file) is not Format.PARQUET:
            read = partial(_read_rows, file, self._work, self.columns)
            yield read, None, file.stat().st_size
            return
        told, before = pyarrow.parquet.read_metadata(file), 0
        for number in range(told.num_row_groups):
            group = told.row_group(number)
            yield partial(_read_group, file, number, before), group.num_rows, group.total_byte_size
            before += group.num_rows


def _common_columns(files: Sequence[Path], work: "TableWork[Any]") -> pyarrow.Schema:
    """The columns of all files; text has to be read for that, where there is room to do so."""

    @ray.remote
    def find(file: Path) -> FoundColumns | HeadwiseError:
        found = FoundColumns()
        try:
            with work.open(file) as table:
                found.add(dict.fromkeys(table.columns or ()))
                for row in table.rows:
                    if not isinstance(row, Reject):
                        found.add(row.values)
        except HeadwiseError as error:
            return error
        return found

    schemas, looking = [], []
    for file in files:
        if resolve_format(file) is Format.PARQUET:
            schemas.append((file, _parquet_schema(file)))
        else:
            looking.append(find.remote(file))
    texts = FoundColumns()
    for found in ray.get(looking):
        if isinstance(found, HeadwiseError):
            raise found
        texts.merge(found)
    common = pyarrow.schema(texts.fields())
    for file, schema in schemas:
        try:
            common = pyarrow.unify_schemas([common, schema])
        except pyarrow.ArrowException as error:
            raise DataError(
                f"`{file}` has a column of another type than the files before it ({error}); "
                "give files with the same columns, or work on them in several jobs."
            ) from error
    return common


def _parquet_schema(file: Path) -> pyarrow.Schema:
    try:
        schema = pyarrow.parquet.read_schema(file).remove_metadata()
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"`{file}` cannot be read as Parquet: {error}.") from error
    check_unique(schema.names, str(file))
    return schema


def _read_group(file: Path, number: int, before: int) -> Numbered:
    with pyarrow.parquet.ParquetFile(file) as parquet:
        for batch in parquet.iter_batches(batch_size=_ROWS, row_groups=[number]):
            numbers = range(before + 1, before + len(batch) + 1)
            yield numbers, pyarrow.Table.from_batches([batch])
            before += len(batch)


def _read_rows(file: Path, work: "TableWork[Any]", columns: pyarrow.Schema) -> Numbered:
    with work.open(file) as table:
        while some := list(islice(table.rows, _ROWS)):
            values = [
                {UNREADABLE: row.reason} if isinstance(row, Reject) else row.values for row in some
            ]
            yield [row.line for row in some], arrow_table(values, columns)


def _with_ids(
    read: Callable[[], Numbered], name: str, columns: pyarrow.Schema, ids: str
) -> Iterator[pyarrow.Table]:
    """The same tables with all columns; a row that could not be read has an id made for it."""
    for numbers, table in read():
        made = [f"{name}:{number:012d}" for number in numbers] if ids == ROW_ID else None
        whole = {
            field.name: pyarrow.array(made)
            if field.name == ROW_ID and made
            else table[field.name]
            if field.name in table.column_names
            else pyarrow.nulls(len(table), field.type)
            for field in columns
        }
        yield pyarrow.table(whole, schema=columns)
