"""``headwise triage``: which segments may go out unread, with a promise."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from headwise.cli import options, printing
from headwise.cli.reading import expect_texts

_PROMISE, _LABELS = "Promise", "Labels"
_TERMS = {"missed": 0.05, "wasted": 0.2, "confidence": 0.95}


def triage(
    scored: Annotated[
        list[Path],
        typer.Argument(help="JSON lines of scored segments, as `headwise score` writes."),
    ],
    labelled: Annotated[
        Path | None,
        typer.Option(
            "--labelled",
            help="The same of segments whose errors are known (`annotations`, empty where nothing "
            "is wrong), drawn at random from segments like these.",
            rich_help_panel=_LABELS,
        ),
    ] = None,
    promise: Annotated[
        Path | None,
        typer.Option(
            "--promise",
            help="A promise that was saved, instead of labelled segments.",
            rich_help_panel=_LABELS,
        ),
    ] = None,
    missed: Annotated[
        float,
        typer.Option(
            "--missed",
            help="Share of segments with an error among those that go out unread, at most.",
            rich_help_panel=_PROMISE,
        ),
    ] = _TERMS["missed"],
    severity: Annotated[
        Literal["minor", "major", "critical"] | None,
        typer.Option(
            "--severity",
            help="From which severity on an error counts; by default any does.",
            rich_help_panel=_PROMISE,
        ),
    ] = None,
    wasted: Annotated[
        float,
        typer.Option(
            "--wasted",
            help="Share of segments without an error among those to be done again, at most.",
            rich_help_panel=_PROMISE,
        ),
    ] = _TERMS["wasted"],
    confidence: Annotated[
        float,
        typer.Option(
            "--confidence",
            help="Probability that a promise holds.",
            rich_help_panel=_PROMISE,
        ),
    ] = _TERMS["confidence"],
    signal: Annotated[
        str | None,
        typer.Option(
            "--signal",
            help="What decides: text_quality, quality, error, logprob, ...; by default "
            "text_quality, or else the score.",
            rich_help_panel=_PROMISE,
        ),
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            "--save",
            help="File for the promise, for segments to come.",
            dir_okay=False,
            rich_help_panel=_LABELS,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="File for the segments with their decisions: .jsonl, .tsv, .csv, .xlsx or "
            ".parquet; or a copy of the document that they were scored from, .xlf, .po, ...",
            dir_okay=False,
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            help="Column by which to count; by default file, system, language and domain.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    report: printing.Report = None,
    json_file: printing.JsonFile = None,
    title: printing.Title = None,
) -> None:
    """Say which segments may go out unread, which a person checks, and which to do again.

    At most 5% of the segments that go out unread have an error, with 95% confidence. The exit code
    is 3 if the labelled segments are too few to promise anything.
    """
    printing.show_messages()
    from headwise.data.jobs import OutputFormat
    from headwise.errors import DataError

    inputs = [*scored, *(path for path in (labelled, promise) if path is not None)]
    printing.check_outputs(output, json_file, save, report=report, inputs=inputs)
    output_format = OutputFormat.JSONL if output is None else OutputFormat.of(output, None)
    expect_texts(inputs)
    terms = {"missed": missed, "wasted": wasted, "confidence": confidence}
    with options.usage_errors():
        if (labelled is None) == (promise is None):
            raise ValueError(
                "Give segments whose errors are known with --labelled, or a promise that was made "
                "of some with --promise."
            )
        if promise is not None and (terms != _TERMS or signal or severity):
            raise ValueError(
                "Terms of a promise (--missed and the like) are for --labelled: one that was saved "
                "stays as it is."
            )
        if output_format.is_document and len(scored) > 1:
            raise ValueError("A document is a copy of one; decide about one file of scores.")
        for term, share in terms.items():
            if not 0.0 < share < 1.0:
                raise ValueError(f"--{term} must lie between 0 and 1, got {share:g}.")

    from headwise.evaluation.triage import (
        Action,
        Promise,
        Segments,
        make_promise,
        read_segments,
        write_decided_document,
        write_decisions,
    )
    from headwise.evaluation.triage import triage as triaged
    from headwise.quality.job import scored_by

    name = ", ".join(map(str, scored))
    known = None
    if promise is not None:
        given = Promise.load(promise)
    else:
        assert labelled is not None
        known = Segments.of(read_segments([labelled]), name=str(labelled))
        given = make_promise(
            known, **terms, signal=signal, severity=severity, scored_by=scored_by(labelled)
        )
    for path in scored:
        if given.scored_by is not None and scored_by(path) not in (None, given.scored_by):
            raise DataError(
                f"`{path}` was not scored with the model, head, prompt and calibration that "
                f"scored the labelled segments; score both with one command."
            )
    if save is not None:
        given.save(save)
    segments = Segments.of(read_segments(scored), name=name)
    found = triaged(segments, given, labelled=known, by=by, name=name)
    if output is not None and output_format.is_document:
        write_decided_document(scored[0], found.decisions, output, output_format=output_format)
    elif output is not None:
        write_decisions(scored, segments, found.decisions, output, output_format=output_format)
    printing.show_evaluation(found.evaluation, title=title, report=report, json_file=json_file)
    counts = ", ".join(f"{found.count(one):,} to {one}" for one in Action)
    print(f"{len(found.decisions):,} segments: {counts}.", file=sys.stderr)
    if output is not None:
        print(f"Segments with decisions: {output}", file=sys.stderr)
    if given.publish_above is None:
        raise typer.Exit(3)
