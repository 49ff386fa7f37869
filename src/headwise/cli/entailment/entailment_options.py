"""Options of the commands that use an entailment model, and what loads one for them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headwise.cli import layout_options, options, printing
from headwise.cli.prompt_options import MODEL
from headwise.cli.reading import expect_model

if TYPE_CHECKING:
    from headwise.data.readers.claims import ClaimLayout
    from headwise.data.readers.inferences import InferenceLayout
    from headwise.entailment import EntailmentModel

DEFAULT_MODEL = "minilm-snli"

COLUMNS, _MODEL = "Columns", MODEL

Model = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        help="Bundled name, folder or hub id of an encoder, or folder of heads that know it.",
        rich_help_panel=_MODEL,
    ),
]
Heads = Annotated[
    str | None,
    typer.Option("--heads", help="Folder, .pt file or hub id of heads.", rich_help_panel=_MODEL),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        min=0.0,
        help="Uncertainty from which on the model abstains; by default that of the heads.",
        rich_help_panel=_MODEL,
    ),
]
JsonObject = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@dataclass(frozen=True, slots=True)
class InferenceColumns:
    """Which columns of a file hold premises, hypotheses and labels, and how it is written."""

    premise_column: Annotated[
        str | None, typer.Option(help="Name of the premise column.", rich_help_panel=COLUMNS)
    ] = None
    hypothesis_column: Annotated[
        str | None, typer.Option(help="Name of the hypothesis column.", rich_help_panel=COLUMNS)
    ] = None
    label_column: Annotated[
        str | None,
        typer.Option(
            help="Name of the column with annotators' labels; `nli` hands them through as `gold`.",
            rich_help_panel=COLUMNS,
        ),
    ] = None
    written: layout_options.TextFileOptions = layout_options.TextFileOptions()

    @property
    def are_given(self) -> bool:
        """Whether any of them is."""
        return self != InferenceColumns()

    def layout(self, file_format: str | None = None) -> "InferenceLayout":
        """These as readers know them."""
        from headwise.data.readers.inferences import InferenceLayout
        from headwise.data.readers.layout import Format

        return InferenceLayout(
            premise_column=self.premise_column,
            hypothesis_column=self.hypothesis_column,
            label_column=self.label_column,
            format=None if file_format is None else Format(file_format),
            **self.written.arguments,
        )


@dataclass(frozen=True, slots=True)
class ClaimColumnOptions:
    """Which columns of a file hold claims and their sources, and how it is written."""

    claim_column: Annotated[
        str | None, typer.Option(help="Name of the claim column.", rich_help_panel=COLUMNS)
    ] = None
    source_column: Annotated[
        str | None,
        typer.Option(
            help="Name of the source column, if each claim has its own.", rich_help_panel=COLUMNS
        ),
    ] = None
    written: layout_options.TextFileOptions = layout_options.TextFileOptions()

    @property
    def are_given(self) -> bool:
        """Whether any of them is."""
        return self != ClaimColumnOptions()

    def layout(self, *, has_source: bool, file_format: str | None) -> "ClaimLayout":
        """These as readers know them."""
        from headwise.data.readers.claims import ClaimLayout
        from headwise.data.readers.layout import Format

        if not has_source and self.source_column is not None:
            raise typer.BadParameter("--source-column is for rows with a source: leave SOURCE out.")
        return ClaimLayout(
            claim_column=self.claim_column,
            source_column=self.source_column,
            has_source=has_source,
            format=None if file_format is None else Format(file_format),
            **self.written.arguments,
        )


@dataclass(frozen=True, slots=True)
class EncoderOptions:
    """The encoder and its heads."""

    model: Model = DEFAULT_MODEL
    heads: Heads = None
    loading: options.LoadingOptions = options.LoadingOptions()

    def __post_init__(self) -> None:
        object.__setattr__(self, "model", self.loading.named(self.model))
        expect_encoder(self.model)
        if self.heads is not None and not Path(self.heads).is_file():
            expect_encoder(self.heads)

    def load(self, threshold: float | None = None) -> "EntailmentModel":
        """Load them, with Transformers' own messages turned off."""
        with options.usage_errors(), printing.quiet_loading(self.model):
            from headwise.entailment import EntailmentModel

            return EntailmentModel.from_pretrained(
                self.model, self.heads, threshold=threshold, **self.loading.arguments()
            )


def expect_encoder(name: str | None) -> None:
    """See that an encoder or its heads can be there, as :func:`expect_model` does."""
    from headwise.bundled.names import ENTAILMENT_NAMES, MINILM

    expect_model(name, (*ENTAILMENT_NAMES, MINILM))
