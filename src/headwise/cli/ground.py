"""``headwise ground``: what does a context not support of an answer?"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from headwise.cli import layout_options, options, prompt_options
from headwise.cli.entailment import entailment_options
from headwise.cli.printing import (
    expect_outputs,
    print_row,
    quiet_loading,
    report_job,
    show_messages,
)
from headwise.cli.reading import expect_model, expect_pairs, expect_tables, two_texts_or_file
from headwise.cli.settings_options import with_options

if TYPE_CHECKING:
    from headwise.grounding import GroundedAnswer, GroundingDetector

By = Literal["head", "entailment", "both", "quantities"]


@with_options
def ground(
    *,
    texts: Annotated[
        list[str],
        typer.Argument(
            metavar="CONTEXT ANSWER | FILE",
            help="Two texts (@FILE reads one); or a TSV, CSV, XLSX, JSONL or Parquet file of "
            "contexts and answers, `-` for standard input.",
        ),
    ],
    by: Annotated[
        By | None,
        typer.Option(
            help="What looks for it: an error head, entailment of each sentence, both, or nothing "
            "but the rule on numbers and dates, which always holds. Default: head with --model, "
            "else entailment.",
            rich_help_panel=options.SCORES,
        ),
    ] = None,
    threshold: Annotated[
        float,
        typer.Option(
            help="Words are unsupported from this probability on, above 0 and at most 1.",
            rich_help_panel=options.SCORES,
        ),
    ] = 0.5,
    language: Annotated[
        str,
        typer.Option(
            help="Code of the texts' language, for sentences.", rich_help_panel=options.SCORES
        ),
    ] = "en",
    window: Annotated[
        int,
        typer.Option(
            min=1, help="Neighbouring sentences in a passage.", rich_help_panel=options.SCORES
        ),
    ] = 2,
    top_k: Annotated[
        int,
        typer.Option(
            "--top-k",
            min=1,
            help="How many passages to ask about each sentence.",
            rich_help_panel=options.SCORES,
        ),
    ] = 5,
    quantities: Annotated[
        bool,
        typer.Option(
            "--quantities/--no-quantities",
            help="Whether numbers, dates and times that stand nowhere in the context are reported.",
            rich_help_panel=options.SCORES,
        ),
    ] = True,
    json_object: entailment_options.JsonObject = False,
    html: options.HtmlReport = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="Of a FILE: file to write, .jsonl, .tsv, .csv, .xlsx or .parquet. Default: `-`, "
            "JSONL on standard output, unless --html is given.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    overwrite: options.Overwrite = False,
    context_column: Annotated[
        str | None,
        typer.Option(help="Name of the context column.", rich_help_panel=options.INPUT),
    ] = None,
    answer_column: Annotated[
        str | None,
        typer.Option(help="Name of the answer column.", rich_help_panel=options.INPUT),
    ] = None,
    written: layout_options.TextFileOptions = layout_options.TextFileOptions(),
    input_format: layout_options.InputFormat = None,
    output_format: layout_options.OutputFormat = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            help="Language model whose error head reads answers behind contexts: gemma-3-270m, or "
            "any with --head.",
            rich_help_panel=prompt_options.MODEL,
        ),
    ] = None,
    head: options.Head = None,
    entailment: Annotated[
        str,
        typer.Option(
            help="Bundled name, folder or hub id of an entailment model.",
            rich_help_panel=prompt_options.MODEL,
        ),
    ] = entailment_options.DEFAULT_MODEL,
    heads: Annotated[
        str | None,
        typer.Option(
            help="Folder, .pt file or hub id of its heads.", rich_help_panel=prompt_options.MODEL
        ),
    ] = None,
    loading: options.LoadingOptions = options.LoadingOptions(),
) -> None:
    """Mark the spans of an answer that its context does not support.

    Of a file, every row is looked at; stopped at any point, it continues. Rows that cannot be read
    go to <output>.rejects.jsonl; the exit code is then 3. Otherwise it is 0, whatever is found.
    """
    from headwise.data.readers.layout import Format, GroundedLayout

    layout = GroundedLayout(
        source_column=context_column,
        hypothesis_column=answer_column,
        format=None if input_format is None else Format(input_format),
        **written.arguments,
    )
    by = by or ("entailment" if model is None else "head")
    if by in ("head", "both") and model is None:
        raise typer.BadParameter(f"--by {by} needs --model with an error head that reads answers.")
    of_files = (output, output_format, overwrite, layout != GroundedLayout())
    texts = two_texts_or_file(
        texts, ("a context", "its answer"), options_of_files=any(of_files), json_object=json_object
    )
    target = output or ("-" if html is None else None)
    if len(texts) == 1:
        expect_tables(texts, file_format=input_format)
        with options.usage_errors():
            expect_pairs(texts, layout)
        expect_outputs(target, html, texts, output_format=output_format)
    model = None if model is None or by in ("entailment", "quantities") else loading.named(model)
    claims = entailment if by in ("entailment", "both") else None
    for name in (model, head):
        expect_model(name)
    if claims is not None:
        entailment_options.expect_encoder(claims)

    show_messages()
    with options.usage_errors(), quiet_loading(model or claims or ""):
        from headwise.grounding import GroundingDetector

        detector = GroundingDetector.from_pretrained(
            model,
            head,
            entailment=claims,
            heads=heads,
            loading=loading.arguments(),
            threshold=threshold,
            language=language,
            window=window,
            top_k=top_k,
            quantities=quantities,
        )
    if len(texts) == 2:
        _ground(detector, *texts, json_object=json_object, html=html)
        return
    from headwise.grounding.job import ground_file

    shown: list[GroundedAnswer] = []
    with options.usage_errors():
        done = ground_file(
            detector,
            texts[0],
            target,
            models={"model": model, "head": head, "entailment": claims, "heads": heads},
            layout=layout,
            output_format=output_format,
            overwrite=overwrite,
            show=None if html is None else shown.append,
            # On standard output the rows themselves show how far it is
            progress=target != "-" and sys.stderr.isatty(),
        )
    if html is not None:
        _write_page(shown, html)
    report_job(
        done,
        f"{done.written} answers grounded",
        found=f"{done.figures['unsupported']} of them say what their context does not",
        target=target,
        output_format=output_format,
    )
    if done.rejected:
        raise typer.Exit(3)


def _ground(
    detector: "GroundingDetector",
    context: str,
    answer: str,
    *,
    json_object: bool,
    html: Path | None,
) -> None:
    from rich.console import Console

    from headwise.report import render_grounded

    with options.usage_errors():
        found = detector.ground(context, answer)
    if json_object:
        print_row(found.row())
    else:
        Console(highlight=False).print(render_grounded(found))
    if html is not None:
        _write_page([found], html)


def _write_page(found: "list[GroundedAnswer]", html: Path) -> None:
    from headwise.report import write_grounded_report

    write_grounded_report(found, html)
    print(f"Page: {html}", file=sys.stderr)
