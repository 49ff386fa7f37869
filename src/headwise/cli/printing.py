"""Say on standard error what a resumable job did."""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from headwise.data.jobs import JobDone
    from headwise.data.records.pairs import Reject
    from headwise.evaluation.statistics.results import Evaluation


def report_job(
    job: "JobDone", what: str, *, found: str, target: str, output_format: str | None, kept: bool
) -> None:
    """Print one line, and where rejected rows are; ``found`` follows a comma if not empty."""
    before = f", {job.resumed_from} of them in earlier runs" if job.resumed_from else ""
    done = "Nothing left to do: " if job.already_complete else ""
    print(
        f"{done}{what}{before}, {job.rejected} rejected{found and ', '}{found}, "
        f"{job.seconds:.1f} s.",
        file=sys.stderr,
    )
    if job.rejected and kept and target != "-":
        from headwise.data.jobs import RunFiles

        rejects = RunFiles.of(target, output_format).rejects
        print(f"Rejected rows, with reasons: {rejects}", file=sys.stderr)


_SHOWN = 5


def name_left_out(rejects: "Sequence[Reject]") -> None:
    """Name the first rows that were left out, and how many there are."""
    for reject in rejects[:_SHOWN]:
        print(f"Line {reject.line} left out: {reject.reason}", file=sys.stderr)
    more = len(rejects) - _SHOWN
    shown = f", {more:,} of them not shown" if more > 0 else ""
    rows = "row" if len(rejects) == 1 else "rows"
    print(f"{len(rejects):,} {rows} left out{shown}.", file=sys.stderr)


Report = Annotated[
    Path | None,
    typer.Option("--report", help="Folder for a page with tables and figures.", file_okay=False),
]
JsonFile = Annotated[
    Path | None, typer.Option("--json", help="File for all results as JSON.", dir_okay=False)
]
Title = Annotated[str | None, typer.Option("--title", help="Heading of the report.")]


def check_outputs(*paths: Path | None) -> None:
    """Find out before the work begins that its results cannot be written.

    Raises:
        OutputError: If a path lies below a file, or in a folder that is closed to us.
    """
    from headwise.errors import OutputError

    for path in paths:
        if path is None:
            continue
        nearest = next(folder for folder in path.absolute().parents if folder.exists())
        if not nearest.is_dir():
            raise OutputError(f"{path} cannot be written: {nearest} is a file.")
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise OutputError(f"{path} cannot be written: no permission for {nearest}.")


def show_evaluation(
    evaluation: "Evaluation",
    *,
    title: str | None = None,
    report: Path | None = None,
    json_file: Path | None = None,
) -> None:
    """Print the tables, and write the report and the JSON file if they are asked for."""
    from rich.console import Console

    from headwise.files import atomic_path, naming_output
    from headwise.report import results_json, terminal_report, write_report

    if title is not None:
        evaluation = replace(evaluation, title=title)
    Console(highlight=False).print(terminal_report(evaluation))
    if json_file is not None:
        with naming_output(json_file), atomic_path(json_file) as temporary:
            temporary.write_text(results_json(evaluation), encoding="utf-8")
        print(f"Results: {json_file}", file=sys.stderr)
    if report is not None:
        print(f"Report: {write_report(evaluation, report)}", file=sys.stderr)
