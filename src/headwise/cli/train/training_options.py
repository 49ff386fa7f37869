"""Options that several `train` commands share."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer

from headwise.cli import layout_options
from headwise.training.errors.settings import LABELS
from headwise.training.loop.settings import DATA

if TYPE_CHECKING:
    from headwise.training.errors.run_file import ErrorRun


def files(help: str, panel: str = DATA) -> Any:
    """An option that names files."""
    return typer.Option(help=help, rich_help_panel=panel)


def run_file(left: str) -> Any:
    """The option of a run file; ``left`` says what a run leaves of itself."""
    return typer.Option(
        help=f"Run file (YAML) to take everything from that no option gives; every run {left}."
    )


Config = Annotated[Path | None, run_file("leaves one beside its head")]


def folder(help: str) -> Any:
    """The option of the folder that a run writes."""
    return typer.Option("--output", "-o", help=help, file_okay=False)


Output = Annotated[Path, folder("Folder of the head.")]
LanguageModel = Annotated[
    str | None,
    typer.Option("--backbone", "-b", help="Bundled name, folder or hub id of the model."),
]
BackboneName = Annotated[
    str | None, typer.Option(help="Name to record for the backbone; by default the one given.")
]


NEEDED = "--backbone, --data and --dev are needed, or a --config that has them."
NEEDED_OR_LABELS = NEEDED.replace("needed,", "needed (or --labels in place of both),")


@dataclass(frozen=True, slots=True)
class ErrorData:
    """The texts that an error head learns from: correct ones, marked ones, or both."""

    data: Annotated[
        list[str],
        files("Correct pairs: TSV, JSONL, Parquet, or a folder of `datasets`; may be repeated."),
    ] = field(default_factory=list)
    dev: Annotated[
        list[str],
        files("The same, held out: decides when to stop and which weights to keep."),
    ] = field(default_factory=list)
    no_source: layout_options.NoSource = False
    columns: layout_options.ColumnOptions = layout_options.ColumnOptions()
    labels: Annotated[
        list[str],
        files(
            "Texts that people marked, for a second stage: MQM, or JSONL with `annotations` or "
            "`word_tags`; may be repeated.",
            LABELS,
        ),
    ] = field(default_factory=list)
    labels_dev: Annotated[
        list[str],
        files("The same, held out; by default a fifth of the sources of --labels.", LABELS),
    ] = field(default_factory=list)

    def over(self, run: "ErrorRun") -> Self:
        """These, and what a run file names where no option does."""
        return replace(
            self,
            data=self.data or run.data,
            dev=self.dev or run.dev,
            no_source=self.no_source or run.no_source,
            labels=self.labels or run.labels,
            labels_dev=self.labels_dev or run.label_dev,
        )

    @property
    def files(self) -> tuple[list[str], ...]:
        """All that are read."""
        return self.data, self.dev, self.labels, self.labels_dev

    @property
    def suffice(self) -> bool:
        """Whether there is something to learn from, and dev texts where there are data."""
        return bool(self.labels or self.data) and bool(self.data) == bool(self.dev)
