"""``headwise generate``: generate text and score it from the same pass."""

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headwise.cli import options
from headwise.cli.printing import print_row
from headwise.cli.reading import given_text, rows_for_prompt
from headwise.cli.settings_options import with_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from headwise.data.records.pairs import Pair, Reject

_GENERATION = "Generation"


@with_options
def generate(
    *,
    source: Annotated[
        list[str] | None,
        typer.Argument(
            help="Texts to answer or translate; @FILE reads one, `-` lines from standard input. "
            "With --prompt-column, @FILE and `-` are tables with the column `source`."
        ),
    ] = None,
    origin: options.EstimatorOptions,
    signals: options.SignalNames = None,
    beams: Annotated[
        int | None,
        typer.Option(
            "--beams",
            min=1,
            help="Beam size; 1 is greedy. Default: 4, and 1 with --stream.",
            rich_help_panel=_GENERATION,
        ),
    ] = None,
    sample: Annotated[
        bool, typer.Option("--sample", help="Draw tokens at random.", rich_help_panel=_GENERATION)
    ] = False,
    temperature: Annotated[
        float | None,
        typer.Option(
            "--temperature",
            min=0.01,
            help="Of the drawing, with --sample. Default: 1.",
            rich_help_panel=_GENERATION,
        ),
    ] = None,
    max_new_tokens: Annotated[
        int,
        typer.Option("--max-new-tokens", min=1, help="Length limit.", rich_help_panel=_GENERATION),
    ] = 256,
    stop: Annotated[
        list[str] | None,
        typer.Option(
            "--stop",
            help="Text that ends the answer and is cut off (\\n: a line break, \\t: a tab); may be "
            "repeated. An answer also ends where the prompt's layout closes it.",
            rich_help_panel=_GENERATION,
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option("--seed", help="Of the drawing.", rich_help_panel=_GENERATION)
    ] = 0,
    stream: Annotated[
        bool,
        typer.Option(
            "--stream",
            help="Print each token as soon as it exists (no beams).",
            rich_help_panel=options.OUTPUT,
        ),
    ] = False,
    json_lines: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print one JSON object a text, tokens included.",
            rich_help_panel=options.OUTPUT,
        ),
    ] = False,
    threshold: options.QualityThreshold = None,
) -> None:
    """Generate (with the bundled model: translate English into German) and score the result."""
    if stream and (beams is not None or json_lines):
        other = "--json prints whole texts" if json_lines else "--beams looks at whole texts"
        raise typer.BadParameter(f"--stream prints tokens, and {other}; leave one out.")
    if temperature is not None and not sample:
        raise typer.BadParameter("--temperature is of drawing; give --sample, too.")
    names = options.split_signals(signals)
    from headwise.data.records.pairs import Pair

    by_row = bool(origin.prompting.columns)
    given = source or ["-"]
    if by_row:
        rows = [row for one in given for row in _rows_of_sources(one)]
    else:
        texts = [given_text(text, name="SOURCE") for text in given if text != "-"]
        if "-" in given:
            texts += [line.rstrip("\r\n") for line in sys.stdin if line.strip()]
        rows = [Pair(text, "") for text in texts]
    if not rows:
        raise typer.BadParameter("Give a text, or pipe one a line into standard input.")

    import torch
    from rich.console import Console

    from headwise.data.records.pairs import Reject
    from headwise.quality.unlike_texts import UnlikeTexts
    from headwise.report import render_legend, render_scored, shows_gaps

    estimator = origin.load()
    left_out = 0
    limit = options.choose_threshold(estimator, names, threshold)
    torch.manual_seed(seed)
    ends = [one.replace("\\n", "\n").replace("\\t", "\t") for one in stop or []]
    drawing: dict[str, Any] = {"max_new_tokens": max_new_tokens, "stop": ends}
    if sample:
        drawing |= {"do_sample": True, "temperature": temperature or 1.0}
    console, unlike = Console(highlight=False), UnlikeTexts(estimator.calibration)
    for row in rows_for_prompt(rows, estimator.backbone, estimator.prompt):
        if isinstance(row, Reject):
            print(f"Line {row.line} left out: {row.reason}", file=sys.stderr)
            left_out += 1
            continue
        text = row.source
        unlike.add(text)
        if stream:
            with options.usage_errors():
                for token in estimator.stream(text, signals=names, row=row.extra, **drawing):
                    values = "  ".join(f"{name} {v:.4g}" for name, v in token.as_dict().items())
                    own = token.text
                    shown = own if own.strip() else own.encode("unicode_escape").decode()
                    console.print(f"{shown:>16}  {values}", markup=False)
            continue
        with options.usage_errors():
            scored = estimator.generate(
                text, signals=names, num_beams=beams or 4, row=row.extra, **drawing
            )
        if json_lines:
            print_row(scored.as_dict("token"))
        else:
            console.print(render_scored(scored, threshold=limit))
            console.print()
    if (warning := unlike.warning) is not None:
        print(warning, file=sys.stderr)
    if not stream and not json_lines and left_out < len(rows):
        gaps = shows_gaps(scored.signals)
        console.print(render_legend(scored.signals[0], threshold=limit, gaps=gaps))
    if left_out:
        raise typer.Exit(3)


def _rows_of_sources(given: str) -> "Iterator[Pair | Reject]":
    """Sources and the columns beside them, from a table: ``@FILE``, or ``-``."""
    from headwise.data.readers import STDIN, Layout, read_pairs
    from headwise.data.records.pairs import Reject

    if given != STDIN and not given.startswith("@"):
        raise typer.BadParameter(
            "--prompt-column needs rows: give @FILE, a table with the column `source` and those "
            "that are named, or pipe a table into standard input. A text takes "
            "--prompt-variable NAME=VALUE."
        )
    for row in read_pairs(
        given.removeprefix("@"), Layout(has_source=False, hypothesis_column="source")
    ):
        yield row if isinstance(row, Reject) else replace(row, source=row.hypothesis, hypothesis="")
