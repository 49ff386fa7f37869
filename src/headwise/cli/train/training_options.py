"""Options that several `train` commands share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

DATA, LOOP, FEATURES = "Data", "Loop", "Features"

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="Run file (YAML) to take everything from that no option gives; every run leaves one "
        "beside its head.",
    ),
]
LanguageModel = Annotated[
    str | None,
    typer.Option("--backbone", "-b", help="Bundled name, folder or hub id of the model."),
]
BackboneName = Annotated[
    str | None, typer.Option(help="Name to record for the backbone; by default the one given.")
]
MaxLength = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Longest example in tokens; by default what the model reads.",
        rich_help_panel=DATA,
    ),
]
Epochs = Annotated[
    int | None, typer.Option(min=1, help="Passes over the data at most.", rich_help_panel=LOOP)
]
LearningRate = Annotated[
    float | None, typer.Option(help="Peak of the schedule.", rich_help_panel=LOOP)
]
Schedule = Annotated[
    str | None, typer.Option(help="cosine, linear, constant, ...", rich_help_panel=LOOP)
]
WarmupShare = Annotated[
    float | None,
    typer.Option(min=0.0, help="Share of steps in which the rate rises.", rich_help_panel=LOOP),
]
BatchSize = Annotated[
    int | None, typer.Option(min=1, help="Pairs in a step.", rich_help_panel=LOOP)
]
PatienceInEpochs = Annotated[
    int | None, typer.Option(min=1, help="Epochs without an improvement.", rich_help_panel=LOOP)
]
ReportTo = Annotated[
    list[str] | None,
    typer.Option(help="tensorboard, wandb, ...; may be repeated.", rich_help_panel=LOOP),
]
Vectors = Annotated[
    Literal["auto", "cache", "live"] | None,
    typer.Option(
        help="Vectors come from a cache on disk, or from the encoder in every epoch.",
        rich_help_panel=FEATURES,
    ),
]
VectorDtype = Annotated[
    Literal["float32", "float16", "bfloat16"] | None,
    typer.Option(help="Of cached vectors.", rich_help_panel=FEATURES),
]
FeatureFolder = Annotated[
    str | None,
    typer.Option(
        help="Of the cache; by default OUTPUT/features. May serve several runs.",
        rich_help_panel=FEATURES,
    ),
]
FeatureDtype = Annotated[
    Literal["bfloat16", "float32"] | None,
    typer.Option(help="Of cached hidden states.", rich_help_panel=FEATURES),
]
