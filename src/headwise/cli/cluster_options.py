"""Options of the commands that a cluster can work for, and what they say when it is done."""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headwise.cli import options

if TYPE_CHECKING:
    from headwise.data.jobs import JobDone
    from headwise.data.jobs.table_work import TableWork
    from headwise.distributed.workers import Workers

CLUSTER = "Cluster"


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """Which cluster works, with how many workers."""

    ray: Annotated[
        str | None,
        typer.Option(
            "--ray",
            help="Let a cluster of Ray work: `local` starts one on this machine, `auto` joins one "
            "that runs or starts one, all else is the address of one. Any number of FILES, "
            "folders and patterns are read, and --output is a folder of Parquet files.",
            metavar="local|auto|ADDRESS",
            rich_help_panel=CLUSTER,
        ),
    ] = None
    workers: Annotated[
        str | None,
        typer.Option(
            "--workers",
            help="Number of workers, 4, or fewest and most, 1:8. Default: one, and more while "
            "work waits and the cluster has room.",
            rich_help_panel=CLUSTER,
        ),
    ] = None
    threads_per_worker: Annotated[
        int,
        typer.Option(
            "--threads-per-worker",
            min=1,
            help="Threads and processors of each.",
            rich_help_panel=CLUSTER,
        ),
    ] = 1
    gpus_per_worker: Annotated[
        float,
        typer.Option(
            "--gpus-per-worker",
            min=0.0,
            help="GPUs of each; 0.5 lets two workers share one.",
            rich_help_panel=CLUSTER,
        ),
    ] = 0.0
    id_column: Annotated[
        str | None,
        typer.Option(
            "--id-column",
            help="Column with another value in every row, by which a job that was stopped knows "
            "what is done. Default: file and row, in the new column `row_id`.",
            rich_help_panel=CLUSTER,
        ),
    ] = None
    in_order: Annotated[
        bool,
        typer.Option(
            "--in-order", help="Write rows in the order of the input.", rich_help_panel=CLUSTER
        ),
    ] = False

    def check(self) -> None:
        """See that Ray is there if it is asked for, and nothing of it is told if it is not.

        Raises:
            ValueError: If an option is of no use, or a number of workers is none.
            ClusterError: If Ray is not installed.
        """
        if self.ray is None:
            if self != ClusterOptions():
                raise ValueError(
                    "--workers, --threads-per-worker, --gpus-per-worker, --id-column and "
                    "--in-order are for a cluster; add --ray local, or the address of one."
                )
            return
        from headwise.distributed.workers import expect_ray

        expect_ray()
        assert self.pool

    @property
    def pool(self) -> "Workers":
        """The workers.

        Raises:
            ValueError: If their number is none.
        """
        from headwise.distributed.workers import Workers

        return Workers.of(self.workers, threads=self.threads_per_worker, gpus=self.gpus_per_worker)

    def run(
        self, work: "TableWork[Any]", files: list[str], output: str | None, *, overwrite: bool
    ) -> "JobDone":
        """Have the cluster work through files.

        Raises:
            BadParameter: If the output is no folder.
            HeadwiseError: As of :func:`~headwise.distributed.job.run_on_cluster`.
        """
        from headwise.data.readers.opening import suffix_format

        if output in (None, "-") or suffix_format(str(output)) is not None:
            raise typer.BadParameter("With --ray, --output names a folder for Parquet files.")
        from headwise.distributed import cluster, run_on_cluster

        with options.usage_errors(), cluster(str(self.ray)):
            return run_on_cluster(
                work,
                files,
                str(output),
                workers=self.pool,
                id_column=self.id_column,
                in_order=self.in_order,
                overwrite=overwrite,
                progress=sys.stderr.isatty(),
            )


def one_file(files: list[str], *, second: str | None = None) -> list[str]:
    """The one file that is given, or two if there may be a ``second``, as no cluster is asked.

    Raises:
        BadParameter: If there are more.
    """
    most = 1 if second is None else 2
    if len(files) > most:
        also = "" if second is None else f", or {second} as a second one"
        raise typer.BadParameter(
            f"Give one file{also}; got {len(files)}. Several are worked on with --ray."
        )
    return files


def report_rejected(done: "JobDone") -> None:
    """Say where rows without a result are, and end with their exit code."""
    if done.rejected:
        print("Rows with an `error` have no result; it says why.", file=sys.stderr)
        raise typer.Exit(3)
