"""``headwise check``: does a source support a claim?"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headwise.choices import DEFAULT_MIN_SIMILARITY, DEFAULT_TOGETHER
from headwise.cli import layout_options, options
from headwise.cli.entailment import entailment_options
from headwise.cli.printing import (
    expect_outputs,
    print_row,
    report_job,
    run_details,
    show_messages,
)
from headwise.cli.reading import expect_claims, expect_tables, given_text
from headwise.cli.settings_options import with_options

if TYPE_CHECKING:
    from headwise.data.jobs import JobDone
    from headwise.data.readers.claims import ClaimLayout
    from headwise.entailment import EntailmentModel
    from headwise.entailment.claims.sources import CheckOptions


@with_options
def check(
    *,
    source: Annotated[
        str | None,
        typer.Argument(
            help="The source: a text, @FILE, or `-` for standard input; with --claims that of all "
            "claims, by default each row has its own."
        ),
    ] = None,
    claim: Annotated[str | None, typer.Argument(help="The claim, one statement; or @FILE.")] = None,
    claims: Annotated[
        str | None,
        typer.Option(
            help="TSV, CSV, XLSX, JSONL or Parquet file of claims, `-` for standard input.",
            rich_help_panel=options.INPUT,
        ),
    ] = None,
    language: Annotated[
        str, typer.Option(help="Code of the source's language, for its sentences.")
    ] = "en",
    top_k: Annotated[
        int, typer.Option("--top-k", min=1, help="How many passages to ask about.")
    ] = 5,
    window: Annotated[int, typer.Option(min=1, help="Neighbouring sentences in a passage.")] = 1,
    min_similarity: Annotated[
        float,
        typer.Option(
            min=-1.0,
            max=1.0,
            help="Cosine of embeddings that a passage needs to contradict the claim, or to be read "
            "with others; -1 for none.",
        ),
    ] = DEFAULT_MIN_SIMILARITY,
    together: Annotated[
        int,
        typer.Option(
            min=1,
            help="How many passages may be read as one premise, where none supports the claim by "
            "itself; 1 for none.",
        ),
    ] = DEFAULT_TOGETHER,
    json_object: entailment_options.JsonObject = False,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="File to write, .jsonl, .tsv, .csv, .xlsx or .parquet; `-` for JSONL on standard "
            "output, which is the default unless --html is given.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    html: options.HtmlReport = None,
    overwrite: options.Overwrite = False,
    input_format: layout_options.InputFormat = None,
    output_format: layout_options.OutputFormat = None,
    columns: entailment_options.ClaimColumnOptions,
    origin: entailment_options.EncoderOptions,
    threshold: entailment_options.Threshold = None,
) -> None:
    """Check a claim against a source of any length, and show the passages that decide.

    Of a file (--claims), every claim gets a verdict; stopped at any point, it continues. Rows that
    cannot be read go to <output>.rejects.jsonl; the exit code is then 3. Else it is 0 whatever the
    verdicts are.
    """
    show_messages()
    of_files = (output, html, input_format, output_format, overwrite, columns.are_given)
    if claims is None and (source is None or claim is None):
        raise typer.BadParameter("Give a SOURCE and a CLAIM, or a file of claims with --claims.")
    if claims is None and any(of_files):
        raise typer.BadParameter("Options of files and columns go with --claims.")
    if claims is not None and (claim is not None or json_object):
        raise typer.BadParameter("--claims takes the place of CLAIM and --json.")
    if claims == source == "-":
        raise typer.BadParameter("SOURCE and --claims cannot both be standard input.")
    layout = columns.layout(has_source=source is None, file_format=input_format)
    if claims is not None:
        expect_tables([claims], file_format=input_format)
        expect_claims([claims], layout)
        expect_outputs(output, html, [claims], output_format=output_format)
    if source is not None:
        from headwise.data.readers.texts import read_whole_text

        source = read_whole_text("-") if source == "-" else given_text(source, name="SOURCE")
    claim = None if claim is None else given_text(claim, name="CLAIM")

    from headwise.entailment.claims.sources import CheckOptions

    loaded = origin.load(threshold)
    with options.usage_errors():
        asked = CheckOptions(
            language=language,
            top_k=top_k,
            window=window,
            min_similarity=min_similarity,
            together=together,
        )
        if claims is None:
            _check_one(loaded, source or "", claim or "", asked, json_object=json_object)
            return
        done = _check_file(
            loaded,
            claims,
            output or (None if html else "-"),
            html=html,
            source=source,
            options=asked,
            layout=layout,
            model=origin.model,
            heads=origin.heads,
            output_format=output_format,
            overwrite=overwrite,
        )
    if done.rejected:
        raise typer.Exit(3)


def _check_one(
    model: "EntailmentModel", source: str, claim: str, asked: "CheckOptions", *, json_object: bool
) -> None:
    from dataclasses import asdict

    from rich.console import Console

    from headwise.entailment.rows import validation_row
    from headwise.report import render_validation

    validation = model.validate(source, claim, **asdict(asked))
    if json_object:
        print_row({"claim": claim, **validation_row(validation)})
    else:
        Console(highlight=False).print(render_validation(validation, source=source))


def _check_file(
    checker: "EntailmentModel",
    claims: str,
    target: str | None,
    *,
    html: Path | None,
    source: str | None,
    options: "CheckOptions",
    layout: "ClaimLayout",
    model: str,
    heads: str | None,
    output_format: str | None,
    overwrite: bool,
) -> "JobDone":
    from headwise.entailment.claims.job import check_file

    rows: list[Any] = []
    done = check_file(
        checker,
        claims,
        target,
        model=model,
        heads=heads,
        threshold=checker.threshold,
        source=source,
        options=options,
        layout=layout,
        output_format=output_format,
        overwrite=overwrite,
        show=None if html is None else rows.append,
        # On standard output the rows themselves show how far it is
        progress=target != "-" and sys.stderr.isatty(),
    )
    if html is not None:
        from headwise.report import write_claims_report

        details = run_details([claims])
        write_claims_report(rows, html, source=source, model=model, details=details)
        print(f"Report: {html}", file=sys.stderr)
    found = done.figures["verdicts"].items()
    report_job(
        done,
        f"{done.written} claims checked",
        found=", ".join(f"{count} {verdict.replace('_', ' ')}" for verdict, count in found),
        target=target,
        output_format=output_format,
    )
    return done
