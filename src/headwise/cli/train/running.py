"""Options of how a training runs: how its model is loaded, what stays, and what is begun anew."""

from dataclasses import dataclass
from typing import Annotated

import typer

from headwise.cli import options

_PANEL = "Going on"


@dataclass(frozen=True, slots=True)
class Running:
    """How the model is loaded, and what becomes of what the output folder holds."""

    loading: options.LoadingOptions
    keep_checkpoints: Annotated[
        bool,
        typer.Option(
            "--keep-checkpoints",
            help="Keep checkpoints when training is finished.",
            rich_help_panel=_PANEL,
        ),
    ] = False
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="Begin anew, whatever OUTPUT holds. By default an interrupted training goes on.",
            rich_help_panel=_PANEL,
        ),
    ] = False

    @property
    def arguments(self) -> dict[str, bool]:
        """By the names that every training gives them, and that there are bars to look at."""
        return {
            "keep_checkpoints": self.keep_checkpoints,
            "overwrite": self.overwrite,
            "progress": True,
        }
