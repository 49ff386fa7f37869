"""Say on standard error what a resumable job did."""

import sys
from typing import Protocol


class Summary(Protocol):
    """What the summaries of all jobs hold."""

    @property
    def rejected(self) -> int:
        """Rows that are not in the output."""

    @property
    def resumed_from(self) -> int:
        """Rows that earlier runs had done."""

    @property
    def seconds(self) -> float:
        """How long this run took."""

    @property
    def already_complete(self) -> bool:
        """Whether there was nothing left to do."""


def report_job(
    summary: Summary, what: str, *, found: str, target: str, output_format: str | None, kept: bool
) -> None:
    """Print one line, and where rejected rows are.

    Args:
        summary: What was done.
        what: How many rows of the output there are, in words.
        found: What they say all in all; follows a comma, may be empty.
        target: The output.
        output_format: Its format, if it was named.
        kept: Whether the output stays.
    """
    before = f", {summary.resumed_from} of them in earlier runs" if summary.resumed_from else ""
    done = "Nothing left to do: " if summary.already_complete else ""
    print(
        f"{done}{what}{before}, {summary.rejected} rejected{found and ', '}{found}, "
        f"{summary.seconds:.1f} s.",
        file=sys.stderr,
    )
    if summary.rejected and kept and target != "-":
        from headwise.data.jobs import RunFiles

        rejects = RunFiles.of(target, output_format).rejects
        print(f"Rejected rows, with reasons: {rejects}", file=sys.stderr)
