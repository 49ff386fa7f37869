"""The file that says how an error head was trained."""

from pydantic import Field

from headwise.training.run_file import TrainingRun


class ErrorRun(TrainingRun):
    """A whole run as plain values.

    Attributes:
        labels: Files of texts that people marked.
        label_dev: The same, held out.
        start: Folder of the error head that it went on from.
    """

    labels: list[str] = Field(default_factory=list)
    label_dev: list[str] = Field(default_factory=list)
    start: str | None = None
