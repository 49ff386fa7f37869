"""``headwise calibrate``: learn what a head's scores mean, and where to draw the line."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from headwise.choices import CALIBRATION_ERRORS, ERROR_FAMILIES, SAMPLED, SEVERAL
from headwise.cli import layout_options, options, printing, prompt_options
from headwise.cli.evaluation.calibration_lines import show_calibration
from headwise.cli.reading import expect_pairs, expect_tables, known_names, rows_for_prompt
from headwise.cli.settings_options import with_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from headwise.data.readers import Layout
    from headwise.data.records.pairs import Pair
    from headwise.quality import QualityEstimator

_FIT, _THRESHOLDS = "Fit", "Thresholds"


@with_options
def calibrate(
    *,
    data: Annotated[
        list[str],
        typer.Argument(
            help="Files of pairs: MQM or JSONL with `annotations`, whose marks are used; or plain "
            "pairs of right translations, with --synthetic."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Folder for a copy of the head with its calibration.",
            file_okay=False,
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    in_place: Annotated[
        bool,
        typer.Option(
            "--in-place", help="Write into the head's folder.", rich_help_panel=options.OUTPUT
        ),
    ] = False,
    origin: options.ScoringOptions,
    synthetic: Annotated[
        str | None,
        typer.Option(
            "--synthetic",
            help="Make errors of pairs without marks: crude, plausible (one in a copy), several "
            "(up to 16 of all families), sampled (the model's own translations, where a pair does "
            "not explain them), with commas.",
            rich_help_panel=options.INPUT,
        ),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(
            "--language",
            help="Of the translations (de, en), for errors of negations and endings; by default "
            "what prompts say.",
            rich_help_panel=options.INPUT,
        ),
    ] = None,
    method: Annotated[
        Literal["isotonic", "platt", "temperature"],
        typer.Option("--method", help="From a score to a probability.", rich_help_panel=_FIT),
    ] = "isotonic",
    signal: Annotated[
        str,
        typer.Option(
            "--signal",
            help="What is calibrated: error, sigmoid, ..., or several with commas, which are "
            "weighed; auto: of the heads and softmax the best, or all, where that is better.",
            rich_help_panel=_FIT,
        ),
    ] = "auto",
    text_signal: Annotated[
        str | None,
        typer.Option(
            "--text-signal",
            help="The same for the probability of whole texts, if they are made of something else.",
            rich_help_panel=_FIT,
        ),
    ] = None,
    context: Annotated[
        bool,
        typer.Option(
            "--context",
            help="Judge a token by its text as well: weigh the mean of each signal over the text.",
            rich_help_panel=_FIT,
        ),
    ] = False,
    ranking: Annotated[
        str | None,
        typer.Option(
            "--ranking",
            help="What `rerank` sorts by: texts (what texts are made of), or a signal, whose mean "
            "is taken. Default: the best by marks of people; without them, texts.",
            rich_help_panel=_FIT,
        ),
    ] = None,
    aggregation: Annotated[
        Literal["mean", "min", "product", "geometric_mean", "median", "noisy_or", "root_length"]
        | None,
        typer.Option(
            "--aggregation",
            help="How token values become the text's. Default: what tells right texts from wrong "
            "ones best.",
            rich_help_panel=_FIT,
        ),
    ] = None,
    precision: Annotated[
        list[float] | None,
        typer.Option(
            "--precision",
            help="Wanted share of the flags that is right. Default: 0.8.",
            rich_help_panel=_THRESHOLDS,
        ),
    ] = None,
    recall: Annotated[
        list[float] | None,
        typer.Option(
            "--recall",
            help="Wanted share of the errors that is found. Default: 0.9.",
            rich_help_panel=_THRESHOLDS,
        ),
    ] = None,
    risk: Annotated[
        list[float] | None,
        typer.Option(
            "--risk",
            help="Bound on the expected share of a text's errors that is missed. Default: 0.1.",
            rich_help_panel=_THRESHOLDS,
        ),
    ] = None,
    threshold: Annotated[
        str,
        typer.Option(
            "--threshold",
            help="The one that `score` uses: f1, mcc, or a wanted one such as risk-0.1.",
            rich_help_panel=_THRESHOLDS,
        ),
    ] = "mcc",
    segment_threshold: Annotated[
        str,
        typer.Option(
            "--segment-threshold",
            help="What flags whole texts, by their probability of no error: f1, mcc, or a wanted "
            "one such as recall-0.9.",
            rich_help_panel=_THRESHOLDS,
        ),
    ] = "mcc",
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Save it even if it is no better than chance.", rich_help_panel=_FIT
        ),
    ] = False,
    columns: layout_options.LayoutOptions,
    seed: Annotated[
        int, typer.Option("--seed", help="Of the synthetic errors.", rich_help_panel=options.INPUT)
    ] = 0,
) -> None:
    """Learn probabilities and thresholds from texts with known errors; save them with the head.

    Afterwards `headwise score` gives the signal `quality`: the probability that a token is right.
    """
    if (output is None) != in_place:
        raise typer.BadParameter("Give either --output FOLDER or --in-place.")
    expect_tables(data, file_format=columns.input_format)

    from headwise.corruption.languages import check_language
    from headwise.quality.calibration.thresholds import Aim, Rule

    options.split_signals(None if signal == "auto" else signal)
    options.split_signals(None if text_signal == "auto" else text_signal)
    options.split_signals(None if ranking == "texts" else ranking)
    with options.usage_errors():
        check_language(language)
        families = known_names(synthetic, CALIBRATION_ERRORS, option="--synthetic")
        wanted = (
            (Aim.PRECISION, precision or [0.8]),
            (Aim.RECALL, recall or [0.9]),
            (Aim.RISK, risk or [0.1]),
        )
        named = [Rule(aim, level) for aim, levels in wanted for level in levels]
        rules = [Rule(Aim.F1), Rule(Aim.MCC), *named]
        default, segment_rule = Rule.of(threshold), Rule.of(segment_threshold)
        layout = columns.layout()
        expect_pairs(data, layout, origin.prompting.columns.values())

    from headwise.heads import copy_head, read_head_info
    from headwise.quality.calibrate import calibrate as fit

    printing.show_messages()
    with options.usage_errors():
        folder = options.head_location(origin.model, origin.head)
        estimator = origin.load()
        pairs, groups, gold = _pairs(estimator, data, layout, families, language, seed)
        calibration = fit(
            estimator,
            pairs,
            method=method,
            signal=signal,
            text_signal=text_signal,
            context=context,
            aggregation=aggregation,
            rules=list(dict.fromkeys([*rules, default])),
            default=default.name,
            segment_rule=segment_rule,
            ranking=ranking,
            groups=groups,
            gold=gold,
            data=[Path(path).name for path in data],
            force=force,
            progress=sys.stderr.isatty(),
        )
    if output is not None:
        template = prompt_options.parse_prompt_option(origin.prompting.prompt)
        folder = copy_head(
            folder,
            output,
            backbone=read_head_info(folder).backbone or origin.model,
            prompt=None if template is None else template.model_dump(),
        )
    path = calibration.save(folder)
    show_calibration(calibration)
    print(f"Wrote {path}.")


def _pairs(
    estimator: "QualityEstimator",
    paths: "Sequence[str]",
    layout: "Layout",
    families: "Sequence[str]",
    language: str | None,
    seed: int,
) -> "tuple[list[Pair], list[str], list[float | None]]":
    """All pairs with known errors, what each belongs to, and its worth beside others of that."""
    from itertools import chain

    from headwise.corruption import (
        sampled_errors,
        several_errors,
        synthetic_errors,
        with_error_copies,
    )
    from headwise.corruption.error_copies import group_of
    from headwise.data.readers import read_pairs
    from headwise.data.records.pairs import Pair
    from headwise.errors import CalibrationError

    found: list[Pair] = []
    for path in paths:
        rows = rows_for_prompt(read_pairs(path, layout), estimator.backbone, estimator.prompt)
        for row in rows:
            if isinstance(row, Pair):
                found.append(row)
            else:
                print(f"{path}, line {row.line} left out: {row.reason}", file=sys.stderr)
    plain = [pair for pair in found if pair.errors is None]
    if plain and not families:
        raise CalibrationError(
            f"{len(plain):,} of {len(found):,} pairs do not say what is wrong in them. If they "
            "are right, add --synthetic crude,plausible to put errors into copies of them."
        )
    marked = [pair for pair in found if pair.errors is not None]
    backbone, prompt = estimator.backbone, estimator.prompt
    shown = sys.stderr.isatty()
    put_in = [name for name in families if name in ERROR_FAMILIES]
    copies = synthetic_errors(
        backbone, plain, prompt, families=put_in, language=language, seed=seed
    )
    if SEVERAL in families:
        copies[SEVERAL] = several_errors(
            backbone, plain, prompt, language=language, seed=seed, progress=shown
        )
    texts = with_error_copies(plain, chain.from_iterable(copies.values()))
    if plain and SAMPLED in families:
        drawn = sampled_errors(backbone, plain, prompt, seed=seed, progress=shown)
        texts = texts.with_samples(drawn)
    groups = [*texts.groups, *(group_of(pair, pair.hypothesis) for pair in marked)]
    # A copy with an error that was made is no rival as a model's own texts are
    gold: list[float | None] = [None for _ in texts.pairs]
    gold += [-float(len(pair.errors or ())) for pair in marked]
    return [*texts.pairs, *marked], groups, gold
