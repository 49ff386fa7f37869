"""The run of a Sigmoid Head: the steps of a training, filled in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import nn
from torch.distributed import is_torchelastic_launched
from transformers import TrainingArguments

from headwise.backbones import Backbone, PromptTemplate
from headwise.choices import LAST_LAYER
from headwise.data.records.pairs import Pair
from headwise.errors import TrainingError
from headwise.features import FeatureSource
from headwise.features.batch import LayerFeatures
from headwise.features.examples import none_read
from headwise.heads import QualityHead, layers_in_words, save_head
from headwise.training.loop.curves import MeasurePlot
from headwise.training.loop.fit import Trained, fit, loop_arguments
from headwise.training.loop.layers import LayerChoice, choose_layer, depths_to_try, sample
from headwise.training.loop.run import Cost, HeadTraining
from headwise.training.loop.settings import Criterion, FeatureChoice
from headwise.training.loop.tokens import token_task
from headwise.training.sigmoid.features import choose_features
from headwise.training.sigmoid.first_head import first_head, standardise
from headwise.training.sigmoid.loss import HeadLoss
from headwise.training.sigmoid.report import TrainingReport
from headwise.training.sigmoid.row_adam import RowAdam, updates_touched_rows
from headwise.training.sigmoid.selectors import format_selector
from headwise.training.sigmoid.settings import RowUpdates, SigmoidTraining


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sources:
    """What is trained on, where it comes from in words, and the head that it is for."""

    features: dict[str, FeatureSource]
    origin: str
    head: QualityHead
    layer_choice: LayerChoice | None


@dataclass(frozen=True, slots=True)
class _Fitted:
    """A trained head, how it was trained, and whether a step left rows alone."""

    head: QualityHead
    trained: Trained
    touched: bool


# Enough for dev's unlikely tokens and for most objectives, so that these can share a cache
_USUAL_CANDIDATES = 256


@dataclass(frozen=True, kw_only=True)
class SigmoidHeadTraining(HeadTraining[_Sources, _Fitted, TrainingReport]):
    """One run; ``head`` is the one that it begins with."""

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
        """The pairs, and the head that it begins with."""
        return {**self.data, "start": self.head}

    def read_features(self) -> _Sources:
        """Find the layer if that is asked for, and read features of what the head reads."""
        head, choice = self.head, None
        if self.settings.layers == "auto":
            choice = self._best_layer()
            head = first_head(self.backbone, replace(self.settings, layers=(choice.best,)))
        sources, origin = self._read(self.data, self.settings, self.feature_folder, head.layers)
        for name, source in sources.items():
            if not source.counts:
                longest = self.settings.max_length
                said = none_read(self.backbone, self.data[name], self.prompt, longest)
                raise TrainingError(f"The {name} data {said}")
        return _Sources(features=sources, origin=origin, head=head, layer_choice=choice)

    def _read(
        self,
        data: Mapping[str, Sequence[Pair]],
        settings: SigmoidTraining,
        folder: Path,
        layers: Sequence[int],
    ) -> tuple[dict[str, FeatureSource], str]:
        vocabulary_size = self.backbone.vocabulary_size
        return choose_features(
            self.backbone,
            data,
            self.prompt,
            settings,
            folder=folder,
            layers=layers,
            candidates=max(
                settings.objective.top_tokens(vocabulary_size),
                min(_USUAL_CANDIDATES, vocabulary_size),
            ),
            processes=self.processes,
            progress=self.progress,
        )

    def _best_layer(self) -> LayerChoice:
        """Train a head whose g reads each of a few layers on a sample of the data."""
        every = (LAST_LAYER, *depths_to_try(self.backbone)[:-1])
        samples = {name: sample(pairs) for name, pairs in self.data.items()}
        # One pass of the model for all of these heads
        cached = replace(self.settings, features=FeatureChoice.CACHE)
        sources, _ = self._read(samples, cached, self.feature_folder / "layers", every)

        def auroc(layer: int) -> float | None:
            head = first_head(self.backbone, replace(self.settings, layers=(layer,)))
            own = {
                name: LayerFeatures(source, self.backbone, given=every, wanted=head.layers)
                for name, source in sources.items()
            }
            with TemporaryDirectory() as folder:
                arguments = sigmoid_arguments(
                    Path(folder), self.device, self.settings, self.arguments.learning_rate
                )
                trained = self._trained(head, own, arguments).trained
            return trained.evaluations[trained.best].metrics.get("auroc")

        return choose_layer(self.backbone, auroc)

    def fit(self, sources: _Sources) -> _Fitted:
        """Train on all pairs."""
        return self._trained(sources.head, sources.features, self.arguments, bar=self.progress)

    def _trained(
        self,
        head: QualityHead,
        sources: Mapping[str, FeatureSource],
        arguments: TrainingArguments,
        *,
        bar: bool = False,
    ) -> _Fitted:
        train, settings = sources["train"], self.settings
        standardise(head, train, settings)
        loss = HeadLoss(
            head,
            settings.objective,
            train.target_counts(self.backbone.vocabulary_size).to(self.device),
            self.backbone.unembedding,
            seed=settings.seed,
        )
        touched = updates_touched_rows(head, train, settings, processes=self.processes.count)
        task = token_task(
            loss,
            train,
            sources["dev"],
            batch_tokens=settings.batch_tokens,
            criterion=settings.criterion,
            seed=settings.seed,
            device=arguments.device,
            processes=self.processes,
            optimizer=(RowAdam(loss.parameters(), lr=arguments.learning_rate) if touched else None),
        )
        bar = bar and self.processes.first
        return _Fitted(head, fit(task, arguments, patience=settings.patience, bar=bar), touched)

    def report(self, sources: _Sources, fitted: _Fitted, cost: Cost) -> TrainingReport:
        """What was done."""
        trained, features, head = fitted.trained, sources.features, fitted.head
        counts = {name: len(source.counts) for name, source in features.items()}
        return TrainingReport(
            train_pairs=counts["train"],
            dev_pairs=counts["dev"],
            rejected=sum(map(len, self.data.values())) - sum(counts.values()),
            targets=sum(features["train"].counts),
            **self.figures(trained, cost),
            tokens_per_second=trained.read_per_second,
            features=sources.origin,
            learning_rate=self.arguments.learning_rate,
            row_updates=RowUpdates.TOUCHED if fitted.touched else RowUpdates.ALL,
            layers=layers_in_words(head.layers[-1:], getattr(head, "layer_count", None)),
            layer_choice=sources.layer_choice,
        )

    def save(self, fitted: _Fitted, report: TrainingReport) -> None:
        """Write the head with its card."""
        measures = report.evaluations[report.best].metrics
        save_head(
            fitted.head,
            self.output,
            prompt=self.prompt.model_dump(),
            backbone=self.record.backbone,
            model_card=self.card(
                report,
                fitted.head,
                avoided=format_selector(self.settings.objective.avoid),
                measures=[n for n in measures if n == "loss" or n.startswith("auroc")],
            ),
        )


def sigmoid_arguments(
    checkpoints: Path, device: torch.device, settings: SigmoidTraining, rate: float
) -> TrainingArguments:
    """Transformers' arguments for a learning rate; they set up the communication of processes."""
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
