"""``headwise cascade``: ask the small model first, then the next, and abstain if none is sure."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headwise.cli import layout_options, options
from headwise.cli.cascade_options import AcceptOptions, StageOptions
from headwise.cli.printing import (
    expect_outputs,
    print_row,
    report_job,
)
from headwise.cli.reading import expect_tables, given_text
from headwise.cli.settings_options import with_options

if TYPE_CHECKING:
    from headwise.cascade import Cascade

_GENERATION = "Generation"


@with_options
def cascade(
    *,
    questions: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TEXT ... | FILE",
            help="Texts to answer or translate; or a TSV, CSV, XLSX, JSONL or Parquet file with "
            "the column `source`, or a .txt file with a text a line.",
        ),
    ] = None,
    origin: options.EstimatorOptions,
    order: StageOptions,
    accepting: AcceptOptions,
    beams: Annotated[
        int | None, typer.Option("--beams", min=1, help="Beam size.", rich_help_panel=_GENERATION)
    ] = None,
    max_new_tokens: Annotated[
        int,
        typer.Option("--max-new-tokens", min=1, help="Length limit.", rich_help_panel=_GENERATION),
    ] = 256,
    json_lines: Annotated[
        bool,
        typer.Option(
            "--json", help="Print one JSON object a text.", rich_help_panel=options.OUTPUT
        ),
    ] = False,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="Of a FILE: file to write, .jsonl, .tsv, .csv, .xlsx or .parquet. Default: `-`, "
            "JSONL on standard output.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    overwrite: options.Overwrite = False,
    source_column: Annotated[
        str | None,
        typer.Option(
            help="Name of the column with the texts. Default: source.",
            rich_help_panel=options.INPUT,
        ),
    ] = None,
    written: layout_options.TextFileOptions,
    input_format: layout_options.InputFormat = None,
    output_format: layout_options.OutputFormat = None,
) -> None:
    """Answer by the small model where it is sure, else ask the next one, else abstain.

    Of a file, every row is answered; stopped at any point, it continues. The exit code is 3 if
    rows cannot be read, or if nothing can be guaranteed.
    """
    given = questions or []
    if not given:
        raise typer.BadParameter("Give texts, or a file with one a row.")
    of_file = len(given) == 1 and (input_format is not None or _is_file(given[0]))
    if of_file:
        expect_tables(given, file_format=input_format)
        expect_outputs(
            output or "-", None, [*given, *map(str, accepting.files)], output_format=output_format
        )
    elif output or overwrite or output_format:
        raise typer.BadParameter("--output and its kind are for a file of texts.")
    promised = accepting.promised()
    if promised is not None:
        print(promised.said, file=sys.stderr)
    drawing: dict[str, Any] = {"max_new_tokens": max_new_tokens}
    if beams is not None:
        drawing["num_beams"] = beams
    stages = order.load(origin, most_tokens=max_new_tokens)
    with options.usage_errors():
        from headwise.cascade import Cascade

        made = Cascade(
            stages,
            accept=promised or accepting.thresholds,
            costs=order.cost,
            signal=accepting.signal,
            **drawing,
        )
    if of_file:
        from headwise.cascade.job import answer_file
        from headwise.data.readers.layout import Format, Layout

        target = output or "-"
        done = answer_file(
            made,
            given[0],
            target,
            column=source_column,
            layout=Layout(
                format=None if input_format is None else Format(input_format),
                **written.arguments,
            ),
            output_format=output_format,
            ask_all=accepting.ask_all,
            overwrite=overwrite,
            progress=target != "-" and sys.stderr.isatty(),
        )
        who = ", ".join(f"{count:,} by {name}" for name, count in done.figures["answered"].items())
        unit = " s" if made.counts_seconds else ""
        report_job(
            done,
            f"{done.written:,} texts read: {who}, {done.figures['abstained']:,} left unanswered",
            found=f"cost {done.figures['cost']:.4g}{unit}",
            target=target,
            output_format=output_format,
        )
        failed = bool(done.rejected)
    else:
        failed = _answer(made, given, ask_all=accepting.ask_all, json_lines=json_lines)
    if failed or (promised is not None and promised.accept_from is None):
        raise typer.Exit(3)


def _is_file(text: str) -> bool:
    """Whether one argument is a file and no question: it is there, or is called like one."""
    from headwise.data.readers.opening import suffix_format

    if text == "-":
        return True
    if not text.strip() or len(text) > 255 or "\n" in text or text.startswith("@"):
        return False
    return Path(text).exists() or (" " not in text and suffix_format(text) is not None)


def _answer(cascade: "Cascade", texts: list[str], *, ask_all: bool, json_lines: bool) -> bool:
    """Answer texts on the command line; whether one could not be read."""
    from rich.console import Console

    from headwise.errors import InputError
    from headwise.report import render_cascade

    console, failed = Console(highlight=False), False
    read = [given_text(text, name="TEXT") for text in texts]
    for answer in cascade.answer_many(read, ask_all=ask_all, errors="yield"):
        if isinstance(answer, InputError):
            print(f"Left out: {answer}", file=sys.stderr)
            failed = True
        elif json_lines:
            print_row(answer.as_dict())
        else:
            unit = " s" if cascade.counts_seconds else ""
            console.print(render_cascade(answer, unit=unit))
    return failed
