"""``headwise demo``: score sentences that come with headwise, with the bundled model or another."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headwise.cli import options, printing
from headwise.cli.prompt_options import Prompt, PromptOptions, parse_prompt_option
from headwise.cli.reading import expect_model
from headwise.cli.settings_options import with_options

if TYPE_CHECKING:
    from headwise.quality import QualityEstimator


@with_options
def demo(
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The HTML report.", dir_okay=False)
    ] = Path("headwise-demo.html"),
    threshold: options.QualityThreshold = None,
    model: options.Model = options.DEFAULT_MODEL,
    head: options.Head = None,
    prompt: Prompt = None,
    loading: options.LoadingOptions,
) -> None:
    """Score sentences that come with headwise: a coloured table and an HTML report.

    English and German with the bundled model; several languages with any other whose prompt speaks
    of them.
    """
    printing.check_outputs(output, inputs=[])
    called = loading.named(model)
    for name in (called, head):
        expect_model(name)

    from rich.console import Console

    from headwise.bundled.examples import example_pairs, example_pairs_of_languages
    from headwise.report import render_legend, render_table, shows_gaps, write_html_report

    prompting = _prompting(called, head, prompt)
    pairs = example_pairs_of_languages() if prompting.columns else example_pairs()
    estimator = options.EstimatorOptions(model, head, prompting, loading).load()
    signals = _signals(estimator)
    limit = options.choose_threshold(estimator, signals, threshold)
    scored = [
        estimator.score(
            pair.source, pair.hypothesis, signals=signals, alternatives=3, row=pair.extra
        )
        for pair in pairs
    ]
    console = Console(highlight=False)
    title = "Several languages" if prompting.columns else "English to German"
    console.print(render_table(scored, threshold=limit, title=title))
    gaps = shows_gaps(scored[0].signals)
    console.print(render_legend(scored[0].signals[0], threshold=limit, gaps=gaps, table=True))
    if signals[0] != estimator.default_signal:
        console.print(
            f"\n{called} has no head here. These are its own probabilities, which are low wherever "
            "several words are right.",
            markup=False,
        )
    if not prompting.columns:
        generated = estimator.generate(pairs[0].source, num_beams=4)
        console.print(
            f"\nThe bundled model's own translation of “{pairs[0].source}”:\n"
            f"  {generated.hypothesis}",
            markup=False,
        )
    write_html_report(scored, output, threshold=limit, model=called)
    console.print(f"\nReport: {output.resolve()}", markup=False, soft_wrap=True)


def _prompting(model: str, head: str | None, prompt: str | None) -> PromptOptions:
    """The prompt of the heads, or one for base models; its languages are those of each row."""
    from headwise.backbones import NAMED_PROMPTS, parse_prompt
    from headwise.bundled import locate
    from headwise.heads import read_head_info
    from headwise.languages import LANGUAGE_VARIABLES

    folder = locate(model, head).head
    stored = None if folder is None else read_head_info(folder).prompt
    if prompt is None and stored is None:
        prompt = "bilingual"
    template = parse_prompt_option(prompt) or parse_prompt(stored or NAMED_PROMPTS["bilingual"])
    languages = sorted(LANGUAGE_VARIABLES & template.fields())
    return PromptOptions(prompt, prompt_column=[f"{name}={name}" for name in languages])


def _signals(estimator: "QualityEstimator") -> list[str]:
    """The best there is, what the error head says, and the language model's own probability."""
    from headwise.data.records.signals import Signal

    best = estimator.default_signal
    if best is Signal.SOFTMAX:
        best = Signal.BOOSTED
    others = (Signal.ERROR, Signal.SOFTMAX, Signal.OMISSION)
    possible = [one for one in others if estimator.heads.can_give(one, estimator.calibration)]
    return list(dict.fromkeys(map(str, [best, *possible])))
