"""The run file of an abstention head, and its section of a model card."""

from pathlib import Path

from pydantic import Field

from headwise.training.loop.run_file import TrainingRun

_SECTION = "\n## Abstention\n"


class AbstentionRun(TrainingRun):
    """A whole run as plain values; ``heads`` is the folder of the NLI head.

    The threshold was chosen on the ``calibration`` files; on dev if there are none.
    """

    heads: str | None = None
    calibration: list[str] = Field(default_factory=list)


def card_with_section(path: Path, section: str, run: TrainingRun) -> str:
    """The NLI head's card with a section on abstention: at its end, or in place of an older one."""
    before = f"# Entailment heads for {run.backbone}\n"
    if path.is_file():
        before = path.read_text("utf-8").split(_SECTION)[0]
    return before.rstrip() + "\n" + _SECTION + section
