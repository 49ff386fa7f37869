"""Options of how a training runs: how its model is loaded, what stays, and what is begun anew."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headwise.cli import options, printing, prompt_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from headwise.backbones import Backbone, PromptTemplate
    from headwise.bundled import ModelLocation
    from headwise.training.errors.settings import ErrorTraining
    from headwise.training.loop.run_file import TrainingRun
    from headwise.training.sigmoid.settings import SigmoidTraining

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


def load_language_model(
    place: "ModelLocation",
    loading: options.LoadingOptions,
    prompting: prompt_options.PromptOptions,
    run: "TrainingRun",
    *,
    heads: "Sequence[Path | None]",
    has_source: bool = True,
    settings: "SigmoidTraining | ErrorTraining",
) -> "tuple[Backbone, PromptTemplate]":
    """The language model of a run, and the prompt: the one asked for, or that of a head.

    Layers that ``settings`` name must be the model's, unless they are still to be found; heads,
    and one in a folder that they start from, must be for a model of as many.
    """
    printing.show_messages()
    layers = settings.layers
    with options.usage_errors(), printing.quiet_loading(place.backbone):
        from headwise.backbones import load_backbone
        from headwise.backbones.layers import numbers_of_layers
        from headwise.heads import check_depth
        from headwise.training.loop.prompt_choice import chosen_prompt

        def fits(layer_count: int) -> None:
            with options.usage_errors():
                if not isinstance(layers, str):
                    numbers_of_layers(layers, layer_count)
            start = getattr(settings, "initialise", None)
            for folder in (*heads, None if start is None else Path(start)):
                check_depth(folder, layer_count)

        model = load_backbone(place.backbone, check_depth=fits, **loading.arguments(run.dtype))
        asked = prompt_options.parse_prompt_option(prompting.prompt) or run.prompt
        template = chosen_prompt(model, asked, has_source=has_source, heads=heads)
        template = template.bind(**prompting.variables).bind_columns(**prompting.columns)
        model.check_prompt(template)
        if not isinstance(layers, str):
            model.layer_numbers(layers)
    if printing.is_first_process():
        prompt_options.say_prompt(model, template)
    return model, template
