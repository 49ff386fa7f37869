"""Options that say what a file is like and where it has its texts; those of documents, too."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from headwise.cli.options import INPUT, OUTPUT

if TYPE_CHECKING:
    from headwise.data.documents import DocumentFormat, DocumentOptions
    from headwise.data.readers import Layout


InputFormat = Annotated[
    Literal["tsv", "csv", "jsonl", "json", "parquet", "xlsx", "xliff", "tmx", "po"] | None,
    typer.Option("--input-format", help="By default the suffix says it.", rich_help_panel=INPUT),
]
OutputFormat = Annotated[
    Literal["jsonl", "tsv", "csv", "parquet", "xlsx", "xliff", "tmx", "po"] | None,
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
class TextFileOptions:
    """How text that holds rows is written."""

    encoding: Encoding = None
    header: Header = None
    quotes: Quotes = None

    @property
    def arguments(self) -> dict[str, Any]:
        """By the names that layouts have."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ColumnOptions:
    """Which columns of a file hold its texts, and how it is written."""

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
    written: TextFileOptions = TextFileOptions()

    def layout(self, *, has_source: bool = True, file_format: str | None = None) -> "Layout":
        """These as readers know them."""
        from headwise.data.readers import Layout
        from headwise.data.readers.layout import Format

        return Layout(
            format=None if file_format is None else Format(file_format),
            source_column=self.source_column,
            hypothesis_column=self.hypothesis_column,
            has_source=has_source,
            **self.written.arguments,
        )


@dataclass(frozen=True, slots=True)
class LayoutOptions:
    """Where a file has its texts."""

    columns: ColumnOptions = ColumnOptions()
    no_source: NoSource = False
    input_format: InputFormat = None

    def layout(self) -> "Layout":
        """These as readers know them."""
        return self.columns.layout(has_source=not self.no_source, file_format=self.input_format)


@dataclass(frozen=True, slots=True)
class DocumentFlags:
    """What is read of a document, and what a scored one says."""

    segment_states: Annotated[
        str | None,
        typer.Option(
            "--segment-states",
            help="Of a document, score segments of these states alone, with commas between them, "
            "`none` for no state. Default: all but approved and final ones.",
            rich_help_panel=INPUT,
        ),
    ] = None
    source_language: Annotated[
        str | None,
        typer.Option(
            "--source-language",
            help="Language of a document's sources, if it does not say it.",
            rich_help_panel=INPUT,
        ),
    ] = None
    target_language: Annotated[
        str | None,
        typer.Option(
            "--target-language",
            help="Language of a document's translations, likewise; of TMX, the one to score.",
            rich_help_panel=INPUT,
        ),
    ] = None
    mark_spans: Annotated[
        bool,
        typer.Option(
            "--mark-spans",
            help="Mark the words to check in the text of an XLIFF document.",
            rich_help_panel=OUTPUT,
        ),
    ] = False
    set_state: Annotated[
        bool,
        typer.Option(
            "--set-state",
            help="Give flagged segments of a document the state of those that need a review.",
            rich_help_panel=OUTPUT,
        ),
    ] = False

    def reading(self) -> "DocumentOptions":
        """What a reader is told.

        Raises:
            ValueError: If no state is named.
        """
        from headwise.data.documents import DocumentOptions

        states = None
        if self.segment_states is not None:
            states = tuple(name.strip() for name in self.segment_states.split(",") if name.strip())
            if not states:
                raise ValueError("--segment-states must name one or more states.")
        return DocumentOptions(
            states=states,
            source_language=self.source_language,
            target_language=self.target_language,
        )

    def check(self, kind: "DocumentFormat | None", *, written: bool) -> None:
        """See that the options suit what is read and written.

        Raises:
            ValueError: If not.
        """
        from headwise.data.documents import DocumentFormat

        of_input = (self.segment_states, self.source_language, self.target_language)
        if kind is None and (any(of_input) or self.mark_spans or self.set_state):
            raise ValueError(
                "--segment-states, --source-language, --target-language, --mark-spans and "
                "--set-state are for documents (XLIFF, TMX, PO); the input is none."
            )
        if (self.mark_spans or self.set_state) and not written:
            raise ValueError(
                "--mark-spans and --set-state change a document; give --output one, such as "
                "scored.xlf."
            )
        if self.mark_spans and kind is not DocumentFormat.XLIFF:
            raise ValueError("--mark-spans is for XLIFF; no other format has marks for it.")
        if self.set_state and kind is DocumentFormat.TMX:
            raise ValueError("--set-state is not for TMX, whose units have no states.")
