"""``headwise train sigmoid``: train a Sigmoid Head."""

from typing import Annotated, Any

import typer

from headwise.cli import layout_options, options, printing, prompt_options
from headwise.cli.reading import read_training_pairs
from headwise.cli.settings_options import with_options
from headwise.cli.train import training_options as shared
from headwise.cli.train.first_checks import expect_inputs, read_run
from headwise.cli.train.running import Running, load_language_model
from headwise.training.loop.settings import overlaid
from headwise.training.sigmoid.settings import OBJECTIVE, SigmoidTraining, default_settings, merged


@with_options
def sigmoid(
    *,
    output: shared.Output,
    backbone: shared.LanguageModel = None,
    data: Annotated[
        list[str] | None,
        shared.files(
            "Correct pairs or conversations: TSV, JSONL, Parquet, MQM, or a folder of `datasets`; "
            "may be repeated."
        ),
    ] = None,
    dev: Annotated[
        list[str] | None,
        shared.files("The same, held out: decides when to stop and which head to keep."),
    ] = None,
    columns: layout_options.ColumnOptions,
    config: shared.Config = None,
    backbone_name: shared.BackboneName = None,
    prompting: prompt_options.PromptOptions,
    full_vocabulary: Annotated[
        bool | None,
        typer.Option(
            "--full-vocabulary/--sampled",
            help="All tokens are negatives, or drawn ones (the default).",
            rich_help_panel=OBJECTIVE,
        ),
    ] = None,
    candidates: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Most probable tokens that the softmax draws from; 0 for all. Default: 128.",
            rich_help_panel=OBJECTIVE,
        ),
    ] = None,
    given: Annotated[dict[str, Any], SigmoidTraining],
    running: Running,
) -> None:
    """Train a Sigmoid Head: plain parallel or instruction data, no quality labels.

    Checkpoints go to OUTPUT/checkpoints; the same command continues from the newest one.
    Several processes: torchrun --nproc-per-node N -m headwise train sigmoid ...
    """
    from headwise.training.loop.run_file import TrainingRun

    run = read_run(TrainingRun, config, SigmoidTraining, given)
    drawn: dict[str, Any] = {"full_vocabulary": full_vocabulary, "candidates": candidates}
    with options.usage_errors():
        merged({}, given, **drawn)
    backbone, data, dev = backbone or run.backbone, data or run.data, dev or run.dev
    if not (backbone and data and dev):
        raise typer.BadParameter(shared.NEEDED)
    layout = columns.layout()
    models, named = [backbone, given.get("initialise")], prompting.columns.values()
    expect_inputs(output, models, data, dev, layout=layout, columns=named)

    from headwise.bundled import locate
    from headwise.training.sigmoid.train import train_sigmoid_head

    def settings_over(base: dict[str, Any]) -> SigmoidTraining:
        """What options or the run file give, over what a model of its width begins with."""
        return SigmoidTraining.from_dict(merged(overlaid(base, run.settings), given, **drawn))

    with options.usage_errors():
        asked = settings_over({})  # also, what does not go together is said before loading
    place = locate(backbone := running.loading.named(backbone))
    model, prompt = load_language_model(
        place, running.loading, prompting, run, heads=[place.head], settings=asked
    )
    usual = default_settings(model.hidden_size, model.vocabulary_size).to_dict()
    report = train_sigmoid_head(
        model,
        read_training_pairs(data, layout, read_by=(model, prompt)),
        read_training_pairs(dev, layout, read_by=(model, prompt)),
        output,
        prompt=prompt,
        backbone_name=backbone_name or backbone,
        settings=settings_over(usual),
        data=data,
        dev_data=dev,
        **running.arguments,
    )
    if printing.is_first_process():
        best = report.evaluations[report.best]
        names = (name for name in best.metrics if name == "loss" or name.startswith("auroc"))
        found = ", ".join(f"dev {n.replace('_', ' ')} {best.metrics[n]:.4f}" for n in names)
        typer.echo(
            f"Trained on {report.train_pairs:,} pairs ({report.targets:,} tokens an epoch) in "
            f"{report.seconds:.0f} s, {report.tokens_per_second:,.0f} tokens/s; "
            f"{report.rejected:,} pairs left out.\nKept the head of step {best.step}: {found}.\n"
            f"Head, card, curves and run file: {output}",
            err=True,
        )
