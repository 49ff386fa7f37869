"""``headwise train errors``: train an error head."""

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from headwise.cli import options
from headwise.cli.reading import read_training_pairs
from headwise.cli.train import training_options
from headwise.cli.train.error_head_lines import (
    calibration_summary,
    hint_at_both_heads,
    training_summary,
)
from headwise.cli.train.error_head_setup import (
    chosen_prompt,
    chosen_settings,
    folder_to_start_from,
    folder_with_sigmoid_head,
)

_HEAD, _ERRORS, _LABELS = "Head", "Errors that are put in", "Labels"


def errors(
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Folder of the head; may be that of a Sigmoid Head."),
    ],
    backbone: training_options.LanguageModel = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            "--data",
            help="Correct pairs: TSV, JSONL, Parquet, or a folder of `datasets`; may be repeated.",
            rich_help_panel=training_options.DATA,
        ),
    ] = None,
    dev: Annotated[
        list[str] | None,
        typer.Option(
            "--dev",
            help="The same, held out: decides when to stop and which weights to keep.",
            rich_help_panel=training_options.DATA,
        ),
    ] = None,
    no_source: options.NoSource = False,
    labels: Annotated[
        list[str] | None,
        typer.Option(
            "--labels",
            help="Texts that people marked, for a second stage: MQM, or JSONL with `annotations` "
            "or `word_tags`; may be repeated.",
            rich_help_panel=_LABELS,
        ),
    ] = None,
    labels_dev: Annotated[
        list[str] | None,
        typer.Option(
            "--labels-dev",
            help="The same, held out; by default a fifth of the sources of --labels.",
            rich_help_panel=_LABELS,
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--start",
            help="Error head to go on from: a folder, a bundled name, or none. With --labels "
            "alone, by default that of the model.",
            rich_help_panel=_HEAD,
        ),
    ] = None,
    with_head: Annotated[
        str | None,
        typer.Option(
            "--with-head",
            help="Folder or bundled name of a Sigmoid Head to copy into OUTPUT, so that one folder "
            "has both.",
            rich_help_panel=_HEAD,
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            help="Run file (YAML) to take everything from that no option gives; every run "
            "leaves an error_head.yaml.",
        ),
    ] = None,
    backbone_name: training_options.BackboneName = None,
    prompt: options.Prompt = None,
    prompt_variable: options.PromptVariables = None,
    variant: Annotated[
        Literal["causal", "hindsight"] | None,
        typer.Option(
            help="Look no further than the token, or also at the next one and the end (the "
            "default).",
            rich_help_panel=_HEAD,
        ),
    ] = None,
    inner_size: Annotated[
        int | None, typer.Option(min=1, help="Of its hidden layer.", rich_help_panel=_HEAD)
    ] = None,
    rank: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Width that hidden states are projected to; by default none below a width of "
            "1,024, 64 there, and less the wider the model is.",
            rich_help_panel=_HEAD,
        ),
    ] = None,
    statistics: Annotated[
        Literal["off", "on", "auto"] | None,
        typer.Option(
            help="Read log-probability, entropy and rank as well; auto: unless the model knows "
            "the training texts by heart. Scoring then costs the vocabulary.",
            rich_help_panel=_HEAD,
        ),
    ] = None,
    mix: Annotated[
        Path | None,
        typer.Option(
            "--mix", help="YAML with the proportions of the families.", rich_help_panel=_ERRORS
        ),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(
            "--language",
            help="Of the texts (de, en): for errors that need word lists.",
            rich_help_panel=_ERRORS,
        ),
    ] = None,
    copies: Annotated[
        int | None,
        typer.Option(min=1, help="Of each text, with errors.", rich_help_panel=_ERRORS),
    ] = None,
    max_length: training_options.MaxLength = None,
    epochs: training_options.Epochs = None,
    learning_rate: training_options.LearningRate = None,
    schedule: training_options.Schedule = None,
    warmup_share: training_options.WarmupShare = None,
    batch_tokens: Annotated[
        int | None,
        typer.Option(
            min=1, help="Padded tokens of a batch.", rich_help_panel=training_options.LOOP
        ),
    ] = None,
    class_weights: Annotated[
        Literal["balanced"] | None,
        typer.Option(
            help="Let wrong tokens weigh as much in all as right ones.",
            rich_help_panel=training_options.LOOP,
        ),
    ] = None,
    patience: training_options.PatienceInEpochs = None,
    label_epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over --labels.", rich_help_panel=_LABELS)
    ] = None,
    label_learning_rate: Annotated[
        float | None, typer.Option(help="Peak of its schedule.", rich_help_panel=_LABELS)
    ] = None,
    label_class_weights: Annotated[
        Literal["balanced"] | None,
        typer.Option(
            help="Let wrong tokens weigh as much in all as right ones.", rich_help_panel=_LABELS
        ),
    ] = None,
    label_patience: Annotated[
        int | None,
        typer.Option(min=1, help="Epochs without an improvement.", rich_help_panel=_LABELS),
    ] = None,
    report_to: training_options.ReportTo = None,
    feature_dtype: training_options.FeatureDtype = None,
    feature_folder: Annotated[
        str | None,
        typer.Option(
            help="Of the cache; by default OUTPUT/error_features.",
            rich_help_panel=training_options.FEATURES,
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of errors, batches and initial weights.")
    ] = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
) -> None:
    """Train an error head: which words are wrong? From correct texts, without human labels.

    Checkpoints go to OUTPUT/error_checkpoints; the same command continues from the newest one.
    """
    shape = {"variant": variant, "inner_size": inner_size, "rank": rank, "statistics": statistics}
    given: dict[str, Any] = shape | {
        "copies": copies,
        "max_length": max_length,
        "epochs": epochs,
        "learning_rate": learning_rate,
        "schedule": schedule,
        "warmup_share": warmup_share,
        "batch_tokens": batch_tokens,
        "class_weights": class_weights,
        "patience": patience,
        "labels": {
            "epochs": label_epochs,
            "learning_rate": label_learning_rate,
            "class_weights": label_class_weights,
            "patience": label_patience,
        },
        "report_to": report_to,
        "feature_dtype": feature_dtype,
        "feature_folder": feature_folder,
        "seed": seed,
    }
    from headwise.backbones import load_backbone
    from headwise.bundled import locate
    from headwise.quality.after_training import train_error_head
    from headwise.training.errors import ErrorRun

    run = ErrorRun.read(config) if config else ErrorRun()
    settings = chosen_settings(run, given, mix=mix, language=language)
    backbone, data, dev = backbone or run.backbone, data or run.data, dev or run.dev
    labels, labels_dev = labels or run.labels, labels_dev or run.label_dev
    no_source = no_source or run.no_source
    if not backbone or not (labels or (data and dev)) or bool(data) != bool(dev):
        raise typer.BadParameter(
            "--backbone, --data and --dev are needed (or --labels in place of both), or a "
            "--config that has them."
        )
    place = locate(backbone)
    begin = folder_to_start_from(place, start, run, alone=not data)
    if begin is not None and (named := [name for name, value in shape.items() if value]):
        raise typer.BadParameter(
            f"The head to start from has a shape of its own; drop {', '.join(named)}."
        )
    beside = folder_with_sigmoid_head(place, output, with_head)
    options.show_messages()
    with options.usage_errors(), options.quiet_loading():
        model = load_backbone(
            place.backbone,
            device=device,
            dtype=dtype or run.dtype,
            trust_remote_code=trust_remote_code,
        )
        asked = options.parse_prompt_option(prompt) if prompt else run.prompt
        template = chosen_prompt(
            model, asked, no_source=no_source, heads=(beside, begin, place.head)
        )
        template = template.bind(**options.parse_variables(prompt_variable))
        model.check_prompt(template)
    has_source = not no_source
    trained = train_error_head(
        model,
        read_training_pairs(data, has_source=has_source),
        read_training_pairs(dev, has_source=has_source),
        output,
        prompt=template,
        backbone_name=backbone_name or backbone,
        settings=settings,
        labels=read_training_pairs(labels, has_source=has_source),
        label_dev=read_training_pairs(labels_dev, has_source=has_source),
        start=begin,
        sigmoid_head=beside,
        data=data,
        dev_data=dev,
        label_data=labels,
        label_dev_data=labels_dev,
        progress=True,
    )
    lines = [
        *training_summary(trained.report),
        *calibration_summary(trained),
        f"Head, card, curves and run file: {output}",
        *hint_at_both_heads(place, output, backbone, template),
    ]
    print("\n".join(lines), file=sys.stderr)
