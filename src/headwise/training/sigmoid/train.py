"""Train a Sigmoid Head on a frozen language model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.distributed import is_torchelastic_launched
from transformers import TrainingArguments

from headwise.backbones import Backbone, PromptTemplate
from headwise.data.readers.nested_rows import as_pairs
from headwise.data.records.pairs import Pair, Pairlike
from headwise.errors import TrainingError
from headwise.features import FeatureSource
from headwise.features.examples import none_read
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
from headwise.training.loop.curves import MeasurePlot
from headwise.training.loop.fit import Trained, fit, loop_arguments
from headwise.training.loop.processes import Processes
from headwise.training.loop.run import (
    CHECKPOINTS,
    Cost,
    HeadTraining,
    count_leaks,
    text_key,
)
from headwise.training.loop.run_file import TrainingRun
from headwise.training.loop.settings import Criterion
from headwise.training.loop.tokens import token_task
from headwise.training.sigmoid.features import choose_features
from headwise.training.sigmoid.loss import HeadLoss
from headwise.training.sigmoid.report import TrainingReport
from headwise.training.sigmoid.row_adam import RowAdam, updates_touched_rows
from headwise.training.sigmoid.selectors import format_selector
from headwise.training.sigmoid.settings import RowUpdates, SigmoidTraining, default_settings

# Features of train and dev with where they come from; training with whether rows were left alone
_Sources = tuple[dict[str, FeatureSource], str]
_Fitted = tuple[Trained, bool]

# Enough for dev's unlikely tokens and for most objectives, so that these can share a cache
_USUAL_CANDIDATES = 256


def train_sigmoid_head(
    backbone: Backbone,
    train: Sequence[Pairlike],
    dev: Sequence[Pairlike],
    output: str | Path,
    *,
    prompt: PromptTemplate,
    backbone_name: str,
    settings: SigmoidTraining | None = None,
    data: Sequence[str] = (),
    dev_data: Sequence[str] = (),
    progress: bool = False,
    keep_checkpoints: bool = False,
    overwrite: bool = False,
) -> TrainingReport:
    """Train a Sigmoid Head and write it, with its card, to a folder.

    Checkpoints go to ``<output>/checkpoints``; the same call continues from the newest
    whole one. They go when all is done. Under
    ``torchrun``, several processes share every batch; only the first writes.

    Args:
        backbone: The frozen language model.
        train: Pairs of a source and a correct hypothesis, or hypotheses with human error marks;
            also as tuples, rows and conversations
            (:func:`~headwise.data.readers.nested_rows.as_pair`).
        dev: Pairs that decide when to stop and which head to keep.
        output: Folder of the head.
        prompt: How a pair is laid out; saved with the head.
        backbone_name: Name to record, so that the head finds its backbone again.
        settings: Everything else; by default what suits the model's width
            (:func:`~headwise.training.default_settings`).
        data: Names of the training files, for the run file.
        dev_data: Names of the dev files, likewise.
        progress: Whether to show progress bars on standard error.
        keep_checkpoints: Whether checkpoints stay when all is done.
        overwrite: Whether to begin anew, whatever the folder holds.

    Returns:
        What was done.

    Raises:
        TrainingError: If no pair can be read, the loss stops being a number, or the folder holds
            a run with other settings.
        MismatchError: If cached features or the head to start from belong to something else, or an
            error head in the folder reads another prompt.
        FinishedError: If the folder holds this run, finished.
        OutputError: If another process is training into the folder, or the disk is full.

    References:
        Dinh & Niehues 2026, arXiv 2601.00680, section 3.
    """
    output = Path(output)
    settings = settings or default_settings(backbone.hidden_size)
    torch.manual_seed(settings.seed)
    data_of = {"train": as_pairs(train), "dev": as_pairs(dev)}
    for name, pairs in (("training", train), ("dev", dev)):
        if not pairs:
            raise TrainingError(f"There are no {name} pairs.")
    check_same_prompt(output, prompt.model_dump(), of_error_head=False)
    head = first_head(backbone, settings)
    rate = settings.learning_rate or default_settings(backbone.hidden_size).learning_rate
    assert rate is not None
    # They also set up the communication of several processes
    arguments = _arguments(output / CHECKPOINTS, backbone.device, settings, rate)
    return _SigmoidHeadTraining(
        output=output,
        record=TrainingRun.of(
            backbone_name, prompt, settings.to_dict(), data=data, dev=dev_data, dtype=backbone.dtype
        ),
        progress=progress,
        keep_checkpoints=keep_checkpoints,
        overwrite=overwrite,
        processes=Processes.of(arguments),
        backbone=backbone,
        head=head,
        prompt=prompt,
        settings=settings,
        data=data_of,
        leaked=count_leaks(*(map(text_key, pairs) for pairs in data_of.values())),
        arguments=arguments,
    ).run()


@dataclass(frozen=True, kw_only=True)
class _SigmoidHeadTraining(HeadTraining[_Sources, _Fitted, TrainingReport]):
    kind = "sigmoid"
    plot = MeasurePlot(
        {
            "auroc_crude": "wrong tokens by frequency",
            "auroc_plausible": "wrong tokens that the model finds possible",
            "auroc_marked": "tokens marked as wrong",
        },
        axis="AUROC",
        title="Right dev tokens against wrong ones",
    )

    backbone: Backbone
    head: QualityHead
    prompt: PromptTemplate
    settings: SigmoidTraining
    data: Mapping[str, Sequence[Pair]]
    arguments: TrainingArguments

    @property
    def content(self) -> Mapping[str, Sequence[object] | nn.Module]:
        return {**self.data, "start": self.head}

    def read_features(self) -> _Sources:
        vocabulary_size = self.backbone.vocabulary_size
        sources, origin = choose_features(
            self.backbone,
            self.data,
            self.prompt,
            self.settings,
            folder=self.feature_folder,
            candidates=max(
                self.settings.objective.top_tokens(vocabulary_size),
                min(_USUAL_CANDIDATES, vocabulary_size),
            ),
            processes=self.processes,
            progress=self.progress,
        )
        for name, source in sources.items():
            if not source.counts:
                longest = self.settings.max_length
                said = none_read(self.backbone, self.data[name], self.prompt, longest)
                raise TrainingError(f"The {name} data {said}")
        return sources, origin

    def fit(self, sources: _Sources) -> _Fitted:
        train, settings = sources[0]["train"], self.settings
        loss = HeadLoss(
            self.head,
            settings.objective,
            train.target_counts(self.backbone.vocabulary_size).to(self.device),
            self.backbone.unembedding,
            seed=settings.seed,
        )
        touched = updates_touched_rows(self.head, train, settings, processes=self.processes.count)
        task = token_task(
            loss,
            train,
            sources[0]["dev"],
            batch_tokens=settings.batch_tokens,
            criterion=settings.criterion,
            seed=settings.seed,
            device=self.arguments.device,
            processes=self.processes,
            optimizer=(
                RowAdam(loss.parameters(), lr=self.arguments.learning_rate) if touched else None
            ),
        )
        bar = self.progress and self.processes.first
        return fit(task, self.arguments, patience=settings.patience, bar=bar), touched

    def report(self, sources: _Sources, fitted: _Fitted, cost: Cost) -> TrainingReport:
        (features, origin), (trained, touched) = sources, fitted
        counts = {name: len(source.counts) for name, source in features.items()}
        return TrainingReport(
            train_pairs=counts["train"],
            dev_pairs=counts["dev"],
            rejected=sum(map(len, self.data.values())) - sum(counts.values()),
            targets=sum(features["train"].counts),
            **self.figures(trained, cost),
            tokens_per_second=trained.read_per_second,
            features=origin,
            learning_rate=self.arguments.learning_rate,
            row_updates=RowUpdates.TOUCHED if touched else RowUpdates.ALL,
        )

    def save(self, fitted: _Fitted, report: TrainingReport) -> None:  # noqa: ARG002
        measures = report.evaluations[report.best].metrics
        save_head(
            self.head,
            self.output,
            prompt=self.prompt.model_dump(),
            backbone=self.record.backbone,
            model_card=self.card(
                report,
                self.head,
                avoided=format_selector(self.settings.objective.avoid),
                measures=[n for n in measures if n == "loss" or n.startswith("auroc")],
            ),
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
        rank=settings.rank,
    )
    if start == "lm_head" and isinstance(head, SigmoidHead):
        head.initialise_from(backbone.unembedding.weight)
    return head.to(backbone.device)


def _arguments(
    checkpoints: Path, device: torch.device, settings: SigmoidTraining, rate: float
) -> TrainingArguments:
    by_steps = settings.evaluate_every is not None
    return loop_arguments(
        checkpoints,
        device,
        settings,
        criterion=settings.criterion,
        higher_is_better=settings.criterion is Criterion.AUROC,
        learning_rate=rate,
        weight_decay=0.0,
        gradient_accumulation_steps=settings.accumulation,
        bf16=settings.precision == "bf16",
        fp16=settings.precision == "fp16",
        # Named for a single process, it would be looked for in vain
        ddp_backend="gloo" if device.type == "cpu" and is_torchelastic_launched() else None,
        ddp_find_unused_parameters=False,
        eval_strategy="steps" if by_steps else "epoch",
        save_strategy="steps" if by_steps else "epoch",
        eval_steps=settings.evaluate_every,
        # Not read where epochs decide, but Transformers takes no None
        save_steps=settings.evaluate_every or 500,
        logging_steps=min(20, settings.evaluate_every or 20),
    )
