"""Fit an error head to features, wherever they come from."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from headwise.backbones.encodings import length_batches
from headwise.errors import TrainingError
from headwise.features import FeatureSource
from headwise.heads import ErrorHead
from headwise.training.errors.loss import ClassWeights, ErrorLoss, known_tokens, wrong_tokens
from headwise.training.errors.output_calibration import fold_calibration
from headwise.training.errors.report import ErrorStage
from headwise.training.errors.settings import ErrorTraining
from headwise.training.loop.fit import fit, loop_arguments, refuse_processes
from headwise.training.loop.settings import BALANCED, Criterion
from headwise.training.loop.tokens import sampled_batches, token_task
from headwise.training.loop.vectors import balanced_weights

# Numbers of the sample that inputs are standardised by: 65,536 positions of width 256
_SAMPLE_NUMBERS = 2**24
_MOST_POSITIONS = 2**16
# Tokens that are read at once where nothing is computed
_LABEL_BATCH = 16384


def fit_error_head(
    head: ErrorHead,
    train: FeatureSource,
    dev: FeatureSource,
    settings: ErrorTraining,
    *,
    unembedding: Tensor,
    checkpoints: Path,
    device: torch.device,
    families: Sequence[str | None] | None = None,
    fresh: bool = True,
    gaps: bool = True,
    progress: bool = False,
) -> ErrorStage:
    """Train a head until dev does not improve, and calibrate its outputs on dev.

    Scoring gives the head one closing token a text, so features should have been made with
    ``closing_tokens=1``.

    Args:
        head: It is left on the device, in ``eval`` mode, with the best weights.
        train: Features to learn from.
        dev: Features that decide when to stop and which weights to keep.
        settings: Of the run.
        unembedding: Weight of the language model's output layer, ``(V, H)``.
        checkpoints: Folder of checkpoints; training continues from the newest one.
        device: Where to train.
        families: For each dev pair, by its number among all dev pairs, what kind of error it
            has, ``None`` for none. AUROC is averaged over them; without them, all wrong tokens
            are of one kind.
        fresh: Whether the head has learned nothing yet, so that its inputs are still to be
            standardised.
        gaps: Whether the labels of gaps count.
        progress: Whether to show a bar on standard error.

    Raises:
        TrainingError: If there are no examples, dev has no wrong token or no right one and the
            criterion is the AUROC, the loss stops being a number, or several processes are to
            train.
        OutputError: If the disk is full.
    """
    for name, source in (("training", train), ("dev", dev)):
        if not source.counts:
            raise TrainingError(f"The {name} data hold no text that the model can read.")
    arguments = loop_arguments(
        checkpoints,
        device,
        settings,
        criterion=settings.criterion,
        higher_is_better=settings.criterion is Criterion.AUROC,
        weight_decay=settings.weight_decay,
    )
    refuse_processes(arguments, "An error head")
    head.to(device)
    if fresh:
        _standardise(head, train, unembedding, seed=settings.seed, device=device)
    token_weights = gap_weights = ClassWeights()
    if settings.class_weights == BALANCED:
        token_weights, gap_weights = _balanced(train)
    loss = ErrorLoss(
        head,
        unembedding.to(device),
        missing_weight=settings.missing_weight if gaps else 0.0,
        token_weights=token_weights,
        gap_weights=gap_weights,
        families=families,
    )
    task = token_task(
        loss,
        train,
        dev,
        batch_tokens=settings.batch_tokens,
        criterion=settings.criterion,
        seed=settings.seed,
        device=device,
    )
    trained = fit(task, arguments, patience=settings.patience, bar=progress)
    tokens, found_gaps = fold_calibration(loss, dev, device=device, with_gaps=gaps)
    head.eval()
    return ErrorStage(
        texts=len(train.counts),
        targets=sum(train.counts),
        dev_texts=len(dev.counts),
        **trained.history(),
        seconds=trained.seconds,
        tokens_per_second=trained.read_per_second,
        tokens=tokens,
        gaps=found_gaps,
    )


def _standardise(
    head: ErrorHead, train: FeatureSource, unembedding: Tensor, *, seed: int, device: torch.device
) -> None:
    """Measure the spread of the head's inputs on a sample of texts."""
    wanted = min(_MOST_POSITIONS, max(1, _SAMPLE_NUMBERS // head.hidden_size))
    hidden, targets, statistics = [], [], []
    for batch in sampled_batches(train, positions=wanted, seed=seed):
        hidden.append(batch.hidden.to(device))
        targets.append(batch.targets.to(unembedding.device))
        if head.statistics and batch.statistics is not None:
            statistics.append(batch.statistics.to(device))
    head.standardise(
        torch.cat(hidden),
        unembedding[torch.cat(targets)].to(device),
        torch.cat(statistics) if statistics else None,
    )


def _balanced(train: FeatureSource) -> tuple[ClassWeights, ClassWeights]:
    """Weights of tokens and of gaps under which both kinds count the same in all."""
    wrong, missing = [], []
    for indices in length_batches(train.lengths, max_tokens=_LABEL_BATCH):
        batch = train.batch(indices)
        wrong.append(wrong_tokens(batch)[known_tokens(batch)].cpu())
        if batch.missing is not None and batch.missing_known is not None:
            missing.append(batch.missing[batch.missing_known].cpu())
    found = [
        ClassWeights(*balanced_weights(torch.cat(labels).long(), classes=2).tolist())
        if sum(map(len, labels))
        else ClassWeights()
        for labels in (wrong, missing)
    ]
    return found[0], found[1]
