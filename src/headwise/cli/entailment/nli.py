"""``headwise nli``: what is a hypothesis to a premise?"""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from headwise.cli import cluster_options, layout_options, options
from headwise.cli.entailment import entailment_options
from headwise.cli.printing import expect_outputs, print_row, report_job, show_messages
from headwise.cli.reading import expect_inferences, expect_tables, two_texts_or_file
from headwise.cli.settings_options import with_options

if TYPE_CHECKING:
    from headwise.data.jobs import JobDone
    from headwise.data.readers.inferences import InferenceLayout
    from headwise.entailment import EntailmentModel


@with_options
def nli(
    *,
    texts: Annotated[
        list[str],
        typer.Argument(
            metavar="PREMISE HYPOTHESIS | FILE",
            help="Two texts (@FILE reads one); or a TSV, CSV, XLSX, JSONL or Parquet file of "
            "pairs, `-` for standard input. With --ray any number of such files, folders and "
            "patterns.",
        ),
    ],
    json_object: entailment_options.JsonObject = False,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="File to write, .jsonl, .tsv, .csv, .xlsx or .parquet. Default: `-`, JSONL on "
            "standard output.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    overwrite: options.Overwrite = False,
    input_format: layout_options.InputFormat = None,
    output_format: layout_options.OutputFormat = None,
    columns: entailment_options.InferenceColumns,
    origin: entailment_options.EncoderOptions,
    threshold: entailment_options.Threshold = None,
    of_cluster: cluster_options.ClusterOptions,
) -> None:
    """Say whether a premise entails a hypothesis, contradicts it or neither, or abstain.

    Of a file, every row gets an answer; stopped at any point, it continues. Rows that cannot be
    read go to <output>.rejects.jsonl, or with --ray have an `error`; the exit code is then 3.
    """
    with options.usage_errors():
        of_cluster.check()
        if of_cluster.ray is not None and (json_object or input_format or output_format):
            raise ValueError(
                "--json, --input-format and --output-format are not for --ray, which makes "
                "Parquet files of files known by their suffixes."
            )
    if of_cluster.ray is not None:
        _predict_on_cluster(
            of_cluster, texts, output, columns.layout(), origin, threshold, overwrite=overwrite
        )
        return
    of_files = (output, input_format, output_format, overwrite, columns.are_given)
    texts = two_texts_or_file(
        texts,
        ("a premise", "its hypothesis"),
        options_of_files=any(of_files),
        json_object=json_object,
    )
    layout, target = columns.layout(input_format), output or "-"
    if len(texts) == 1:
        expect_tables(texts, file_format=input_format)

        expect_inferences(texts, layout, labelled=False)
        expect_outputs(target, None, texts, output_format=output_format)

    from headwise.entailment.prediction_job import predict_file

    show_messages()
    loaded = origin.load(threshold)
    if len(texts) == 2:
        _predict(loaded, *texts, json_object=json_object)
        return
    with options.usage_errors():
        done = predict_file(
            loaded,
            texts[0],
            target,
            model=origin.model,
            heads=origin.heads,
            threshold=loaded.threshold,
            layout=layout,
            output_format=output_format,
            overwrite=overwrite,
            # On standard output the rows themselves show how far it is
            progress=target != "-" and sys.stderr.isatty(),
        )
    _report(done, target, output_format)
    if done.rejected:
        raise typer.Exit(3)


def _predict_on_cluster(
    of_cluster: cluster_options.ClusterOptions,
    files: list[str],
    output: str | None,
    layout: "InferenceLayout",
    origin: entailment_options.EncoderOptions,
    threshold: float | None,
    *,
    overwrite: bool,
) -> None:
    from headwise.entailment import PredictTables

    work = PredictTables(
        model=origin.model,
        heads=origin.heads,
        threshold=threshold,
        loading=origin.loading.arguments(),
        layout=layout,
    )
    done = of_cluster.run(work, files, output, overwrite=overwrite)
    _report(done)
    cluster_options.report_rejected(done)


def _report(done: "JobDone", target: str | None = None, output_format: str | None = None) -> None:
    counts = [f"{count} {label}" for label, count in done.figures["labels"].items()]
    report_job(
        done,
        f"{done.written} rows predicted",
        found=", ".join([*counts, f"{done.figures['abstained']} abstentions"]),
        target=target,
        output_format=output_format,
    )


def _predict(model: "EntailmentModel", premise: str, hypothesis: str, *, json_object: bool) -> None:
    from rich.console import Console

    from headwise.entailment.rows import prediction_row
    from headwise.report import render_prediction

    with options.usage_errors():
        prediction = model.predict(premise, hypothesis)
    if json_object:
        row = {"premise": premise, "hypothesis": hypothesis, **prediction_row(prediction)}
        print_row(row)
    else:
        console = Console(highlight=False)
        console.print(render_prediction(prediction, threshold=model.threshold))
