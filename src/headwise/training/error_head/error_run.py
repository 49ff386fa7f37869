"""The file that says how an error head was trained."""

from pydantic import Field

from headwise.training.run_file import TrainingRun


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
