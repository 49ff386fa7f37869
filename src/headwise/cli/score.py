"""``headwise score``: score a file of pairs."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from headwise.cli import options
from headwise.cli.printing import report_job
from headwise.cli.settings_options import with_options


@with_options
def score(
    *,
    source: Annotated[
        str,
        typer.Argument(
            help="TSV, JSONL or Parquet file of pairs, `-` for standard input; with a second "
            "file, the text file of sources."
        ),
    ],
    hypotheses: Annotated[
        str | None, typer.Argument(help="Text file with a hypothesis a line.")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="File to write, .jsonl, .tsv or .parquet; `-` for JSONL on standard output, "
            "which is the default unless --view or --html is given.",
        ),
    ] = None,
    level: Annotated[
        Literal["sentence", "word", "token"] | None,
        typer.Option("--level", "-l", help="What a row holds: sentence, word or token scores."),
    ] = None,
    view: Annotated[
        bool, typer.Option("--view", help="Show the texts in the terminal, coloured by score.")
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", help="Write a self-contained HTML report.", dir_okay=False),
    ] = None,
    signals: options.SignalNames = None,
    alternatives: Annotated[
        int | None,
        typer.Option(
            "--alternatives",
            min=0,
            help="How many of the model's own choices to report a token. "
            "Default: 3 for --view and --html, else 0.",
        ),
    ] = None,
    origin: options.EstimatorOptions,
    threshold: options.QualityThreshold = None,
    columns: options.LayoutOptions,
    input_format: Annotated[
        str | None, typer.Option(help="tsv, jsonl or parquet; by default the suffix says it.")
    ] = None,
    output_format: Annotated[
        str | None, typer.Option(help="jsonl, tsv or parquet; by default the suffix says it.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Start anew instead of continuing.")
    ] = False,
) -> None:
    """Score pairs of a source and a hypothesis; stopped at any point, it continues.

    Rows that cannot be scored go to <output>.rejects.jsonl; the exit code is then 3.
    """
    import tempfile

    from headwise.quality.job import score_file

    shown = view or html is not None
    names = options.split_signals(signals)
    with options.usage_errors():
        layout = columns.layout(input_format)
        if shown and level not in (None, "token"):
            raise ValueError("--view and --html show tokens: leave out --level, or make it token.")
        if shown and output is not None and (output == "-" or not output.endswith(".jsonl")):
            raise ValueError("--view and --html go with an --output that ends in .jsonl, or none.")
    estimator = origin.load()
    limit = options.choose_threshold(threshold, estimator, names)
    chosen = options.chosen_signals(names, estimator)
    with tempfile.TemporaryDirectory(prefix="headwise-") as folder, options.usage_errors():
        target = output or (str(Path(folder) / "scored.jsonl") if shown else "-")
        done = score_file(
            estimator,
            source,
            target,
            hypotheses=hypotheses,
            model=origin.model,
            head=origin.head,
            calibration=options.calibration_fingerprint(estimator, chosen),
            layout=layout,
            output_format=output_format,
            level="token" if shown else level or "sentence",
            signals=chosen,
            alternatives=(3 if shown else 0) if alternatives is None else alternatives,
            overwrite=overwrite,
            # On standard output the rows themselves show how far it is
            progress=target != "-" and sys.stderr.isatty(),
        )
        if view:
            _show(target, limit)
        if html is not None:
            _write_report(target, html, limit, origin.model)
        mean_score = done.figures["mean_score"]
        mean = "" if mean_score is None else f"mean score {mean_score:.4f}"
        report_job(
            done,
            f"{done.written} rows scored",
            found=mean,
            target=target,
            output_format=output_format,
            kept=output is not None,
        )
    if done.rejected:
        raise typer.Exit(3)


def _show(path: str, threshold: float) -> None:
    from rich.console import Console

    from headwise.data.readers import read_scored
    from headwise.report import render_legend, render_scored, shows_gaps

    console, shown = Console(highlight=False), None
    for shown in read_scored(path):
        console.print(render_scored(shown, threshold=threshold))
        console.print()
    if shown is not None:
        gaps = shows_gaps(shown.signals)
        console.print(render_legend(shown.signals[0], threshold=threshold, gaps=gaps))


def _write_report(path: str, html: Path, threshold: float, model: str) -> None:
    from headwise.data.readers import read_scored
    from headwise.report import write_html_report

    write_html_report(read_scored(path), html, threshold=threshold, model=model)
    print(f"Report: {html}", file=sys.stderr)
