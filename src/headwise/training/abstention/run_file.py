"""The run file of an abstention head."""

from pydantic import Field

from headwise.training.loop.run_file import TrainingRun


class AbstentionRun(TrainingRun):
    """A whole run as plain values; ``heads`` is the folder of the NLI head.

    The threshold was chosen on the ``calibration`` files; on dev if there are none.
    """

    heads: str | None = None
    calibration: list[str] = Field(default_factory=list)
