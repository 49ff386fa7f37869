"""The run file of an error head, and the settings that come from it and from options."""

from pathlib import Path
from typing import Any

from pydantic import Field

from headwise.corruption import CorruptionMix
from headwise.corruption.languages import check_language
from headwise.training.errors.settings import ErrorTraining
from headwise.training.loop.run_file import TrainingRun
from headwise.training.loop.settings import overlaid


class ErrorRun(TrainingRun):
    """A whole run as plain values.

    Attributes:
        labels: Files of texts that people marked.
        label_dev: The same, held out.
        start: Folder of the error head that it went on from; ``None`` for random weights.
        no_source: Whether the files hold texts on their own.
    """

    labels: list[str] = Field(default_factory=list)
    label_dev: list[str] = Field(default_factory=list)
    start: str | None = None
    no_source: bool = False


def chosen_settings(
    run: ErrorRun, given: dict[str, Any], *, mix: Path | None, language: str | None
) -> ErrorTraining:
    """What is given, over what the run file has, over the defaults.

    Raises:
        ValueError: If a value is none of a run's.
        DataError: If the file of the mix is none.
    """
    values = overlaid(run.settings, given)
    if mix is not None:
        # A family that the file does not name is not drawn: nothing may stay of another mix
        values["mix"] = ErrorTraining(mix=CorruptionMix.read(mix)).to_dict()["mix"]
    if language is not None:
        check_language(language)
        values["mix"] = {**(values.get("mix") or ErrorTraining().to_dict()["mix"])}
        values["mix"]["language"] = language
    return ErrorTraining.from_dict(values)
