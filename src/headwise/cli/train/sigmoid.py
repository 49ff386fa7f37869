"""``headwise train sigmoid``: train a Sigmoid Head."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from headwise.cli import options
from headwise.cli.reading import read_training_pairs
from headwise.cli.train import training_options

if TYPE_CHECKING:
    from collections.abc import Callable

    from headwise.training.sigmoid.settings import SigmoidTraining, TrainingReport

_OBJECTIVE = "Objective"


def sigmoid(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the head.")],
    backbone: training_options.LanguageModel = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            "--data",
            help="Correct pairs or conversations: TSV, JSONL, Parquet, MQM, or a folder of "
            "`datasets`; may be repeated.",
            rich_help_panel=training_options.DATA,
        ),
    ] = None,
    dev: Annotated[
        list[str] | None,
        typer.Option(
            "--dev",
            help="The same, held out: decides when to stop and which head to keep.",
            rich_help_panel=training_options.DATA,
        ),
    ] = None,
    config: training_options.Config = None,
    backbone_name: training_options.BackboneName = None,
    prompt: options.Prompt = None,
    prompt_variable: options.PromptVariables = None,
    max_length: training_options.MaxLength = None,
    cut: Annotated[
        bool | None,
        typer.Option(
            "--cut/--reject",
            help="Longer examples lose their end, or are left out (the default).",
            rich_help_panel=training_options.DATA,
        ),
    ] = None,
    head_type: Annotated[
        str | None,
        typer.Option(
            help="new_unembedding_head, rescaling_head, rescaled_unembedding_head, "
            "biased_unembedding_head or contextual_unembedding_head.",
            rich_help_panel=_OBJECTIVE,
        ),
    ] = None,
    context_size: Annotated[
        int | None,
        typer.Option(min=1, help="Inner width of a contextual bias.", rich_help_panel=_OBJECTIVE),
    ] = None,
    initialise: Annotated[
        str | None,
        typer.Option(
            help="Start from lm_head, random, or the folder of a head.",
            rich_help_panel=_OBJECTIVE,
        ),
    ] = None,
    full_vocabulary: Annotated[
        bool | None,
        typer.Option(
            "--full-vocabulary/--sampled",
            help="All tokens are negatives, or drawn ones (the default).",
            rich_help_panel=_OBJECTIVE,
        ),
    ] = None,
    negatives: Annotated[
        int | None,
        typer.Option(min=1, help="Negatives a position.", rich_help_panel=_OBJECTIVE),
    ] = None,
    frequency: Annotated[
        float | None,
        typer.Option(min=0.0, help="Share of negatives by frequency.", rich_help_panel=_OBJECTIVE),
    ] = None,
    softmax: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="Share of negatives from the model's softmax.",
            rich_help_panel=_OBJECTIVE,
        ),
    ] = None,
    uniform: Annotated[
        float | None,
        typer.Option(min=0.0, help="Share of uniform negatives.", rich_help_panel=_OBJECTIVE),
    ] = None,
    combination: Annotated[
        Literal["independent", "add", "multiply"] | None,
        typer.Option(help="How these distributions are put together.", rich_help_panel=_OBJECTIVE),
    ] = None,
    temperature: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            help="Of the softmax that draws negatives.",
            rich_help_panel=_OBJECTIVE,
        ),
    ] = None,
    candidates: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Most probable tokens that it draws from; 0 for the whole vocabulary.",
            rich_help_panel=_OBJECTIVE,
        ),
    ] = None,
    avoid: Annotated[
        str | None,
        typer.Option(
            help="Tokens that are never negatives: largest-drop, epsilon-cut, eta-cut, top-k, "
            "top-p, min-p (with numbers: top-k:k=5), or none.",
            rich_help_panel=_OBJECTIVE,
        ),
    ] = None,
    positive_weight: Annotated[
        str | None,
        typer.Option(
            help="Weight of a target against one negative, or balance.",
            rich_help_panel=_OBJECTIVE,
        ),
    ] = None,
    error_weight: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="Weight of a token that a person marked as wrong.",
            rich_help_panel=_OBJECTIVE,
        ),
    ] = None,
    margin_weight: Annotated[
        float | None,
        typer.Option(min=0.0, help="Weight of the ranking loss.", rich_help_panel=_OBJECTIVE),
    ] = None,
    margin: Annotated[
        float | None,
        typer.Option(min=0.0, help="Its margin, in logits.", rich_help_panel=_OBJECTIVE),
    ] = None,
    epochs: training_options.Epochs = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(
            help="Peak of the schedule; by default by width.", rich_help_panel=training_options.LOOP
        ),
    ] = None,
    schedule: training_options.Schedule = None,
    warmup_share: training_options.WarmupShare = None,
    batch_tokens: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Padded tokens of a batch, over all processes.",
            rich_help_panel=training_options.LOOP,
        ),
    ] = None,
    accumulation: Annotated[
        int | None,
        typer.Option(min=1, help="Batches a step.", rich_help_panel=training_options.LOOP),
    ] = None,
    precision: Annotated[
        Literal["float32", "bf16", "fp16"] | None,
        typer.Option(help="Mixed precision in the head.", rich_help_panel=training_options.LOOP),
    ] = None,
    row_updates: Annotated[
        Literal["auto", "all", "touched"] | None,
        typer.Option(
            help="Rows of the head that a step updates.", rich_help_panel=training_options.LOOP
        ),
    ] = None,
    criterion: Annotated[
        Literal["loss", "auroc"] | None,
        typer.Option(help="What decides on dev.", rich_help_panel=training_options.LOOP),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(
            min=1, help="Evaluations without an improvement.", rich_help_panel=training_options.LOOP
        ),
    ] = None,
    evaluate_every: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Steps between evaluations and checkpoints; by default an epoch.",
            rich_help_panel=training_options.LOOP,
        ),
    ] = None,
    report_to: training_options.ReportTo = None,
    features: Annotated[
        Literal["auto", "cache", "live"] | None,
        typer.Option(
            help="Hidden states come from a cache on disk, or from the model in every epoch.",
            rich_help_panel=training_options.FEATURES,
        ),
    ] = None,
    feature_dtype: training_options.FeatureDtype = None,
    feature_folder: training_options.FeatureFolder = None,
    seed: Annotated[
        int | None, typer.Option(help="Of batches, negatives and initial weights.")
    ] = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
) -> None:
    """Train a Sigmoid Head: plain parallel or instruction data, no quality labels.

    Checkpoints go to OUTPUT/checkpoints; the same command continues from the newest one. Several
    processes: torchrun --nproc-per-node N -m headwise train sigmoid ...
    """
    given: dict[str, Any] = {
        "head_type": head_type,
        "context_size": context_size,
        "initialise": initialise,
        "epochs": epochs,
        "learning_rate": learning_rate,
        "schedule": schedule,
        "warmup_share": warmup_share,
        "batch_tokens": batch_tokens,
        "accumulation": accumulation,
        "precision": precision,
        "row_updates": row_updates,
        "patience": patience,
        "criterion": criterion,
        "evaluate_every": evaluate_every,
        "features": features,
        "feature_dtype": feature_dtype,
        "feature_folder": feature_folder,
        "max_length": max_length,
        "cut": cut,
        "report_to": report_to,
        "seed": seed,
        "objective": {
            "avoid": avoid,
            "positive_weight": positive_weight,
            "error_weight": error_weight,
            "margin_weight": margin_weight,
            "margin": margin,
            "negatives": {
                "per_position": negatives,
                "frequency": frequency,
                "softmax": softmax,
                "uniform": uniform,
                "combination": combination,
                "temperature": temperature,
            },
        },
    }
    from headwise.training.loop.run_file import TrainingRun, overlaid
    from headwise.training.sigmoid.settings import merged, settings_from_dict

    run = TrainingRun.read(config) if config else TrainingRun()

    def settings_over(base: dict[str, Any]) -> "SigmoidTraining":
        """What options or the run file give, over what a model of its width begins with."""
        return settings_from_dict(
            merged(
                overlaid(base, run.settings),
                given,
                full_vocabulary=full_vocabulary,
                candidates=candidates,
            )
        )

    with options.usage_errors():
        settings_over({})  # wrong values are said before a model is loaded
    backbone, data, dev = backbone or run.backbone, data or run.data, dev or run.dev
    if not (backbone and data and dev):
        raise typer.BadParameter(
            "--backbone, --data and --dev are needed, or a --config that has them."
        )
    report = _run(
        backbone,
        data,
        dev,
        output,
        settings_over,
        backbone_name=backbone_name or backbone,
        prompt=options.parse_prompt_option(prompt) if prompt else run.prompt,
        prompt_variables=options.parse_variables(prompt_variable),
        loading={
            "device": device,
            "dtype": dtype or run.dtype,
            "trust_remote_code": trust_remote_code,
        },
    )
    if options.is_first_process():
        best = report.evaluations[report.best]
        print(
            f"Trained on {report.train_pairs:,} pairs ({report.targets:,} tokens an epoch) in "
            f"{report.seconds:.0f} s, {report.tokens_per_second:,.0f} tokens/s; "
            f"{report.rejected:,} pairs left out.\n"
            f"Kept the head of step {best.step}: "
            + ", ".join(
                f"dev {name.replace('_', ' ')} {value:.4f}"
                for name, value in best.metrics.items()
                if name == "loss" or name.startswith("auroc")
            )
            + f".\nHead, card, curves and run file: {output}",
            file=sys.stderr,
        )


def _run(
    backbone: str,
    data: list[str],
    dev: list[str],
    output: Path,
    settings_over: "Callable[[dict[str, Any]], SigmoidTraining]",
    *,
    backbone_name: str,
    prompt: Any,
    prompt_variables: dict[str, str],
    loading: dict[str, Any],
) -> "TrainingReport":
    from headwise.backbones import default_prompt, load_backbone, parse_prompt
    from headwise.bundled import locate
    from headwise.heads import read_head_info
    from headwise.training.sigmoid.settings import default_settings, settings_to_dict
    from headwise.training.sigmoid.train import train_sigmoid_head

    options.show_messages()
    place = locate(backbone)
    with options.usage_errors(), options.quiet_loading():
        model = load_backbone(place.backbone, **loading)
        if prompt is None and place.head is not None:
            prompt = read_head_info(place.head).prompt
        template = default_prompt(model) if prompt is None else parse_prompt(prompt)
        template = template.bind(**prompt_variables)
        model.check_prompt(template)
    return train_sigmoid_head(
        model,
        read_training_pairs(data),
        read_training_pairs(dev),
        output,
        prompt=template,
        backbone_name=backbone_name,
        settings=settings_over(settings_to_dict(default_settings(model.hidden_size))),
        data=data,
        dev_data=dev,
        progress=True,
    )
