"""``headwise train abstention``: train an abstention head and choose its threshold."""

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from headwise.cli import options
from headwise.cli.reading import read_labelled
from headwise.cli.train import training_options
from headwise.cli.train.nli import load_named_encoder

_LABELS, _THRESHOLD = "Labels", "Threshold"
_SHARE = {"min": 0.0, "max": 1.0, "rich_help_panel": _THRESHOLD}


def abstention(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of both heads; may be that of --heads.")
    ],
    heads: Annotated[
        str | None, typer.Option("--heads", help="Folder that `train nli` wrote.")
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            "--data",
            help="What the NLI head was trained on; may be repeated.",
            rich_help_panel=training_options.DATA,
        ),
    ] = None,
    dev: Annotated[
        list[str] | None,
        typer.Option(
            "--dev",
            help="Held out: decides when to stop and which head to keep.",
            rich_help_panel=training_options.DATA,
        ),
    ] = None,
    calibration: Annotated[
        list[str] | None,
        typer.Option(
            "--calibration",
            help="Held out from everything: chooses the threshold, instead of --dev.",
            rich_help_panel=training_options.DATA,
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            help="Run file (YAML) to take everything from that no option gives; every run "
            "leaves an abstention.yaml.",
        ),
    ] = None,
    backbone: Annotated[
        str | None,
        typer.Option("--backbone", "-b", help="The encoder; by default the one the heads name."),
    ] = None,
    backbone_name: Annotated[
        str | None,
        typer.Option(help="Name to record for the encoder; by default the one the heads have."),
    ] = None,
    labels: Annotated[
        Literal["out_of_fold_probability", "out_of_fold", "own_errors"] | None,
        typer.Option(
            help="Learn from the probability of an error under heads that did not see the premise "
            "(the default), from their errors, or from those of the head itself on its own "
            "training data.",
            rich_help_panel=_LABELS,
        ),
    ] = None,
    folds: Annotated[
        int | None, typer.Option(min=2, help="How many such heads.", rich_help_panel=_LABELS)
    ] = None,
    abstain_by: Annotated[
        Literal["learned", "max_probability", "entropy", "margin"] | None,
        typer.Option(help="What the threshold is on.", rich_help_panel=_THRESHOLD),
    ] = None,
    coverage: Annotated[
        float | None,
        typer.Option(help="Share of pairs to answer; 0.8 is the default.", **_SHARE),
    ] = None,
    risk: Annotated[
        float | None, typer.Option(help="Share of errors among answers at most.", **_SHARE)
    ] = None,
    guarantee: Annotated[
        float | None,
        typer.Option(help="The same for new pairs, with --confidence.", **_SHARE),
    ] = None,
    confidence: Annotated[
        float | None,
        typer.Option(help="Probability that a guarantee holds; 0.95 is the default.", **_SHARE),
    ] = None,
    epochs: training_options.Epochs = None,
    learning_rate: training_options.LearningRate = None,
    batch_size: training_options.BatchSize = None,
    patience: training_options.PatienceInEpochs = None,
    features: training_options.Vectors = None,
    feature_dtype: training_options.VectorDtype = None,
    feature_folder: training_options.FeatureFolder = None,
    seed: Annotated[int | None, typer.Option(help="Of folds, batches and initial weights.")] = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
) -> None:
    """Train an abstention head: how doubtful is the NLI head's label?"""
    given: dict[str, Any] = {
        "labels": labels,
        "folds": folds,
        "abstain_by": abstain_by,
        "confidence": confidence,
        "epochs": epochs,
        "learning_rate": learning_rate,
        "batch_size": batch_size,
        "patience": patience,
        "feature_source": features,
        "feature_dtype": feature_dtype,
        "feature_folder": feature_folder,
        "seed": seed,
    }
    aims = {"coverage": coverage, "risk": risk, "guarantee": guarantee}
    asked = {aim: level for aim, level in aims.items() if level is not None}
    if len(asked) > 1:
        raise typer.BadParameter("Give one of --coverage, --risk and --guarantee.")
    for aim, level in asked.items():
        given |= {"aim": aim, "level": level}
    from headwise.heads import load_task_heads
    from headwise.training.abstention.settings import AbstentionTraining
    from headwise.training.abstention.train import AbstentionRun, train_abstention_head
    from headwise.training.loop.run_file import given_values

    run = AbstentionRun.read(config) if config else AbstentionRun()
    with options.usage_errors():
        settings = AbstentionTraining.from_dict(run.settings | given_values(given))
    heads, data, dev = heads or run.heads, data or run.data, dev or run.dev
    calibration = calibration or run.calibration
    if not (heads and data and dev):
        raise typer.BadParameter(
            "--heads, --data and --dev are needed, or a --config that has them."
        )
    backbone = backbone or run.backbone or load_task_heads(heads).config.backbone
    if backbone is None:
        raise typer.BadParameter(f"The heads in {heads} name no encoder; give it with --backbone.")
    model = load_named_encoder(
        backbone, device=device, dtype=dtype or run.dtype, trust_remote_code=trust_remote_code
    )
    report = train_abstention_head(
        model,
        read_labelled(data),
        read_labelled(dev),
        heads,
        output,
        settings=settings,
        calibration=read_labelled(calibration),
        backbone_name=backbone_name,
        data=data,
        dev_data=dev,
        calibration_data=calibration,
        progress=True,
    )
    lines = [
        f"Trained on {report.train_pairs:,} pairs, {report.train_errors:.1%} of them errors, in "
        f"{report.seconds:.0f} s; {report.rejected:,} pairs left out.",
        f"Dev accuracy {report.dev_accuracy:.4f} over all answers. By uncertainty:",
    ]
    for name, quality in report.signals.items():
        auroc = "undefined" if quality.auroc is None else f"{quality.auroc:.4f}"
        lines.append(
            f"  {name}: AUROC of errors {auroc}, area under risk-coverage {quality.aurc:.4f}, "
            f"accuracy at 80 % coverage {quality.accuracy_at_80:.4f}, at 90 % "
            f"{quality.accuracy_at_90:.4f}"
        )
    answered = report.answered_accuracy
    lines += [
        f"Abstains by {settings.abstain_by} at {report.threshold:.6g} or more: "
        f"{report.threshold_basis} It answers {report.coverage:.1%} of them, "
        + ("none right or wrong." if answered is None else f"{answered:.1%} of these right."),
        f"Heads, card and run file: {output}",
    ]
    print("\n".join(lines), file=sys.stderr)
