"""``headwise score``: score a file of pairs."""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from headwise.cli import cluster_options, layout_options, options, printing
from headwise.cli.printing import expect_outputs, report_job, run_details
from headwise.cli.prompt_options import parse_prompt_option
from headwise.cli.reading import expect_pairs, expect_tables, expect_texts
from headwise.cli.settings_options import with_options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from headwise.data.jobs import JobDone


@with_options
def score(
    *,
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE | SOURCES HYPOTHESES",
            help="TSV, CSV, XLSX, JSONL or Parquet file of pairs, `-` for standard input; XLIFF, "
            "TMX or PO document; or a text file of sources and one of hypotheses, a line each. "
            "With --ray any number of tables, folders of them and patterns.",
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="File to write, .jsonl, .tsv, .csv, .xlsx or .parquet, or a copy of a document "
            "with scores, .xlf, .tmx or .po; `-` for JSONL on standard output, which is the "
            "default unless --view or --html is given.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    level: Annotated[
        Literal["sentence", "word", "token"] | None,
        typer.Option(
            "--level",
            "-l",
            help="What a row holds: sentence, word or token scores.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    view: Annotated[
        bool,
        typer.Option(
            "--view",
            help="Show the texts in the terminal, coloured by score.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = False,
    html: options.HtmlReport = None,
    signals: options.SignalNames = None,
    alternatives: Annotated[
        int | None,
        typer.Option(
            "--alternatives",
            min=0,
            help="How many of the model's own choices to report a token. "
            "Default: 3 for --view and --html, else 0.",
            rich_help_panel=options.SCORES,
        ),
    ] = None,
    origin: options.ScoringOptions,
    threshold: options.QualityThreshold = None,
    segment_threshold: options.SegmentThreshold = None,
    flagged_only: Annotated[
        bool,
        typer.Option(
            "--flagged-only",
            help="--view and --html show flagged segments alone.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = False,
    columns: layout_options.LayoutOptions,
    documents: layout_options.DocumentFlags,
    output_format: layout_options.OutputFormat = None,
    overwrite: options.Overwrite = False,
    of_cluster: cluster_options.ClusterOptions,
) -> None:
    """Score pairs of a source and a hypothesis; stopped at any point, it continues.

    Documents of translators (XLIFF, TMX, PO) are read as well, and copied with scores.

    Rows that cannot be scored go to <output>.rejects.jsonl, or with --ray have an `error`; the exit
    code is then 3.
    """
    from headwise.data.readers import document_format

    shown = view or html is not None
    target = output or (None if shown else "-")
    names = options.split_signals(signals)
    with options.usage_errors():
        of_cluster.check()
        if of_cluster.ray is not None:
            if shown or output_format or columns.input_format:
                raise ValueError(
                    "--view, --html, --input-format and --output-format are not for --ray, which "
                    "makes Parquet files of files known by their suffixes."
                )
            documents.check(None, written=False)
    if of_cluster.ray is not None:
        from headwise.quality.tables import ScoreTables

        work = ScoreTables(
            model=origin.model,
            head=origin.head,
            prompt=parse_prompt_option(origin.prompting.prompt),
            prompt_variables=origin.prompting.variables,
            prompt_columns=origin.prompting.columns,
            loading=origin.loading.arguments(),
            signals=names,
            alternatives=alternatives or 0,
            level=level or "sentence",
            threshold=threshold,
            segment_threshold=segment_threshold,
            layout=columns.layout(),
        )
        on_cluster = of_cluster.run(work, files, output, overwrite=overwrite)
        _report(on_cluster)
        cluster_options.report_rejected(on_cluster)
        return
    inputs = cluster_options.one_file(files, second="one of hypotheses")
    source, hypotheses = inputs[0], inputs[1] if len(inputs) == 2 else None
    with options.usage_errors():
        layout = replace(columns.layout(), documents=documents.reading())
        if target is None and level not in (None, "token"):
            raise ValueError("--level says what --output holds; --view and --html show tokens.")
        if flagged_only and not shown:
            raise ValueError("--flagged-only is for --view and --html; rows say `flagged`.")
        if view and target == "-":
            raise ValueError("--view and rows on standard output would mix; give --output a file.")
    kind = None
    if hypotheses is not None and any(map(document_format, inputs)):
        raise typer.BadParameter("A document holds both texts; give it alone.")
    if hypotheses is None:
        expect_tables(inputs, file_format=columns.input_format)
        with options.usage_errors():
            kind = document_format(source, layout)
            documents.check(kind, written=_is_document(target, output_format))
            expect_pairs(inputs, layout, origin.prompting.columns.values())
    else:
        expect_texts(inputs)
    expect_outputs(target, html, inputs, output_format=output_format, document=kind)

    from headwise.data.documents import skipped_in_words
    from headwise.data.writers import json_line, scored_row
    from headwise.quality.job import Look, score_file

    printing.show_messages()
    estimator = origin.load(row_languages=kind is not None)
    limit = options.choose_threshold(estimator, names, threshold, segment_threshold)
    with tempfile.TemporaryDirectory(prefix="headwise-") as folder, options.usage_errors():
        looked_at = Path(folder) / "scored.jsonl"
        with looked_at.open("wb") as lines:
            look = Look(
                lambda scored: lines.write(
                    json_line({"line": scored.line, **scored_row(scored, "token")})
                ),
                alternatives=3 if alternatives is None else alternatives,
            )
            done = score_file(
                estimator,
                source,
                target,
                hypotheses=hypotheses,
                model=origin.model,
                head=origin.head,
                layout=layout,
                output_format=output_format,
                level=level or "sentence",
                signals=options.chosen_signals(names, estimator),
                alternatives=alternatives or 0,
                mark_spans=documents.mark_spans,
                set_state=documents.set_state,
                overwrite=overwrite,
                look=look if shown else None,
                # On standard output the rows themselves show how far it is
                progress=target != "-" and sys.stderr.isatty(),
            )
        if view:
            _show(looked_at, limit, flagged_only=flagged_only)
        if html is not None:
            details = run_details(inputs)
            known = estimator.calibration
            made_of = "" if known is None else known.blend.name
            _write_report(looked_at, html, limit, origin.model, flagged_only, details, made_of)
    _report(done, target, output_format)
    if kind is not None and (said := skipped_in_words(done.figures["skipped"])):
        print(said, file=sys.stderr)
    if done.rejected:
        raise typer.Exit(3)


def _report(done: "JobDone", target: str | None = None, output_format: str | None = None) -> None:
    mean_score = done.figures["mean_score"]
    found = [f"{done.figures['flagged']} of {done.written} segments to check"]
    found += [] if mean_score is None else [f"mean score {mean_score:.4f}"]
    report_job(
        done,
        f"{done.written} rows scored",
        found=", ".join(found),
        target=target,
        output_format=output_format,
    )
    if (warning := done.figures.get("warning")) is not None:
        print(warning, file=sys.stderr)


def _is_document(target: str | None, output_format: str | None) -> bool:
    from headwise.data.jobs import RunFiles

    if target in (None, "-"):
        return False
    return RunFiles.of(str(target), output_format).format.is_document


def _show(path: Path, threshold: float, *, flagged_only: bool) -> None:
    from rich.console import Console

    from headwise.data.readers import read_scored
    from headwise.report import render_legend, render_scored, shows_gaps

    console, shown = Console(highlight=False), None
    for shown in read_scored(path):
        if shown.flagged or not flagged_only:
            console.print(render_scored(shown, threshold=threshold))
            console.print()
    if shown is not None:
        gaps = shows_gaps(shown.signals)
        console.print(render_legend(shown.signals[0], threshold=threshold, gaps=gaps))


def _write_report(
    path: Path,
    html: Path,
    threshold: float,
    model: str,
    flagged_only: bool,
    details: "Mapping[str, str]",
    made_of: str,
) -> None:
    from headwise.data.readers import read_scored
    from headwise.report import write_html_report

    write_html_report(
        read_scored(path),
        html,
        threshold=threshold,
        model=model,
        flagged_only=flagged_only,
        details=details,
        made_of=made_of,
    )
    print(f"Report: {html}", file=sys.stderr)
