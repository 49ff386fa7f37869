"""What commands say on standard error, while they work and when they are done."""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headwise.choices import REPORT_FILES

if TYPE_CHECKING:
    from headwise.data.jobs import JobDone
    from headwise.data.records.pairs import Reject
    from headwise.evaluation.statistics.results import Evaluation


def report_job(
    job: "JobDone", what: str, *, found: str, target: str | None, output_format: str | None
) -> None:
    """Print one line, and where rejected rows are; ``found`` follows a comma if not empty."""
    before = f", {job.resumed_from} of these in earlier runs" if job.resumed_from else ""
    done = "Nothing left to do: " if job.already_complete else ""
    print(
        f"{done}{what}, {job.rejected} rejected{before}{found and ', '}{found}, "
        f"{job.seconds:.1f} s.",
        file=sys.stderr,
    )
    if job.rejected and target not in (None, "-"):
        from headwise.data.jobs import RunFiles

        rejects = RunFiles.of(target, output_format).rejects
        print(f"Rejected rows, with reasons: {rejects}", file=sys.stderr)


def print_row(row: Mapping[str, Any]) -> None:
    """Print a row as one line of JSON, which is UTF-8 whatever the encoding of the terminal."""
    from headwise.data.writers import LineStream, json_line

    sys.stdout.flush()
    LineStream(sys.stdout.buffer).append(json_line(row))


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


def check_outputs(
    *files: Path | None, report: Path | None = None, inputs: Iterable[str | Path | None]
) -> None:
    """Find out before the work begins that its results cannot be written.

    Args:
        files: To be written.
        report: Folder of an evaluation's report, likewise.
        inputs: Files and folders that are read.

    Raises:
        OutputError: If a path lies below a file, in a folder that is closed to us, or is one of
            the inputs or that of another output.
    """
    from headwise.errors import OutputError
    from headwise.files import refuse_overwriting

    pages = [] if report is None else [report / name for name in REPORT_FILES]
    outputs = [*(path for path in files if path is not None), *pages]
    refuse_overwriting([path for path in inputs if path is not None], outputs)
    for path in outputs:
        if [other.resolve() for other in outputs].count(path.resolve()) > 1:
            raise OutputError(f"Two results would be written to {path}; give each a file.")
        nearest = next(folder for folder in path.absolute().parents if folder.exists())
        if not nearest.is_dir():
            raise OutputError(f"{path} cannot be written: {nearest} is a file.")
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise OutputError(f"{path} cannot be written: no permission for {nearest}.")


def expect_outputs(
    target: str | None,
    html: Path | None,
    inputs: Sequence[str],
    *,
    output_format: str | None,
    document: str | None = None,
) -> None:
    """See that a job's files can be written, before anything is read.

    ``target`` is the file of rows, ``-`` or ``None`` for no file; ``html`` that of the page;
    ``document`` the format of the input, if it is a document that may be copied.
    """
    check_outputs(html, inputs=inputs)
    if target not in (None, "-"):
        from headwise.data.jobs import RunFiles

        files = RunFiles.of(target, output_format)
        files.expect(inputs, [] if html is None else [html], filter(None, [document]))


def run_details(inputs: "Sequence[str | Path]") -> dict[str, str]:
    """What a report says of the run that wrote it: input, command, date."""
    import shlex
    from datetime import datetime

    return {
        "input": ", ".join(map(str, inputs)),
        "command": shlex.join(["headwise", *sys.argv[1:]]),  # however it was started
        "date": f"{datetime.now().astimezone():%Y-%m-%d %H:%M %Z}",
    }


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
    of_run = {name: value for name, value in run_details([]).items() if value}
    evaluation = replace(evaluation, settings={**evaluation.settings, **of_run})
    Console(highlight=False).print(terminal_report(evaluation))
    if json_file is not None:
        with naming_output(json_file), atomic_path(json_file) as temporary:
            temporary.write_text(results_json(evaluation), encoding="utf-8")
        print(f"Results: {json_file}", file=sys.stderr)
    if report is not None:
        print(f"Report: {write_report(evaluation, report)}", file=sys.stderr)


def is_first_process() -> bool:
    """Whether this is the only process, or the one of several under ``torchrun`` that speaks."""
    return os.environ.get("RANK", "0") == "0"


def show_messages() -> None:
    """Show on standard error what the library has to say."""
    import logging

    class Printer(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            # A progress bar may have taken the place of standard error: look anew
            print(self.format(record), file=sys.stderr)

    logger = logging.getLogger("headwise")
    if not logger.handlers:
        logger.addHandler(Printer())
        logger.setLevel(logging.INFO if is_first_process() else logging.ERROR)


@contextmanager
def quiet_loading(name: str) -> Iterator[None]:
    """Load what has this name: a terminal says so, Transformers says nothing but errors, ever."""
    from headwise.progress import busy

    with busy(f"Loading {name}", enabled=is_first_process()):
        from transformers.utils import logging

        logging.set_verbosity_error()
        logging.disable_progress_bar()
        try:
            yield
        finally:
            logging.enable_progress_bar()
