"""``headwise rerank``: sort documents by how well they fit a query."""

from typing import Annotated, Literal

import typer

from headwise.cli import options
from headwise.cli.entailment import entailment_options
from headwise.cli.layout_options import TextFileOptions
from headwise.cli.printing import name_left_out, print_row, show_messages
from headwise.cli.reading import given_text
from headwise.cli.settings_options import with_options


@with_options
def rerank(
    *,
    query: Annotated[str, typer.Argument(help="The query, or @FILE.")],
    documents: Annotated[
        str,
        typer.Argument(
            help="Text file with a document a line, `-` for standard input; or with --column a "
            "TSV, CSV, XLSX, JSONL or Parquet file.",
        ),
    ],
    column: Annotated[
        str | None, typer.Option(help="Name of the column that holds the documents.")
    ] = None,
    written: TextFileOptions,
    top_k: Annotated[
        int | None, typer.Option("--top-k", min=1, help="How many to show; all by default.")
    ] = None,
    by: Annotated[
        Literal["late-interaction", "similarity"],
        typer.Option(help="Compare tokens with tokens, or one embedding with the other."),
    ] = "late-interaction",
    json_lines: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a document.")
    ] = False,
    origin: entailment_options.EncoderOptions,
) -> None:
    """Sort documents, best first.

    Lines that cannot be read are named; the exit code is then 3.
    """
    show_messages()
    from headwise.data.readers import Layout
    from headwise.data.readers.texts import read_texts

    query = given_text(query, name="QUERY")
    rows = list(read_texts(documents, column=column, layout=Layout(**written.arguments)))

    from rich.console import Console

    from headwise.entailment.embedding_job import readable_rows
    from headwise.entailment.rows import ranked_row
    from headwise.report import render_ranking

    loaded = origin.load()
    good, _, rejects = readable_rows(
        loaded.backbone, rows, what="document", role="document" if by == "similarity" else None
    )
    with options.usage_errors():
        ranking = loaded.rerank(
            query,
            [row.hypothesis for row in good],
            top_k=top_k,
            by="similarity" if by == "similarity" else "late_interaction",
        )
    lines = {found.index: good[found.index].line for found in ranking}
    if json_lines:
        for rank, found in enumerate(ranking, start=1):
            print_row(ranked_row(found, rank=rank, line=lines[found.index]))
    else:
        Console(highlight=False).print(render_ranking(ranking, lines=lines))
    if rejects:
        name_left_out(rejects)
        raise typer.Exit(3)
