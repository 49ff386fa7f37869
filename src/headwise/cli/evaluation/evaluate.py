"""``headwise evaluate``: compare scores with what people or references say."""

import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from headwise.choices import ERROR_SETS, Unit
from headwise.cli import layout_options, options, printing
from headwise.cli.evaluation import gold_options
from headwise.cli.printing import name_left_out
from headwise.cli.reading import choices, expect_columns, expect_tables, expect_texts, known_names
from headwise.cli.settings_options import with_options

if TYPE_CHECKING:
    from headwise.quality import QualityEstimator

_INPUT, _SIGNALS, _TESTS, _ERRORS = "Input", "Signals", "Intervals", "Errors"


@with_options
def evaluate(
    *,
    source: Annotated[
        str,
        typer.Argument(
            help="A file that `headwise score` wrote, or pairs as `score` reads them, which are "
            "scored with all signals first; or rows with scores and --gold, texts or not; for "
            "--protocol cascade, what `headwise cascade` wrote."
        ),
    ],
    hypotheses: Annotated[
        str | None, typer.Argument(help="Text file with a hypothesis a line.")
    ] = None,
    protocol: Annotated[
        Literal[
            "correlation",
            "binary",
            "error-detection",
            "spans",
            "ambiguity",
            "references",
            "cascade",
        ]
        | None,
        typer.Option("--protocol", "-p", help="What to ask; by default what the gold suggests."),
    ] = None,
    report: printing.Report = None,
    json_file: printing.JsonFile = None,
    title: printing.Title = None,
    synthetic: Annotated[
        str | None,
        typer.Option(
            help="Put errors into the texts, which must be right, and look for them: crude, "
            "plausible, independent (which no head was trained with), or several with commas. "
            "Default for ambiguity: all.",
            rich_help_panel=_ERRORS,
        ),
    ] = None,
    corpus: Annotated[
        str | None,
        typer.Option(
            help="Pairs whose words crude and independent errors put in; by default the texts "
            "themselves.",
            rich_help_panel=_ERRORS,
        ),
    ] = None,
    negation: Annotated[
        str | None,
        typer.Option(
            help="Language code (de, en) in which crude errors also change negations.",
            rich_help_panel=_ERRORS,
        ),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            help="Column that says which rows belong together; by default the source does.",
            rich_help_panel=_INPUT,
        ),
    ] = None,
    scores: Annotated[
        list[str] | None,
        typer.Option(
            help="Another system's scores, as NAME=FILE or NAME=FILE:COLUMN, one a row; may be "
            "repeated.",
            rich_help_panel=_SIGNALS,
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            help="Column of the input that holds another system's scores; may be repeated.",
            rich_help_panel=_SIGNALS,
        ),
    ] = None,
    signals: Annotated[
        str | None,
        typer.Option(
            "--signals",
            "-s",
            help="Comma-separated; the first one is looked at most closely. Default: all that "
            "there are, or none where the rows bring a `score`. With none, nothing is scored.",
            rich_help_panel=_SIGNALS,
        ),
    ] = None,
    aggregations: Annotated[
        str | None,
        typer.Option(
            help="Comma-separated: mean, min, median, product, geometric_mean, noisy_or, "
            "root_length. Default: all but product and root_length.",
            rich_help_panel=_SIGNALS,
        ),
    ] = None,
    monte_carlo: Annotated[
        int,
        typer.Option(
            min=0,
            help="Sample this many hypotheses a source for the Monte Carlo sequence probability.",
            rich_help_panel=_SIGNALS,
        ),
    ] = 0,
    threshold: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            help="Words and tokens below this value are flagged, as with `score`. Default: for "
            "each signal what is best on other texts.",
            rich_help_panel=_SIGNALS,
        ),
    ] = None,
    resamples: Annotated[
        int, typer.Option(min=1, help="Bootstrap resamples.", rich_help_panel=_TESTS)
    ] = 1000,
    test: Annotated[
        Literal["bootstrap", "permutation"],
        typer.Option(help="How signals are compared.", rich_help_panel=_TESTS),
    ] = "bootstrap",
    seed: Annotated[
        int, typer.Option(help="Of resamples, errors and samples.", rich_help_panel=_TESTS)
    ] = 0,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Threads; by default one a core.", rich_help_panel=_TESTS),
    ] = None,
    judged: gold_options.GoldOptions,
    parts: gold_options.SliceOptions,
    columns: layout_options.LayoutOptions,
    origin: options.ScoringOptions,
) -> None:
    """Say which signal is better, with what certainty, against gold that people gave.

    Gold is a column of numbers, error marks (MQM, `annotations`), word tags, or errors that are
    put into correct texts. Rows that cannot be used are named; the exit code is then 3.
    """
    printing.show_messages()
    texts = [hypotheses, judged.tags, judged.tokenised, corpus]
    names = [] if signals == "none" else options.split_signals(signals)
    with options.usage_errors():
        of_gold = None if judged.gold_file is None else _file_and_column(judged.gold_file)
        others = _named_scores(scores or [])
        places = [place for place in (of_gold, *others.values()) if place is not None]
        printing.check_outputs(
            json_file,
            report=report,
            inputs=[source, *texts, *(file for file, _ in places)],
        )
    if hypotheses is None:
        expect_tables([source])
    expect_texts([*texts, *(file for file, _ in places)])

    if protocol == "cascade":
        _evaluate_cascade(source, parts, title=title, report=report, json_file=json_file)
        return

    from headwise.data.records.signals import Aggregation, Signal

    wide = tuple(parts.reference_column or ())
    if hypotheses is None:
        named = [group, parts.system, *wide, *(column or ()), *origin.prompting.columns.values()]
        # These two have names that stand for something where there is no such column
        named += [name for name in (judged.gold, parts.by) if name not in ("error-free", "length")]
        expect_columns(source, named, columns.layout())
    with options.usage_errors():
        families = known_names(synthetic, ERROR_SETS, option="--synthetic")
        pieces = () if judged.units is None else choices(judged.units, Unit, option="--units")
        together = (
            None
            if aggregations is None
            else choices(aggregations, Aggregation, option="--aggregations")
        )

    from headwise.evaluation.quality.evaluated_rows import Source
    from headwise.evaluation.quality.evaluation import evaluate as answer
    from headwise.evaluation.quality.protocol_choice import EvaluationProtocol
    from headwise.evaluation.quality.question import Question
    from headwise.evaluation.statistics.columns import DEFAULT_AGGREGATIONS
    from headwise.evaluation.statistics.setup import Resampling, SignificanceTest

    with options.usage_errors():
        question = Question(
            source=Source(
                path=source,
                hypotheses=hypotheses,
                layout=columns.layout(),
                tags=judged.tags,
                tokenised=judged.tokenised,
            ),
            protocol=None if protocol is None else EvaluationProtocol(protocol),
            gold=judged.gold,
            gold_file=of_gold,
            below=parts.below,
            reference_columns=wide,
            rank_references=parts.rank_references,
            by=parts.by,
            lower_is_better=tuple(judged.lower_is_better or ()),
            group=group,
            system=parts.system,
            scores=others,
            columns=tuple(column or ()),
            signals=None if names is None else tuple(map(Signal, names)),
            aggregations=DEFAULT_AGGREGATIONS if together is None else together,
            units=pieces,
            threshold=threshold,
            monte_carlo=monte_carlo,
            families=families,
            corpus=corpus,
            language=negation,
            resampling=Resampling(
                resamples=resamples, test=SignificanceTest(test), seed=seed, workers=workers
            ),
            model=origin.model,
            head=origin.head,
        )

    @functools.cache
    def estimator() -> "QualityEstimator":
        return origin.load()

    found = answer(question, estimator, progress=sys.stderr.isatty())
    printing.show_evaluation(found.evaluation, title=title, report=report, json_file=json_file)
    if found.rejects:
        name_left_out(found.rejects)
        raise typer.Exit(3)


def _evaluate_cascade(answers: str, parts: gold_options.SliceOptions, **shown: Any) -> None:
    from headwise.cascade import read_trials
    from headwise.evaluation.cascade import evaluate_cascade

    columns = parts.reference_column or []
    if len(columns) > 1:
        raise typer.BadParameter(
            "Right answers stand in one --reference-column, as a text or a list of texts."
        )
    trials = read_trials([answers], reference=next(iter(columns), None))
    printing.show_evaluation(evaluate_cascade(trials), **shown)


def _named_scores(entries: list[str]) -> "dict[str, tuple[str, str | None]]":
    found: dict[str, tuple[str, str | None]] = {}
    for entry in entries:
        name, equals, place = entry.partition("=")
        if not (name and equals and place):
            raise ValueError(f"--scores must be NAME=FILE or NAME=FILE:COLUMN, got {entry!r}.")
        if name in found:
            raise ValueError(f"--scores gives {name!r} twice; each needs a name of its own.")
        found[name] = _file_and_column(place)
    return found


def _file_and_column(place: str) -> "tuple[str, str | None]":
    """Read FILE or FILE:COLUMN."""
    path, colon, column = place.rpartition(":")
    if not colon or Path(place).exists():
        return place, None
    return path, column
