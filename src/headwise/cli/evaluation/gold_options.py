"""Options that say what people judged, and what is asked of it."""

from dataclasses import dataclass
from typing import Annotated

import typer

_GOLD, _SLICES = "Gold", "Systems, references, slices"


@dataclass(frozen=True, slots=True)
class GoldOptions:
    """Where the gold of texts stands, and which way it points."""

    gold: Annotated[
        str | None,
        typer.Option(
            help="Column with the gold; higher is better. `error-free`: whether people marked "
            "nothing and gave an `esa`, if there is one, of 85 or more.",
            rich_help_panel=_GOLD,
        ),
    ] = None
    gold_file: Annotated[
        str | None,
        typer.Option(
            help="File with the gold, one number a row, as FILE or FILE:COLUMN.",
            rich_help_panel=_GOLD,
        ),
    ] = None
    tags: Annotated[
        str | None,
        typer.Option(
            help="File with OK/BAD tags of the words, or of gaps and words in turn.",
            rich_help_panel=_GOLD,
        ),
    ] = None
    tokenised: Annotated[
        str | None,
        typer.Option(
            help="Text file of the hypotheses cut into the words that --tags counts.",
            rich_help_panel=_GOLD,
        ),
    ] = None
    units: Annotated[
        str | None,
        typer.Option(
            help="What is right or wrong, comma-separated: token, word, gap. Default: words and "
            "gaps if they are tagged, else tokens.",
            rich_help_panel=_GOLD,
        ),
    ] = None
    lower_is_better: Annotated[
        list[str] | None,
        typer.Option(
            help="Name of the gold or of another score that says how bad a row is; may be "
            "repeated.",
            rich_help_panel=_GOLD,
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class SliceOptions:
    """Who wrote the texts, and in which parts of them to look."""

    system: Annotated[
        str | None,
        typer.Option(
            help="Column that says who wrote a row; by default `system`, if there is one.",
            rich_help_panel=_SLICES,
        ),
    ] = None
    rank_references: Annotated[
        bool,
        typer.Option(
            "--rank-references",
            help="Rank translations by people (systems called ref, refA, ...) as systems, too.",
            rich_help_panel=_SLICES,
        ),
    ] = False
    reference_column: Annotated[
        list[str] | None,
        typer.Option(
            help="For references: column with a person's translation of the row's source; may be "
            "repeated. By default those called like references. For cascade: column with the right "
            "answer, or a list of right ones.",
            rich_help_panel=_SLICES,
        ),
    ] = None
    below: Annotated[
        float | None,
        typer.Option(
            help="For references: the worse outputs are those with a gold below this.",
            rich_help_panel=_SLICES,
        ),
    ] = None
    by: Annotated[
        str | None,
        typer.Option(
            help="Column to slice the texts by, such as domain, or length: one more table says "
            "where each signal fails. Numbers make quarters.",
            rich_help_panel=_SLICES,
        ),
    ] = None
