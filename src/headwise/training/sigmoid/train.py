"""Train a Sigmoid Head on a frozen language model."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import assert_never

import torch
from torch.distributed import is_torchelastic_launched
from transformers import TrainingArguments

from headwise.backbones import Backbone, PromptTemplate
from headwise.data.records.pairs import Pair
from headwise.errors import TrainingError
from headwise.features import FeatureSource
from headwise.functional.length_batches import length_batches
from headwise.heads import (
    QualityHead,
    SigmoidHead,
    build_head,
    check_fit,
    check_same_prompt,
    head_folder,
    load_head,
    save_head,
)
from headwise.heads.storage.files import CURVES_FILE, RUN_FILE
from headwise.training.loop.card import model_card
from headwise.training.loop.curves import draw_curves
from headwise.training.loop.feature_choice import Processes, choose_features
from headwise.training.loop.run import (
    CHECKPOINTS,
    count_leaks,
    loop_arguments,
    peak_memory,
    reset_peak_memory,
    run_loop,
)
from headwise.training.loop.run_file import TrainingRun, claim_output
from headwise.training.loop.settings import Criterion
from headwise.training.loop.trainer import HeadTrainer
from headwise.training.sigmoid.loss import HeadLoss
from headwise.training.sigmoid.row_adam import RowAdam, touched_rows_pay
from headwise.training.sigmoid.selectors import format_selector
from headwise.training.sigmoid.settings import (
    RowUpdates,
    SigmoidTraining,
    TrainingReport,
    default_settings,
    settings_to_dict,
)


def first_head(backbone: Backbone, settings: SigmoidTraining) -> QualityHead:
    """The head in its first state, on the backbone's device.

    Raises:
        TrainingError: If a head of another type is to be gone on from.
        MismatchError: If that head belongs to another language model.
        UnknownModelError: If there is no such head.
    """
    start = settings.initialise
    if start not in ("lm_head", "random"):
        head = load_head(head_folder(start), unembedding=lambda: backbone.unembedding)
        if head.head_type != settings.head_type:
            raise TrainingError(
                f"The head at {start} is a {head.head_type}, but a {settings.head_type} is to be "
                "trained; give its type."
            )
        check_fit(head, vocabulary_size=backbone.vocabulary_size, hidden_size=backbone.hidden_size)
        return head.requires_grad_(True).to(backbone.device)
    head = build_head(
        settings.head_type,
        vocabulary_size=backbone.vocabulary_size,
        hidden_size=backbone.hidden_size,
        unembedding=lambda: backbone.unembedding,
        context_size=settings.context_size,
    )
    if start == "lm_head" and isinstance(head, SigmoidHead):
        head.initialise_from(backbone.unembedding.weight)
    return head.to(backbone.device)


# Enough for dev's unlikely tokens and for most objectives, so that these can share a cache
_USUAL_CANDIDATES = 256


def train_sigmoid_head(
    backbone: Backbone,
    train: Sequence[Pair],
    dev: Sequence[Pair],
    output: str | Path,
    *,
    prompt: PromptTemplate,
    backbone_name: str,
    settings: SigmoidTraining | None = None,
    data: Sequence[str] = (),
    dev_data: Sequence[str] = (),
    progress: bool = False,
) -> TrainingReport:
    """Train a Sigmoid Head and write it, with its card, to a folder.

    Checkpoints go to ``<output>/checkpoints``; the same call continues from the newest one. Under
    ``torchrun``, several processes share every batch; only the first writes.

    Args:
        backbone: The frozen language model.
        train: Pairs of a source and a correct hypothesis, or hypotheses with human error marks.
        dev: Pairs that decide when to stop and which head to keep.
        output: Folder of the head.
        prompt: How a pair is laid out; saved with the head.
        backbone_name: Name to record, so that the head finds its backbone again.
        settings: Everything else; by default what suits the model's width
            (:func:`~headwise.training.default_settings`).
        data: Names of the training files, for the run file.
        dev_data: Names of the dev files, likewise.
        progress: Whether to show progress bars on standard error.

    Returns:
        What was done.

    Raises:
        TrainingError: If no pair can be read, the loss stops being a number, or the folder holds
            checkpoints of a run with other settings.
        MismatchError: If cached features or the head to start from belong to something else, or an
            error head in the folder reads another prompt.
        OutputError: If the disk is full.

    References:
        Dinh & Niehues 2026, arXiv 2601.00680, section 3.
    """
    started = time.monotonic()
    output = Path(output)
    settings = settings or default_settings(backbone.hidden_size)
    reset_peak_memory(backbone.device)
    torch.manual_seed(settings.seed)
    for name, pairs in (("training", train), ("dev", dev)):
        if not pairs:
            raise TrainingError(f"There are no {name} pairs.")
    check_same_prompt(output, prompt.model_dump(), of_error_head=False)
    head = first_head(backbone, settings)
    rate = settings.learning_rate or default_settings(backbone.hidden_size).learning_rate
    assert rate is not None
    arguments = _arguments(output, backbone, settings, rate)
    processes = Processes.of(arguments)
    run = TrainingRun.of(
        backbone_name,
        prompt,
        settings_to_dict(settings),
        data=data,
        dev=dev_data,
        dtype=str(backbone.dtype).removeprefix("torch."),
    )
    if processes.first:
        claim_output(output, run, checkpoints=output / CHECKPOINTS)
    leaked = count_leaks(map(_text, train), map(_text, dev))

    candidates = max(
        settings.objective.top_tokens(backbone.vocabulary_size),
        min(_USUAL_CANDIDATES, backbone.vocabulary_size),
    )
    sources, description = choose_features(
        backbone,
        {"train": train, "dev": dev},
        prompt,
        settings,
        folder=Path(settings.feature_folder or output / "features"),
        candidates=candidates,
        processes=processes,
        progress=progress,
    )
    for name, source in sources.items():
        if not source.counts:
            raise TrainingError(f"The {name} data hold no pair that the model can read.")

    frequencies = sources["train"].target_counts(backbone.vocabulary_size)
    loss = HeadLoss(
        head,
        settings.objective,
        frequencies.to(backbone.device),
        backbone.unembedding,
        seed=settings.seed,
    )
    touched = _updates_touched_rows(head, sources["train"], settings, processes)
    trainer = HeadTrainer(
        loss,
        sources["train"],
        sources["dev"],
        settings,
        arguments,
        optimizer=RowAdam(loss.parameters(), lr=rate) if touched else None,
    )
    trained = run_loop(trainer, output / CHECKPOINTS, bar=progress and processes.first)
    report = TrainingReport(
        train_pairs=len(sources["train"].counts),
        dev_pairs=len(sources["dev"].counts),
        rejected=len(train) + len(dev) - sum(len(s.counts) for s in sources.values()),
        dev_in_train=leaked,
        targets=sum(sources["train"].counts),
        evaluations=trained.evaluations,
        best=trained.best(
            settings.criterion, higher_is_better=settings.criterion is Criterion.AUROC
        ),
        train_losses=trained.train_losses,
        steps=trained.steps,
        seconds=time.monotonic() - started,
        tokens_per_second=trainer.targets_read / trained.seconds,
        peak_bytes=peak_memory(backbone.device),
        features=description,
        learning_rate=rate,
        row_updates=RowUpdates.TOUCHED if touched else RowUpdates.ALL,
    )
    if processes.first:
        save_head(
            head,
            output,
            prompt=prompt.model_dump(),
            backbone=backbone_name,
            model_card=sigmoid_card(report, run, settings, head),
        )
        draw_curves(report, output / CURVES_FILE, criterion=settings.criterion)
    processes.wait()
    return report


def sigmoid_card(
    report: TrainingReport, run: TrainingRun, settings: SigmoidTraining, head: QualityHead
) -> str:
    """Data, objective, figures, cost and use of a trained Sigmoid Head, as Markdown."""
    names = report.evaluations[report.best].metrics
    return model_card(
        "sigmoid",
        report=report,
        run=run,
        settings=settings,
        head=head,
        numbers=sum(parameter.numel() for parameter in head.parameters()),
        avoided=format_selector(settings.objective.avoid),
        measures=[name for name in names if name == "loss" or name.startswith("auroc")],
        curves_file=CURVES_FILE,
        run_file=RUN_FILE,
    )


def _arguments(
    output: Path, backbone: Backbone, settings: SigmoidTraining, rate: float
) -> TrainingArguments:
    by_steps = settings.evaluate_every is not None
    on_cpu = backbone.device.type == "cpu"
    return loop_arguments(
        output / CHECKPOINTS,
        backbone.device,
        settings,
        learning_rate=rate,
        weight_decay=0.0,
        gradient_accumulation_steps=settings.accumulation,
        bf16=settings.precision == "bf16",
        fp16=settings.precision == "fp16",
        # Named for a single process, it would be looked for in vain
        ddp_backend="gloo" if on_cpu and is_torchelastic_launched() else None,
        ddp_find_unused_parameters=False,
        eval_strategy="steps" if by_steps else "epoch",
        save_strategy="steps" if by_steps else "epoch",
        eval_steps=settings.evaluate_every,
        save_steps=settings.evaluate_every or 500,
        metric_for_best_model=f"eval_{settings.criterion}",
        greater_is_better=settings.criterion is Criterion.AUROC,
        logging_steps=min(20, settings.evaluate_every or 20),
        logging_first_step=True,
    )


def _text(pair: Pair) -> str:
    return repr((pair.given, pair.hypothesis))


def _updates_touched_rows(
    head: QualityHead, train: FeatureSource, settings: SigmoidTraining, processes: Processes
) -> bool:
    """Whether a step updates touched rows only, and tell the head so."""
    negatives = settings.objective.negatives
    if not isinstance(head, SigmoidHead) or negatives is None or processes.count > 1:
        if settings.row_updates is RowUpdates.TOUCHED:
            raise TrainingError(
                "Only touched rows can be updated where negatives are drawn, the head has an "
                "unembedding of its own, and there is one process; leave `row_updates` at 'auto'."
            )
        return False
    match settings.row_updates:
        case RowUpdates.ALL:
            touched = False
        case RowUpdates.TOUCHED:
            touched = True
        case RowUpdates.AUTO:
            batches = len(length_batches(train.lengths, max_tokens=settings.batch_tokens))
            positions = sum(train.counts) * settings.accumulation // batches
            touched = touched_rows_pay(
                len(head.weight), positions * (1 + negatives.per_position), head.weight.device
            )
        case _:
            assert_never(settings.row_updates)
    head.sparse_gradient = touched
    return touched
