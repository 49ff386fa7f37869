"""Files of rows through a cluster into a folder of Parquet files; stopped at any point, it goes on.

Which rows are done, Ray notes in a checkpoint beside the folder, by their ids; what the results
follow from stands in a record, as of every job.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.dataset
import pyarrow.parquet
import ray
import ray.data
from ray.data.checkpoint import CheckpointConfig
from ray.data.datasource import FilenameProvider
from ray.exceptions import RayError, RayTaskError

from headwise.data.jobs import JobDone, beside
from headwise.data.jobs.record import START_ANEW, JobRecord, JobResult
from headwise.data.jobs.table_work import ERROR, TableWork
from headwise.data.readers.arrow import table_rows
from headwise.data.writers import RESERVED_NAMES
from headwise.distributed.datasets import map_dataset, placed
from headwise.distributed.joining import expect_room
from headwise.distributed.reading import UNREADABLE, TableFiles, file_names, listed_files
from headwise.distributed.workers import Workers
from headwise.errors import ClusterError, DataError, HeadwiseError, OutputError
from headwise.files import only_writer, refuse_overwriting
from headwise.version import __version__

# Rows of a file of the output: what a job that is killed repeats at most, times its workers
ROWS_OF_FILE = 16_384
_FEW_BYTES = 2**16
_DIGITS = 32


@dataclass(frozen=True, slots=True)
class ClusterFiles:
    """The folder of a job and what stands beside it.

    For ``scored/`` these are ``scored.run.json``, the settings of the job and whether it is
    complete, and until it is, ``scored.checkpoint/``, the ids of rows that are done.
    """

    output: Path

    @property
    def record(self) -> Path:
        """The settings of the job."""
        return beside(self.output, ".run.json")

    @property
    def checkpoint(self) -> Path:
        """Where Ray keeps the ids of rows that are done."""
        return beside(self.output, ".checkpoint")

    def written(self) -> list[Path]:
        """The files with rows, in order."""
        return sorted(self.output.glob("*.parquet"))

    def done(self) -> int:
        """How many rows earlier runs have done."""
        noted = (f for f in self.checkpoint.glob("*.parquet") if ".pending" not in f.name)
        return sum(pyarrow.parquet.read_metadata(file).num_rows for file in noted)

    def check(self, wanted: JobRecord, *, overwrite: bool) -> JobRecord | None:
        """See whether the folder may be written, and drop what is to be replaced.

        Returns:
            The record of this very job, if an earlier run began it.

        Raises:
            OutputError: If it belongs to another job, or is not what that left.
        """
        found = JobRecord.read(self.record)
        if found is None:
            if any(self.output.iterdir()):
                raise OutputError(
                    f"The folder `{self.output}` holds something, but no job began it; choose "
                    "another output."
                )
            return None
        if overwrite or not (found.complete or self.written()):  # without rows, it binds to nothing
            self._clear()
            return None
        found.refuse_other(wanted, output=self.output, path=self.record)
        if not found.complete and self.written() and not self.checkpoint.exists():
            raise OutputError(
                f"`{self.checkpoint}`, which says what is done, is gone; {START_ANEW}."
            )
        return found

    def _clear(self) -> None:
        self.record.unlink()
        shutil.rmtree(self.checkpoint, ignore_errors=True)
        for file in self.written():
            file.unlink()


class RunNames(FilenameProvider):
    """Names of files that sort by run and, where rows are in order, by rows."""

    def __init__(self, run: int) -> None:
        super().__init__(file_format="parquet")
        self._run = run

    def get_filename_for_task(self, write_uuid: str, task_index: int) -> str:
        """The name of what a task writes."""
        return f"{self._run:03}_{write_uuid}_{task_index:08}.parquet"


def run_on_cluster(
    work: TableWork[Any],
    inputs: Sequence[str | Path],
    output: str | Path,
    *,
    workers: Workers = Workers(),
    id_column: str | None = None,
    in_order: bool = False,
    rows_of_file: int = ROWS_OF_FILE,
    overwrite: bool = False,
    progress: bool = False,
) -> JobDone:
    """Work through files on the cluster that is joined, or go on where an earlier run stopped.

    Args:
        work: What is done to batches of rows.
        inputs: As of :func:`~headwise.distributed.reading.read_tables`.
        output: A folder for Parquet files, which all workers see. Every row of the input becomes
            one row; ``error`` says why one has no result.
        workers: How many there are, and what each has.
        id_column: A column that is another one in every row; by default rows get an id.
        in_order: Whether files, by their names, hold rows in the order of the input. What a job
            that was stopped still had to do follows what it had done.
        rows_of_file: Rows of a file of the output.
        overwrite: Start anew and replace what is there.
        progress: Whether Ray shows bars on standard error.

    Returns:
        What was done; ``rejected`` counts rows with an ``error``, and figures are those of
        ``work``.

    Raises:
        DataError: If the input cannot be read.
        OutputError: If the folder belongs to another job, or cannot be written.
        ClusterError: If the cluster is too small.
    """
    started = time.perf_counter()
    files = ClusterFiles(Path(output).absolute())
    paths = listed_files(inputs)
    refuse_overwriting(paths, files.written())
    expect_room(workers)
    work = replace(work, unreadable=UNREADABLE)
    with only_writer(files.output), _own_errors():
        source = TableFiles(paths, work, id_column)
        content, remark = _content(work, workers, source, paths[0])
        settings = {"headwise": __version__, **_input_settings(paths), "id": id_column, **content}
        wanted = JobRecord.of(settings)
        found = files.check(wanted, overwrite=overwrite)
        if found is not None and found.complete:
            result = JobResult.model_validate(found.result)
            return JobDone(
                written=result.written,
                rejected=result.rejected,
                resumed_from=result.written + result.rejected,
                seconds=time.perf_counter() - started,
                already_complete=True,
                figures=result.figures.model_dump(exclude_unset=True),
            )
        wanted.write(files.record)
        earlier = files.done()
        runs = {file.name.split("_")[0] for file in files.written()}
        rows = ray.data.read_datasource(source, num_cpus=0)
        made = map_dataset(rows, work, workers=workers, in_order=in_order)
        made.context.checkpoint_config = CheckpointConfig(
            id_column=source.ids,
            checkpoint_path=str(files.checkpoint),
            # The record is complete first: what is done must not be done again
            delete_checkpoint_on_success=False,
        )
        made.context.enable_progress_bars = progress
        made.write_parquet(
            str(files.output),
            filename_provider=RunNames(len(runs)),
            min_rows_per_file=rows_of_file,
            ray_remote_args={"num_cpus": 0},
        )
        done = _counted(work, files, earlier, started)
        if remark is not None:
            done = replace(done, figures={**done.figures, "warning": remark})
        JobRecord.of(settings, result=asdict(done)).write(files.record)
        shutil.rmtree(files.checkpoint, ignore_errors=True)
    return done


def _content(
    work: TableWork[Any], workers: Workers, source: TableFiles, first: Path
) -> tuple[Mapping[str, Any], str | None]:
    """What results follow from, as one who works there sees it, and a remark on the first file.

    Raises:
        HeadwiseError: If the work cannot be done: its model, or columns, or ids are not there.
    """
    schema = source.columns
    # Before a model is loaded for it
    texts = work.read(table_rows(schema.empty_table(), "the input")).texts

    @ray.remote(num_cpus=workers.threads, num_gpus=workers.gpus)
    def look() -> tuple[Mapping[str, Any], list[str], str | None]:
        looked = placed(work, workers).load()
        names = [field.name for field in looked.fields()]
        return looked.content(), names, looked.remark(first)

    content, made, remark = ray.get(look.remote())
    if source.ids in {ERROR, *RESERVED_NAMES, *made} and texts.get(source.ids) != source.ids:
        raise DataError(
            f"`{source.ids}` is the name of a result, and ids need one of their own; rename the "
            "column."
        )
    return content, remark


def _input_settings(files: Sequence[Path]) -> dict[str, Any]:
    """Names, sizes and digests of files: of their ends, where Parquet says what it holds."""
    return {
        "input": [str(file) for file in files],
        "input content": {
            name: _digest(file) for name, file in zip(file_names(files), files, strict=True)
        },
    }


def _digest(file: Path) -> str:
    size = file.stat().st_size
    with file.open("rb") as stream:
        digest = hashlib.sha256(f"{size}".encode() + stream.read(_FEW_BYTES))
        stream.seek(-min(size, _FEW_BYTES), os.SEEK_END)
        digest.update(stream.read())
    return digest.hexdigest()[:_DIGITS]


def _counted(work: TableWork[Any], files: ClusterFiles, earlier: int, started: float) -> JobDone:
    """What all runs did, as the files say it."""
    table = pyarrow.dataset.dataset(files.written(), format="parquet")
    errors = pyarrow.dataset.field(ERROR)
    rejected = table.count_rows(filter=errors.is_valid())
    return JobDone(
        written=table.count_rows() - rejected,
        rejected=rejected,
        resumed_from=earlier,
        seconds=time.perf_counter() - started,
        figures=work.figures(table.to_batches(columns=list(work.counted))),
    )


@contextmanager
def _own_errors() -> Iterator[None]:
    """Raise what a worker raised as it was: Ray wraps it, and adds its traceback."""
    try:
        yield
    except RayError as error:
        own = _cause(error)
        if own is None:
            said = str(error).strip().splitlines()[-1]
            raise ClusterError(f"The cluster gave up: {said}") from error
        raise own from None


def _cause(error: BaseException | None) -> HeadwiseError | None:
    while error is not None:
        error = (error.cause if isinstance(error, RayTaskError) else None) or error.__cause__
        if isinstance(error, HeadwiseError):
            return type(error)(str(error))
    return None
