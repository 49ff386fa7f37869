"""``headwise train nli``: train an NLI head."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from headwise.cli import options
from headwise.cli.reading import read_labelled
from headwise.cli.train import training_options

if TYPE_CHECKING:
    from headwise.backbones.encoder import EncoderBackbone


_HEAD = "Head"


def nli(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the head.")],
    backbone: Annotated[
        str | None,
        typer.Option(
            "--backbone", "-b", help="all-MiniLM-L6-v2, or folder or hub id of an encoder."
        ),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            "--data",
            help="Premises, hypotheses and labels as SNLI, MultiNLI or ANLI have them: TSV, JSONL, "
            "Parquet, or a folder of `datasets`; may be repeated.",
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
    backbone_name: Annotated[
        str | None,
        typer.Option(help="Name to record for the encoder; by default the one given."),
    ] = None,
    reads: Annotated[
        Literal["joint", "pair", "pair+joint"] | None,
        typer.Option(
            help="The head reads the joint first token, the embeddings of both texts (the "
            "default), or both.",
            rich_help_panel=_HEAD,
        ),
    ] = None,
    hidden_size: Annotated[
        int | None, typer.Option(min=1, help="Of its hidden layer.", rich_help_panel=_HEAD)
    ] = None,
    dropout: Annotated[
        float | None,
        typer.Option(min=0.0, help="Share of it that is dropped.", rich_help_panel=_HEAD),
    ] = None,
    epochs: training_options.Epochs = None,
    learning_rate: training_options.LearningRate = None,
    schedule: training_options.Schedule = None,
    warmup_share: training_options.WarmupShare = None,
    batch_size: training_options.BatchSize = None,
    weight_decay: Annotated[
        float | None, typer.Option(min=0.0, help="Of AdamW.", rich_help_panel=training_options.LOOP)
    ] = None,
    label_smoothing: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="Share of a label that all classes get.",
            rich_help_panel=training_options.LOOP,
        ),
    ] = None,
    class_weights: Annotated[
        Literal["balanced"] | None,
        typer.Option(
            help="Let classes weigh the same in all.", rich_help_panel=training_options.LOOP
        ),
    ] = None,
    criterion: Annotated[
        Literal["loss", "accuracy", "macro_f1"] | None,
        typer.Option(help="What decides on dev.", rich_help_panel=training_options.LOOP),
    ] = None,
    patience: training_options.PatienceInEpochs = None,
    report_to: training_options.ReportTo = None,
    features: training_options.Vectors = None,
    feature_dtype: training_options.VectorDtype = None,
    feature_folder: training_options.FeatureFolder = None,
    seed: Annotated[int | None, typer.Option(help="Of batches and initial weights.")] = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
) -> None:
    """Train an NLI head: does a premise entail a hypothesis, contradict it, or neither?

    Checkpoints go to OUTPUT/checkpoints; the same command continues from the newest one.
    """
    given: dict[str, Any] = {
        "features": reads,
        "hidden_size": hidden_size,
        "dropout": dropout,
        "epochs": epochs,
        "learning_rate": learning_rate,
        "schedule": schedule,
        "warmup_share": warmup_share,
        "batch_size": batch_size,
        "weight_decay": weight_decay,
        "label_smoothing": label_smoothing,
        "class_weights": class_weights,
        "criterion": criterion,
        "patience": patience,
        "report_to": report_to,
        "feature_source": features,
        "feature_dtype": feature_dtype,
        "feature_folder": feature_folder,
        "seed": seed,
    }
    from headwise.training.loop.run_file import TrainingRun, given_values
    from headwise.training.nli.settings import nli_settings_from_dict
    from headwise.training.nli.train import train_nli_head

    run = TrainingRun.read(config) if config else TrainingRun()
    with options.usage_errors():
        settings = nli_settings_from_dict(run.settings | given_values(given))
    backbone, data, dev = backbone or run.backbone, data or run.data, dev or run.dev
    if not (backbone and data and dev):
        raise typer.BadParameter(
            "--backbone, --data and --dev are needed, or a --config that has them."
        )
    model = load_named_encoder(
        backbone, device=device, dtype=dtype or run.dtype, trust_remote_code=trust_remote_code
    )
    report = train_nli_head(
        model,
        read_labelled(data),
        read_labelled(dev),
        output,
        backbone_name=backbone_name or backbone,
        settings=settings,
        data=data,
        dev_data=dev,
        progress=True,
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
    name: str, *, device: str | None, dtype: str | None, trust_remote_code: bool
) -> "EncoderBackbone":
    """Load the encoder that a name stands for, with Transformers' own messages turned off."""
    from headwise.backbones.loading import load_encoder
    from headwise.bundled.registry import locate_entailment

    options.show_messages()
    with options.usage_errors(), options.quiet_loading():
        return load_encoder(
            locate_entailment(name).encoder,
            device=device,
            dtype=dtype,
            trust_remote_code=trust_remote_code,
        )
