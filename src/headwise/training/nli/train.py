"""Train an NLI head on a frozen encoder."""

import time
from collections.abc import Sequence
from pathlib import Path

import torch

from headwise.backbones.encoder import EncoderBackbone
from headwise.data.records.inferences import InferencePair
from headwise.functional.class_uncertainty import Uncertainty
from headwise.heads import NLI_LABELS, NLIHead, TaskHeads, TaskHeadsConfig, save_task_heads
from headwise.heads.storage.files import CURVES_FILE, RUN_FILE
from headwise.training.loop.card import model_card
from headwise.training.loop.curves import Panel, draw_curves
from headwise.training.loop.run import (
    CHECKPOINTS,
    Trained,
    count_leaks,
    peak_memory,
    reset_peak_memory,
)
from headwise.training.loop.run_file import TrainingRun, claim_output, package_versions
from headwise.training.loop.settings import BALANCED
from headwise.training.loop.trainer import fit_classifier
from headwise.training.loop.vectors import (
    ClassifierLoss,
    LabelledVectors,
    balanced_weights,
    classification_measures,
)
from headwise.training.nli.pairs import read_inference_data
from headwise.training.nli.settings import NLIReport, NLITraining, nli_settings_to_dict

_PANEL = Panel(
    {"accuracy": "accuracy", "macro_f1": "macro-F1"}, axis="share", title="Labels of dev pairs"
)
# No threshold was chosen: the head always answers
_NEVER = 1.0


def train_nli_head(
    backbone: EncoderBackbone,
    train: Sequence[InferencePair],
    dev: Sequence[InferencePair],
    output: str | Path,
    *,
    backbone_name: str,
    settings: NLITraining = NLITraining(),
    data: Sequence[str] = (),
    dev_data: Sequence[str] = (),
    progress: bool = False,
) -> NLIReport:
    """Train an NLI head and write it, with its card, to a folder.

    Checkpoints go to ``<output>/checkpoints``; the same call continues from the newest one.

    Args:
        backbone: The frozen encoder.
        train: Labelled pairs to learn from.
        dev: Labelled pairs that decide when to stop and which head to keep.
        output: Folder of the head.
        backbone_name: Name to record, so that the head finds its encoder again.
        settings: Everything else.
        data: Names of the training files, for the run file.
        dev_data: Names of the dev files, likewise.
        progress: Whether to show progress bars on standard error.

    Returns:
        What was done.

    Raises:
        TrainingError: If there are no pairs, a label does not occur in ``train``, the loss stops
            being a number, or the folder holds checkpoints of a run with other settings.
        MismatchError: If cached vectors belong to something else.
        OutputError: If the disk is full.
    """
    started = time.monotonic()
    output = Path(output)
    reset_peak_memory(backbone.device)
    run = TrainingRun(
        backbone=backbone_name,
        dtype=str(backbone.dtype).removeprefix("torch."),
        data=list(data),
        dev=list(dev_data),
        settings=nli_settings_to_dict(settings),
        versions=package_versions(),
    )
    claim_output(output, run, checkpoints=output / CHECKPOINTS)
    read = read_inference_data(
        backbone,
        {"train": train, "dev": dev},
        settings.features,
        choice=settings.feature_source,
        dtype=settings.feature_dtype,
        folder=Path(settings.feature_folder or output / "features"),
        progress=progress,
    )
    source, held_out = read.features["train"], read.features["dev"]
    leaked = count_leaks(*([pair.texts for pair in read.pairs[part]] for part in ("train", "dev")))
    head = first_nli_head(source.size, settings)
    trained = fit_nli_head(
        head,
        source,
        held_out,
        settings,
        checkpoints=output / CHECKPOINTS,
        device=backbone.device,
        bar=progress,
    )
    counts = torch.bincount(source.labels, minlength=len(NLI_LABELS)).tolist()
    pairs_read = trained.steps_here * settings.batch_size
    report = NLIReport(
        train_pairs=len(source),
        dev_pairs=len(held_out),
        rejected=read.rejected,
        dev_in_train=leaked,
        class_counts={str(label): n for label, n in zip(NLI_LABELS, counts, strict=True)},
        evaluations=trained.evaluations,
        best=trained.best(settings.criterion, higher_is_better=settings.criterion.higher_is_better),
        train_losses=trained.train_losses,
        steps=trained.steps,
        seconds=time.monotonic() - started,
        pairs_per_second=pairs_read / trained.seconds,
        peak_bytes=peak_memory(backbone.device),
        features=read.origin,
    )
    heads = TaskHeads(
        config=TaskHeadsConfig(
            features=settings.features,
            hidden_size=backbone.hidden_size,
            embedding_size=backbone.embedding_size,
            backbone=backbone_name,
            abstain_by=Uncertainty.MAX_PROBABILITY,
            threshold=_NEVER,
        ),
        nli=head,
    )
    save_task_heads(heads, output, model_card=nli_card(report, run, settings, head))
    draw_curves(report, output / CURVES_FILE, criterion=settings.criterion, panel=_PANEL)
    return report


def nli_card(report: NLIReport, run: TrainingRun, settings: NLITraining, head: NLIHead) -> str:
    """Data, figures, cost and use of a trained NLI head, as Markdown."""
    return model_card(
        "nli",
        report=report,
        run=run,
        settings=settings,
        numbers=sum(parameter.numel() for parameter in head.parameters()),
        curves_file=CURVES_FILE,
        run_file=RUN_FILE,
    )


def first_nli_head(size: int, settings: NLITraining) -> NLIHead:
    """A head for features of some width, drawn from the seed."""
    torch.manual_seed(settings.seed)
    return NLIHead(input_size=size, hidden_size=settings.hidden_size, dropout=settings.dropout)


def fit_nli_head(
    head: NLIHead,
    train: LabelledVectors,
    dev: LabelledVectors,
    settings: NLITraining,
    *,
    checkpoints: Path,
    device: torch.device,
    bar: bool = False,
) -> Trained:
    """Train a head as the settings say; the weights of its best epoch stay."""
    weights = None
    if settings.class_weights == BALANCED:
        weights = balanced_weights(train.labels, classes=len(NLI_LABELS))
    loss = ClassifierLoss(head, class_weights=weights, label_smoothing=settings.label_smoothing)
    return fit_classifier(
        loss,
        train,
        dev,
        settings,
        checkpoints=checkpoints,
        device=device,
        measures=classification_measures,
        criterion=settings.criterion,
        higher_is_better=settings.criterion.higher_is_better,
        bar=bar,
    )
