"""Options that say what a file is like and where it has its texts."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from headwise.cli.options import INPUT, OUTPUT

if TYPE_CHECKING:
    from headwise.data.readers import Layout


InputFormat = Annotated[
    Literal["tsv", "csv", "jsonl", "json", "parquet", "xlsx"] | None,
    typer.Option("--input-format", help="By default the suffix says it.", rich_help_panel=INPUT),
]
OutputFormat = Annotated[
    Literal["jsonl", "tsv", "csv", "parquet", "xlsx"] | None,
    typer.Option("--output-format", help="By default the suffix says it.", rich_help_panel=OUTPUT),
]
Encoding = Annotated[
    str | None,
    typer.Option(
        "--encoding",
        help="Encoding of text, such as cp1252. By default UTF-8, or UTF-16 if it is that.",
        rich_help_panel=INPUT,
    ),
]
Header = Annotated[
    bool | None,
    typer.Option(
        "--header/--no-header",
        help="Whether the first row names the columns. By default it does if known names stand "
        "in it; that of a .txt file does not.",
        rich_help_panel=INPUT,
    ),
]
Quotes = Annotated[
    bool | None,
    typer.Option(
        "--quotes/--no-quotes",
        help="Whether quotation marks around cells belong to the format. By default those of CSV "
        "do, and those of TSV that looks so.",
        rich_help_panel=INPUT,
    ),
]


NoSource = Annotated[
    bool, typer.Option("--no-source", help="The rows are text on its own.", rich_help_panel=INPUT)
]


@dataclass(frozen=True, slots=True)
class LayoutOptions:
    """Where a file has its texts."""

    source_column: Annotated[
        str | None,
        typer.Option("--source-column", help="Name of the source column.", rich_help_panel=INPUT),
    ] = None
    hypothesis_column: Annotated[
        str | None,
        typer.Option(
            "--hypothesis-column", help="Name of the hypothesis column.", rich_help_panel=INPUT
        ),
    ] = None
    no_source: NoSource = False
    input_format: InputFormat = None
    encoding: Encoding = None
    header: Header = None
    quotes: Quotes = None

    def layout(self) -> "Layout":
        """These as readers know them."""
        from headwise.data.readers import Layout
        from headwise.data.readers.layout import Format

        return Layout(
            format=None if self.input_format is None else Format(self.input_format),
            source_column=self.source_column,
            hypothesis_column=self.hypothesis_column,
            has_source=not self.no_source,
            encoding=self.encoding,
            header=self.header,
            quotes=self.quotes,
        )
