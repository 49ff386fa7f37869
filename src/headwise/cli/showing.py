"""Show what an evaluation found, and keep it."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from headwise.evaluation.results import Evaluation

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

    from headwise.atomic import atomic_path, naming_output
    from headwise.evaluation.report import results_json, terminal_report, write_report

    if title is not None:
        evaluation = replace(evaluation, title=title)
    Console(highlight=False).print(terminal_report(evaluation))
    if json_file is not None:
        with naming_output(json_file), atomic_path(json_file) as temporary:
            temporary.write_text(results_json(evaluation), encoding="utf-8")
        print(f"Results: {json_file}", file=sys.stderr)
    if report is not None:
        print(f"Report: {write_report(evaluation, report)}", file=sys.stderr)
