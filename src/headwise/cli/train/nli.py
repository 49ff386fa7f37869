"""``headwise train nli``: train an NLI head."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headwise.cli import options, printing
from headwise.cli.entailment.entailment_options import InferenceColumns
from headwise.cli.reading import read_labelled
from headwise.cli.settings_options import with_options
from headwise.cli.train.first_checks import expect_inputs, read_run
from headwise.cli.train.running import Running
from headwise.cli.train.training_options import (
    NEEDED,
    BackboneName,
    Config,
    Output,
    files,
)
from headwise.training.nli.settings import NLITraining

if TYPE_CHECKING:
    from headwise.backbones import EncoderBackbone


@with_options
def nli(
    *,
    output: Output,
    backbone: Annotated[
        str | None,
        typer.Option(
            "--backbone", "-b", help="all-MiniLM-L6-v2, or folder or hub id of an encoder."
        ),
    ] = None,
    data: Annotated[
        list[str] | None,
        files(
            "Premises, hypotheses and labels as SNLI, MultiNLI or ANLI have them: TSV, JSONL, "
            "Parquet, or a folder of `datasets`; may be repeated."
        ),
    ] = None,
    dev: Annotated[
        list[str] | None,
        files("The same, held out: decides when to stop and which head to keep."),
    ] = None,
    columns: InferenceColumns,
    config: Config = None,
    backbone_name: BackboneName = None,
    given: Annotated[dict[str, Any], NLITraining],
    running: Running,
) -> None:
    """Train an NLI head: does a premise entail a hypothesis, contradict it, or neither?

    Checkpoints go to OUTPUT/checkpoints; the same command continues from the newest one.
    """
    from headwise.training.loop.run_file import TrainingRun

    run = read_run(TrainingRun, config, NLITraining, given)
    with options.usage_errors():
        settings = NLITraining.from_dict(run.settings | given)
    backbone, data, dev = backbone or run.backbone, data or run.data, dev or run.dev
    if not (backbone and data and dev):
        raise typer.BadParameter(NEEDED)
    layout = columns.layout()
    expect_inputs(output, [backbone], data, dev, layout=layout)

    from headwise.training.nli.train import train_nli_head

    report = train_nli_head(
        load_named_encoder(backbone, running.loading, run.dtype),
        read_labelled(data, layout),
        read_labelled(dev, layout),
        output,
        backbone_name=backbone_name or running.loading.named(backbone),
        settings=settings,
        data=data,
        dev_data=dev,
        **running.arguments,
    )
    print(
        f"Trained on {report.train_pairs:,} pairs in {report.seconds:.0f} s, "
        f"{report.pairs_per_second:,.0f} pairs/s; {report.rejected:,} pairs left out.\n"
        f"Kept the head of step {report.evaluations[report.best].step}: dev accuracy "
        f"{report.accuracy:.4f}, dev macro-F1 {report.macro_f1:.4f}.\n"
        f"Head, card, curves and run file: {output}",
        file=sys.stderr,
    )


def load_named_encoder(
    name: str, loading: options.LoadingOptions, dtype: str | None
) -> "EncoderBackbone":
    """Load the encoder that a name stands for, with Transformers' own messages turned off."""
    printing.show_messages()
    with options.usage_errors(), printing.quiet_loading(name):
        from headwise.backbones import load_encoder
        from headwise.bundled import locate_entailment

        encoder = locate_entailment(loading.named(name)).encoder
        return load_encoder(encoder, **loading.arguments(dtype))
