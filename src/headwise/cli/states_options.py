"""Options of commands that score with hidden states which others compute."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from headwise.cli.prompt_options import MODEL

if TYPE_CHECKING:
    from headwise.backbones import States

_KEY_VARIABLE = "HEADWISE_STATES_KEY"


@dataclass(frozen=True, slots=True)
class StatesOptions:
    """Who reads texts in the place of the model."""

    states: Annotated[
        str | None,
        typer.Option(
            "--states",
            metavar="URL|FOLDER",
            help="Take hidden states from a server of vLLM, SGLang or llama.cpp that runs the "
            f"model (http://host:8000; a key for it in {_KEY_VARIABLE}), or from files that "
            "vLLM wrote; of the model's weights, the output layer alone is read.",
            rich_help_panel=MODEL,
        ),
    ] = None
    states_layers: Annotated[
        str | None,
        typer.Option(
            "--states-layers",
            metavar="N,N,...",
            help="Which layers the files hold, in the order that vLLM was given them.",
            rich_help_panel=MODEL,
        ),
    ] = None
    states_server: Annotated[
        str | None,
        typer.Option(
            "--states-server",
            metavar="vllm|sglang|llama.cpp",
            help="Which kind the server is; found out by default.",
            rich_help_panel=MODEL,
        ),
    ] = None

    def chosen(self) -> "States | None":
        """What is named, if anything.

        Raises:
            ValueError: If options do not go together, or layers are no numbers.
        """
        if self.states is None:
            if self.states_layers is not None or self.states_server is not None:
                raise ValueError("--states-layers and --states-server say more of --states.")
            return None
        from headwise.backbones import States

        place = States(self.states, layers=self._layers(), server=self.states_server)
        if not place.on_server:
            return place
        key = os.environ.get(_KEY_VARIABLE)
        return States(self.states, server=self.states_server, api_key=key)

    def _layers(self) -> tuple[int, ...] | None:
        if self.states_layers is None:
            return None
        try:
            return tuple(int(number) for number in self.states_layers.split(","))
        except ValueError:
            raise ValueError(
                f"--states-layers must be numbers such as 12,18, got {self.states_layers!r}."
            ) from None
