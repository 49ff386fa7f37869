"""``headwise embed``: embed the texts of a file."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from headwise.cli import cluster_options, options
from headwise.cli.entailment import entailment_options
from headwise.cli.layout_options import TextFileOptions
from headwise.cli.printing import report_job, show_messages
from headwise.cli.reading import expect_tables, expect_text_rows, expect_texts
from headwise.cli.settings_options import with_options


@with_options
def embed(
    *,
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE",
            help="Text file with a text a line, `-` for standard input; or with --column a TSV, "
            "CSV, XLSX, JSONL or Parquet file; with --ray any number of such tables, folders and "
            "patterns.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="File to write: .npy, .safetensors, .jsonl or .parquet; with --ray a folder.",
        ),
    ],
    column: Annotated[
        str | None, typer.Option(help="Name of the column that holds the texts.")
    ] = None,
    written: TextFileOptions,
    role: Annotated[
        Literal["text", "query", "document"],
        typer.Option(help="Whose prompt goes before each text, if the encoder has prompts."),
    ] = "text",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
    origin: entailment_options.EncoderOptions,
    of_cluster: cluster_options.ClusterOptions,
) -> None:
    """Embed texts; each vector keeps the line of its text.

    Lines that cannot be read go to <output>.rejects.jsonl and have no vector; the exit code is
    then 3. The line numbers of the vectors stand beside them: in <name>.lines.npy, in the tensor
    `lines`, or in the column `line`.
    """
    from headwise.data.readers import Layout

    with options.usage_errors():
        of_cluster.check()
        if of_cluster.ray is not None and column is None:
            raise ValueError("With --ray, --column names the column that holds the texts.")
    if of_cluster.ray is not None:
        from headwise.entailment import EmbedTables

        work = EmbedTables(
            model=origin.model,
            heads=origin.heads,
            loading=origin.loading.arguments(),
            column=str(column),
            role=role,
            written=Layout(**written.arguments),
        )
        on_cluster = of_cluster.run(work, files, str(output), overwrite=overwrite)
        report_job(
            on_cluster,
            f"{on_cluster.written} texts embedded",
            found="",
            target=None,
            output_format=None,
        )
        cluster_options.report_rejected(on_cluster)
        return
    (source,) = cluster_options.one_file(files)
    if column is None:
        expect_texts([source])
    else:
        expect_tables([source])

    from headwise.data.jobs.vector_files import check_vector_output

    layout = Layout(**written.arguments)
    expect_text_rows(source, column, layout)
    check_vector_output(source, output, overwrite=overwrite)

    from headwise.entailment.embedding_job import embed_file

    show_messages()
    loaded = origin.load()
    done = embed_file(
        loaded,
        source,
        output,
        column=column,
        layout=layout,
        role=role,
        overwrite=overwrite,
        progress=sys.stderr.isatty(),
    )
    print(
        f"{done.embedded} texts embedded in {done.size} numbers each, {done.rejected} rejected: "
        f"{output}",
        file=sys.stderr,
    )
    if done.rejected:
        print(f"Rejected lines, with reasons: {done.rejects}", file=sys.stderr)
        raise typer.Exit(3)
