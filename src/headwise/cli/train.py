"""``headwise train``: train heads."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headwise.cli import options

if TYPE_CHECKING:
    from headwise.data.pairs import Pair

train = typer.Typer(help="Train heads on a frozen language model.", no_args_is_help=True)


@train.callback()
def _train() -> None:
    """Train heads on a frozen language model."""


@train.command()
def sigmoid(
    data: Annotated[
        list[str],
        typer.Option("--data", help="Correct pairs: TSV, JSONL or Parquet; may be repeated."),
    ],
    dev: Annotated[
        list[str],
        typer.Option("--dev", help="Pairs that decide which epoch is best; may be repeated."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the head.")],
    backbone: Annotated[
        str,
        typer.Option("--backbone", "-b", help="Bundled name, folder or hub id of the model."),
    ],
    backbone_name: Annotated[
        str | None,
        typer.Option(help="Name to record for the backbone; by default the one given."),
    ] = None,
    prompt: options.Prompt = None,
    prompt_variable: options.PromptVariables = None,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the data at most.")] = 3,
    learning_rate: Annotated[
        float | None,
        typer.Option(help="Peak of the cosine schedule; by default 1e-4 from H 1024 on, or 1e-3."),
    ] = None,
    batch_tokens: Annotated[int, typer.Option(min=1, help="Padded tokens of a batch.")] = 4096,
    patience: Annotated[
        int, typer.Option(min=1, help="Epochs without a lower dev loss before it stops.")
    ] = 3,
    negatives: Annotated[int, typer.Option(min=1, help="Negatives a position.")] = 10,
    frequency_share: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, help="Share of them drawn by frequency, not by softmax."),
    ] = 0.5,
    temperature: Annotated[
        float, typer.Option(min=0.01, help="Of the softmax that draws negatives.")
    ] = 2.0,
    avoid_dominant: Annotated[
        bool, typer.Option(help="Never take a dominant token as a negative.")
    ] = True,
    from_lm_head: Annotated[
        bool, typer.Option(help="Start from the model's own unembedding, not at random.")
    ] = True,
    seed: Annotated[int, typer.Option(help="Of batches, negatives and initial weights.")] = 0,
    device: options.Device = None,
    dtype: options.Dtype = None,
    trust_remote_code: options.TrustRemoteCode = False,
) -> None:
    """Train a Sigmoid Head: plain parallel or instruction data, no quality labels.

    Checkpoints go to OUTPUT/checkpoints; the same command continues from the newest one.
    """
    import sys

    from headwise.backbones import default_prompt, load_backbone
    from headwise.bundled import locate
    from headwise.functional import LargestDrop
    from headwise.training.negatives import NegativeSampling
    from headwise.training.sigmoid import SigmoidTraining, train_sigmoid_head

    with options.usage_errors(), options.quiet_loading():
        settings = SigmoidTraining(
            epochs=epochs,
            learning_rate=learning_rate,
            batch_tokens=batch_tokens,
            patience=patience,
            from_lm_head=from_lm_head,
            sampling=NegativeSampling(
                per_position=negatives,
                frequency_share=frequency_share,
                temperature=temperature,
                selector=LargestDrop() if avoid_dominant else None,
            ),
            seed=seed,
        )
        model = load_backbone(
            locate(backbone).backbone,
            device=device,
            dtype=dtype,
            trust_remote_code=trust_remote_code,
        )
        template = options.parse_prompt_option(prompt) or default_prompt(model)
        template = template.bind(**options.parse_variables(prompt_variable))
        model.check_prompt(template)
    report = train_sigmoid_head(
        model,
        _read(data),
        _read(dev),
        output,
        prompt=template,
        backbone_name=backbone_name or backbone,
        settings=settings,
    )
    losses = ", ".join(f"{loss:.4f}" for loss in report.dev_losses)
    print(
        f"Trained on {report.train_pairs} pairs ({report.targets} tokens an epoch) in "
        f"{report.seconds:.0f} s; dev loss {losses}; {report.rejected} pairs left out.",
        file=sys.stderr,
    )
    print(f"Head: {output}", file=sys.stderr)


def _read(paths: list[str]) -> "list[Pair]":
    """Read all pairs; rows that are none are named on standard error and left out."""
    import sys

    from headwise.data.pairs import Reject
    from headwise.data.readers import read_pairs

    pairs = []
    # A missing file is noticed when its reader is made, before another one is read
    for path, rows in [(path, read_pairs(path)) for path in paths]:
        for row in rows:
            if isinstance(row, Reject):
                print(f"{path}, line {row.line} left out: {row.reason}", file=sys.stderr)
            else:
                pairs.append(row)
    return pairs
