"""``headwise demo``: score bundled sentences with the bundled model."""

from pathlib import Path
from typing import Annotated

import typer

from headwise.cli import options, printing

# What the heads say, the model's own probability, and where something is missing
_SIGNALS = ["quality", "error", "softmax", "omission"]


def demo(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The HTML report.", dir_okay=False)
    ] = Path("headwise-demo.html"),
    threshold: options.QualityThreshold = None,
) -> None:
    """Score bundled sentences with the bundled model: a coloured table and an HTML report."""
    printing.check_outputs(output, inputs=[])

    from rich.console import Console

    from headwise.bundled.examples import example_pairs
    from headwise.report import render_legend, render_table, shows_gaps, write_html_report

    estimator = options.EstimatorOptions(options.DEFAULT_MODEL).load()
    limit = options.choose_threshold(estimator, _SIGNALS, threshold)
    pairs = example_pairs()
    scored = [
        estimator.score(pair.source, pair.hypothesis, signals=_SIGNALS, alternatives=3)
        for pair in pairs
    ]
    console = Console(highlight=False)
    console.print(render_table(scored, threshold=limit, title="English to German"))
    gaps = shows_gaps(scored[0].signals)
    console.print(render_legend(scored[0].signals[0], threshold=limit, gaps=gaps))
    generated = estimator.generate(pairs[0].source, num_beams=4)
    console.print(
        f"\nThe bundled model's own translation of “{pairs[0].source}”:\n  {generated.hypothesis}",
        markup=False,
    )
    write_html_report(scored, output, threshold=limit, model=options.DEFAULT_MODEL)
    console.print(f"\nReport: {output.resolve()}", markup=False, soft_wrap=True)
