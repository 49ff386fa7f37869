"""Options of translators' documents: which segments are scored, and what is written back."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from headwise.cli.options import INPUT, OUTPUT

if TYPE_CHECKING:
    from headwise.data.documents import DocumentFormat, DocumentOptions


@dataclass(frozen=True, slots=True)
class DocumentFlags:
    """What is read of a document, and what a scored one says."""

    states: Annotated[
        str | None,
        typer.Option(
            "--states",
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
        if self.states is not None:
            states = tuple(name.strip() for name in self.states.split(",") if name.strip())
            if not states:
                raise ValueError("--states must name one or more states.")
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

        of_input = (self.states, self.source_language, self.target_language)
        if kind is None and (any(of_input) or self.mark_spans or self.set_state):
            raise ValueError(
                "--states, --source-language, --target-language, --mark-spans and --set-state are "
                "for documents (XLIFF, TMX, PO); the input is none."
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
