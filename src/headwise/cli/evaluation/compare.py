"""``headwise compare``: two files of scores of the same texts."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from headwise.cli import options, printing
from headwise.cli.reading import choices, expect_columns, expect_texts


def compare(
    left: Annotated[Path, typer.Argument(help="Scores, as `headwise score` writes them.")],
    right: Annotated[Path, typer.Argument(help="Other scores of the same texts.")],
    gold: Annotated[
        str | None,
        typer.Option(
            help="Column of the first file that holds the gold; by default the error marks in it."
        ),
    ] = None,
    lower_is_better: Annotated[
        bool, typer.Option("--lower-is-better", help="The gold is to be turned round.")
    ] = False,
    group: Annotated[
        str | None,
        typer.Option(help="Column that says which rows belong together; by default the source."),
    ] = None,
    aggregations: Annotated[
        str,
        typer.Option(
            help="Comma-separated: mean, min, median, product, geometric_mean, noisy_or, "
            "root_length."
        ),
    ] = "mean",
    report: printing.Report = None,
    json_file: printing.JsonFile = None,
    title: printing.Title = None,
    resamples: Annotated[int, typer.Option(min=1, help="Bootstrap resamples.")] = 1000,
    test: Annotated[
        Literal["bootstrap", "permutation"], typer.Option(help="How the files are compared.")
    ] = "bootstrap",
    seed: Annotated[int, typer.Option(help="Of the resamples.")] = 0,
) -> None:
    """Say for every signal that two files share which of them is better, and how surely."""
    printing.show_messages()
    printing.check_outputs(json_file, report=report, inputs=[left, right])
    expect_texts([left, right])

    expect_columns(str(left), [gold, group])

    from headwise.data.records.signals import Aggregation

    with options.usage_errors():
        together = choices(aggregations, Aggregation, option="--aggregations")
        if lower_is_better and gold is None:
            raise ValueError("--lower-is-better speaks of the gold; name it with --gold.")

    from headwise.data.readers.scored import read_scored_rows
    from headwise.evaluation.quality.comparison import compare as compared
    from headwise.evaluation.statistics.setup import Resampling, SignificanceTest

    names = (left.stem, right.stem) if left.stem != right.stem else (str(left), str(right))
    if names[0] == names[1]:
        names = (f"{names[0]} (1)", f"{names[1]} (2)")
    with options.usage_errors():
        resampling = Resampling(resamples=resamples, test=SignificanceTest(test), seed=seed)
        found = compared(
            list(read_scored_rows(left)),
            list(read_scored_rows(right)),
            names=names,
            gold=gold,
            lower_is_better=lower_is_better,
            group=group,
            aggregations=together,
            resampling=resampling,
        )
    printing.show_evaluation(found, title=title, report=report, json_file=json_file)
