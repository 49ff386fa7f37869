"""``headwise evaluate-nli``: are the answers right, and does the model know when they are not?"""

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from headwise.cli import printing
from headwise.cli.entailment import entailment_options
from headwise.cli.printing import name_left_out
from headwise.cli.reading import expect_inferences, expect_tables
from headwise.cli.settings_options import with_options

if TYPE_CHECKING:
    from headwise.entailment import EntailmentModel

_TESTS = "Intervals"


@with_options
def evaluate_nli(
    *,
    data: Annotated[
        str,
        typer.Argument(
            help="Labelled pairs: TSV, JSONL, Parquet or a datasets folder with the columns "
            "premise, hypothesis and label, or those of SNLI, MultiNLI or ANLI."
        ),
    ],
    report: printing.Report = None,
    json_file: printing.JsonFile = None,
    title: printing.Title = None,
    origin: entailment_options.EncoderOptions,
    threshold: entailment_options.Threshold = None,
    columns: entailment_options.InferenceColumns,
    group: Annotated[
        str | None,
        typer.Option(
            help="Column that says which pairs belong together; by default those of one premise.",
            rich_help_panel=_TESTS,
        ),
    ] = None,
    resamples: Annotated[
        int, typer.Option(min=1, help="Bootstrap resamples.", rich_help_panel=_TESTS)
    ] = 1000,
    seed: Annotated[
        int, typer.Option(help="Of resamples and of the random baseline.", rich_help_panel=_TESTS)
    ] = 0,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Threads; by default one a core.", rich_help_panel=_TESTS),
    ] = None,
    language: Annotated[
        Literal["en", "de", "none"],
        typer.Option(help="Whose negation words make a slice of the pairs."),
    ] = "en",
) -> None:
    """Say how often an entailment model is right, and whether it abstains where it is not.

    Rows that cannot be used are named; the exit code is then 3.
    """
    printing.show_messages()
    printing.check_outputs(json_file, report=report, inputs=[data, origin.heads])
    expect_tables([data])

    layout = columns.layout()
    expect_inferences([data], layout)

    from headwise.evaluation.entailment.evaluation import InferenceQuestion, evaluate_entailment
    from headwise.evaluation.statistics.setup import Resampling

    question = InferenceQuestion(
        path=data,
        layout=layout,
        group=group,
        language=None if language == "none" else language,
        resampling=Resampling(resamples=resamples, seed=seed, workers=workers),
        model=origin.model,
        heads=origin.heads,
    )

    def load() -> "EntailmentModel":
        return origin.load(threshold)

    found = evaluate_entailment(question, load, progress=sys.stderr.isatty())
    printing.show_evaluation(found.evaluation, title=title, report=report, json_file=json_file)
    if found.rejects:
        name_left_out(found.rejects)
        raise typer.Exit(3)
