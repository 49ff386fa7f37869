"""``headwise export-task``: scores in the form that a shared task asks for."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from headwise.cli import options, printing
from headwise.cli.reading import expect_texts

_SPANS = "Error spans"


def export_task(
    scored: Annotated[
        Path,
        typer.Argument(
            help="JSON lines of a scored test set, as `headwise score` writes them; of token level "
            "for error spans."
        ),
    ],
    task: Annotated[
        Literal["wmt25-scores", "wmt25-spans", "wmt26"],
        typer.Option("--task", help="What is asked for; wmt26 is spans, scores and labels."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.", dir_okay=False)],
    labelled: Annotated[
        Path | None,
        typer.Option(
            "--labelled",
            help="JSON lines of scored segments with human error marks, of token level, from which "
            "it is learned what makes a minor and a major error.",
            rich_help_panel=_SPANS,
        ),
    ] = None,
    minor_below: Annotated[
        float | None,
        typer.Option(
            "--minor-below",
            min=0.0,
            max=1.0,
            help="Confidence below which a token is an error. Default: the threshold of the "
            "scored rows.",
            rich_help_panel=_SPANS,
        ),
    ] = None,
    major_below: Annotated[
        float | None,
        typer.Option(
            "--major-below",
            min=0.0,
            max=1.0,
            help="Confidence below which it is a major one. Default: none is.",
            rich_help_panel=_SPANS,
        ),
    ] = None,
) -> None:
    """Write error spans with severities, scores from 0 to 100, and error-free segments.

    The forms are those of the WMT shared tasks on translation evaluation of 2025 and 2026.
    """
    printing.show_messages()
    inputs = [path for path in (scored, labelled) if path is not None]
    printing.check_outputs(output, inputs=inputs)
    expect_texts(inputs)
    with options.usage_errors():
        given = minor_below is not None or major_below is not None
        if labelled is not None and given:
            raise ValueError(
                "--labelled learns the thresholds; leave out --minor-below and the like."
            )
        if task == "wmt25-scores" and (given or labelled is not None):
            raise ValueError("wmt25-scores has no error spans; leave out what makes them.")
        if minor_below is not None and major_below is not None and major_below > minor_below:
            raise ValueError("--major-below must not lie above --minor-below.")

    from headwise.data.readers.scored import read_scored_rows
    from headwise.data.records.signals import DEFAULT_THRESHOLD
    from headwise.evaluation.shared_tasks import (
        Severities,
        SharedTask,
        learn_severities,
        write_submission,
    )

    chosen = SharedTask(task)
    rows = list(read_scored_rows(scored))
    severities = None
    if labelled is not None:
        severities = learn_severities(list(read_scored_rows(labelled)))
        print(
            f"A token below {severities.minor_below:.4f} is an error, below "
            f"{severities.major_below:.4f} a major one.",
            file=sys.stderr,
        )
        of_all = severities.f1_of_all
        if (f1 := severities.f1) is not None and f1.value is not None and of_all is not None:
            print(
                f"Severity-weighted span F1 on {f1.count:,} labelled segments that did not choose "
                f"them: {f1.value:.3f} ({of_all.value:.3f} if all were marked as minor errors).",
                file=sys.stderr,
            )
    elif chosen.has_spans:
        line = rows[0].scored.threshold if rows else None
        below = minor_below if minor_below is not None else line or DEFAULT_THRESHOLD
        severities = Severities(below, major_below or 0.0)
        if major_below is None:
            print(
                "All errors are minor: nothing says which are major. Give marked segments with "
                "--labelled, or --major-below.",
                file=sys.stderr,
            )
    count = write_submission(rows, output, chosen, severities)
    print(f"{count:,} segments: {output}", file=sys.stderr)
