"""What `train errors` finds out before it trains: settings, start, prompt, the other head."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from headwise.cli import options

if TYPE_CHECKING:
    from headwise.backbones import Backbone, PromptTemplate
    from headwise.bundled.registry import ModelLocation
    from headwise.training.errors import ErrorRun, ErrorTraining

FROM_SCRATCH = "none"


def chosen_settings(
    run: "ErrorRun", given: dict[str, Any], *, mix: Path | None, language: str | None
) -> "ErrorTraining":
    """What options give, over what the run file has, over the defaults."""
    from headwise.corruption import CorruptionMix
    from headwise.training.errors import ErrorTraining
    from headwise.training.loop.run_file import given_values, overlaid

    values = overlaid(run.settings, given_values(given))
    if mix is not None:
        # A family that the file does not name is not drawn: nothing may stay of another mix
        values["mix"] = ErrorTraining(mix=CorruptionMix.read(mix)).to_dict()["mix"]
    if language is not None:
        values["mix"] = {**(values.get("mix") or ErrorTraining().to_dict()["mix"])}
        values["mix"]["language"] = language
    with options.usage_errors():
        return ErrorTraining.from_dict(values)


def folder_to_start_from(
    place: "ModelLocation", start: str | None, run: "ErrorRun", *, alone: bool
) -> Path | None:
    """Folder of the error head to go on from; ``None`` for random weights."""
    from headwise.bundled import locate
    from headwise.heads import has_error_head

    if start is None:
        # A run file that says `start: null` is that of a run that began with random weights
        start = run.start or (FROM_SCRATCH if "start" in run.model_fields_set else None)
    if start == FROM_SCRATCH:
        return None
    if start is not None:
        folder = locate(place.backbone, start).head
        if folder is None or not has_error_head(folder):
            raise typer.BadParameter(f"--start: {folder} has no error head.")
        return folder
    if not alone:
        return None
    if place.head is None or not has_error_head(place.head):
        raise typer.BadParameter(
            "With --labels alone, an error head to start from is needed: give --start FOLDER, "
            f"--start {FROM_SCRATCH} to start from random weights, or --data and --dev."
        )
    return place.head


def chosen_prompt(
    model: "Backbone",
    asked: "PromptTemplate | dict[str, Any] | str | None",
    *,
    no_source: bool,
    heads: Sequence[Path | None],
) -> "PromptTemplate":
    """The prompt that was asked for, or that of a head."""
    from headwise.backbones import default_prompt, parse_prompt
    from headwise.heads import read_head_info

    if asked is not None:
        return parse_prompt(asked)
    if no_source:
        return parse_prompt("raw")
    for folder in heads:
        if folder is not None and (saved := read_head_info(folder).prompt) is not None:
            return parse_prompt(saved)
    return default_prompt(model)


def folder_with_sigmoid_head(
    place: "ModelLocation", output: Path, with_head: str | None
) -> Path | None:
    """Folder of the Sigmoid Head to stand beside; ``None`` if there is none."""
    from headwise.bundled import locate
    from headwise.heads import has_sigmoid_head

    given = None if with_head is None else locate(place.backbone, with_head).head
    if given is not None and not has_sigmoid_head(given):
        raise typer.BadParameter(f"--with-head: {given} has no Sigmoid Head.")
    if not has_sigmoid_head(output):
        return given
    if given is not None:
        print(
            f"{output} has a Sigmoid Head, which stays: --with-head copies none.", file=sys.stderr
        )
    return output
