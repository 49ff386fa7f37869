"""``headwise train abstention``: train an abstention head and choose its threshold."""

from pathlib import Path
from typing import Annotated, Any

import typer

from headwise.cli import options
from headwise.cli.entailment.entailment_options import InferenceColumns
from headwise.cli.reading import read_labelled
from headwise.cli.settings_options import with_options
from headwise.cli.train.first_checks import expect_inputs, read_run
from headwise.cli.train.nli import load_named_encoder
from headwise.cli.train.running import Running
from headwise.cli.train.training_options import files, folder, run_file
from headwise.training.abstention.settings import THRESHOLD, AbstentionTraining

_SHARE = {"min": 0.0, "max": 1.0, "rich_help_panel": THRESHOLD}


@with_options
def abstention(
    *,
    output: Annotated[Path, folder("Folder of both heads; may be that of --heads.")],
    heads: Annotated[str | None, typer.Option(help="Folder that `train nli` wrote.")] = None,
    data: Annotated[
        list[str] | None, files("What the NLI head was trained on; may be repeated.")
    ] = None,
    dev: Annotated[
        list[str] | None, files("Held out: decides when to stop and which head to keep.")
    ] = None,
    calibration: Annotated[
        list[str] | None, files("Held out from everything: chooses the threshold, not --dev.")
    ] = None,
    columns: InferenceColumns,
    config: Annotated[Path | None, run_file("leaves an abstention.yaml")] = None,
    backbone: Annotated[
        str | None,
        typer.Option("--backbone", "-b", help="The encoder; by default the one the heads name."),
    ] = None,
    backbone_name: Annotated[
        str | None,
        typer.Option(help="Name to record for the encoder; by default the one the heads have."),
    ] = None,
    coverage: Annotated[
        float | None, typer.Option(help="Share of pairs to answer; 0.8 is the default.", **_SHARE)
    ] = None,
    risk: Annotated[float | None, typer.Option(help="Most errors among answers.", **_SHARE)] = None,
    guarantee: Annotated[
        float | None, typer.Option(help="The same for new pairs, with --confidence.", **_SHARE)
    ] = None,
    given: Annotated[dict[str, Any], AbstentionTraining],
    running: Running,
) -> None:
    """Train an abstention head: how doubtful is the NLI head's label?"""
    levels = {"coverage": coverage, "risk": risk, "guarantee": guarantee}
    asked = [{"aim": aim, "level": level} for aim, level in levels.items() if level is not None]
    if len(asked) > 1:
        raise typer.BadParameter("Give one of --coverage, --risk and --guarantee.")

    from headwise.training.abstention.run_file import AbstentionRun

    run = read_run(AbstentionRun, config, AbstentionTraining, given)
    with options.usage_errors():
        settings = AbstentionTraining.from_dict(run.settings | given | next(iter(asked), {}))
    heads, data, dev = heads or run.heads, data or run.data, dev or run.dev
    calibration = calibration or run.calibration
    if not (heads and data and dev):
        raise typer.BadParameter("--heads, --data and --dev are needed, or a --config with them.")
    layout, models = columns.layout(), [backbone or run.backbone, heads]
    expect_inputs(output, models, data, dev, calibration, layout=layout)

    from headwise.heads import load_task_heads
    from headwise.training.abstention.train import train_abstention_head

    backbone = backbone or run.backbone or load_task_heads(heads).config.backbone
    if backbone is None:
        raise typer.BadParameter(f"The heads in {heads} name no encoder; give it with --backbone.")
    report = train_abstention_head(
        load_named_encoder(backbone, running.loading, run.dtype),
        read_labelled(data, layout),
        read_labelled(dev, layout),
        heads,
        output,
        settings=settings,
        calibration=read_labelled(calibration, layout),
        backbone_name=backbone_name,
        data=data,
        dev_data=dev,
        calibration_data=calibration,
        **running.arguments,
    )
    lines = [
        f"Trained on {report.train_pairs:,} pairs, {report.train_errors:.1%} of them errors, in "
        f"{report.seconds:.0f} s; {report.rejected:,} pairs left out.",
        f"Dev accuracy {report.dev_accuracy:.4f} over all answers. By uncertainty:",
    ]
    for name, found in report.signals.items():
        auroc = "undefined" if found.auroc is None else f"{found.auroc:.4f}"
        lines.append(
            f"  {name}: AUROC of errors {auroc}, area under risk-coverage {found.aurc:.4f}, "
            f"accuracy at 80 % coverage {found.accuracy_at_80:.4f}, 90 % {found.accuracy_at_90:.4f}"
        )
    lines += [
        f"Abstains by {settings.abstain_by} at {report.threshold:.6g} or more: "
        f"{report.threshold_basis} It answers {report.coverage:.1%} of them, "
        + (f"{report.answered_accuracy:.1%} right." if report.coverage else "none right or wrong."),
        f"Heads, card and run file: {output}",
    ]
    typer.echo("\n".join(lines), err=True)
