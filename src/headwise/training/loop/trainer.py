"""Transformers' Trainer over a head alone: the frozen backbone is no part of its model."""

import math
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
import torch.distributed
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader
from transformers import EarlyStoppingCallback, PrinterCallback, Trainer, TrainingArguments

from headwise.errors import TrainingError
from headwise.features import FeatureBatch, FeatureSource
from headwise.functional.length_batches import length_batches
from headwise.metrics import roc_auc
from headwise.training.loop.batches import (
    IndexBatches,
    LengthBatchSampler,
    Numbers,
    ShuffledBatches,
    as_batch,
)
from headwise.training.loop.run import LoopSettings, Trained, loop_arguments, run_loop
from headwise.training.loop.settings import Criterion
from headwise.training.loop.vectors import (
    ClassifierLoss,
    LabelledVectors,
    Measures,
    classify,
)

# The epoch whose negatives dev has at every evaluation; training counts from 0
_DEV_EPOCH = -1


@runtime_checkable
class TokenLoss(Protocol):
    """A head and what it learns, as :class:`HeadTrainer` needs them; a module."""

    def __call__(self, batch: FeatureBatch, epoch: int) -> tuple[Tensor, Tensor]:
        """Sum of weighted losses and sum of weights, two scalars."""
        ...

    def eval(self) -> object:
        """Leave out what is for training alone, until Trainer's next step."""
        ...

    def token_scores(self, batch: FeatureBatch) -> dict[str, Tensor]:
        """Scores of ``right`` tokens and of wrong ones by what they are, each ``(n,)``."""
        ...


class TokenLossSettings(Protocol):
    """What the settings of such a run say."""

    @property
    def batch_tokens(self) -> int:
        """Bound on the padded tokens of a batch, over all processes."""
        ...

    @property
    def patience(self) -> int:
        """Evaluations without an improvement before training stops."""
        ...

    @property
    def criterion(self) -> Criterion:
        """What counts as one."""
        ...

    @property
    def seed(self) -> int:
        """Of the batches."""
        ...


class HeadTrainer(Trainer):
    """Batches by length, losses that several processes share, and evaluation on dev.

    Attributes:
        targets_read: Target positions of all batches so far, over all processes.

    Args:
        model: What is trained, a :class:`TokenLoss`.
        train: Features to learn from.
        dev: Features to evaluate on.
        settings: Of the run.
        arguments: Transformers' own.
        optimizer: Instead of Transformers' choice.
    """

    def __init__(
        self,
        model: nn.Module,
        train: FeatureSource,
        dev: FeatureSource,
        settings: TokenLossSettings,
        arguments: TrainingArguments,
        optimizer: torch.optim.Optimizer | None = None,
    ) -> None:
        super().__init__(
            model=model,
            args=arguments,
            train_dataset=Numbers(len(train.lengths)),
            eval_dataset=Numbers(len(dev.lengths)),
            data_collator=as_batch,
            optimizers=(optimizer, None),
            callbacks=[EarlyStoppingCallback(early_stopping_patience=settings.patience)],
        )
        self.remove_callback(PrinterCallback)
        # The loss is a mean already, whatever the number of items
        self.model_accepts_loss_kwargs = False
        self._train, self._dev = train, dev
        self.targets_read = 0
        self._criterion = settings.criterion
        self._dev_batches = length_batches(dev.lengths, max_tokens=settings.batch_tokens)
        self._sampler = LengthBatchSampler(
            train.lengths, max_tokens=settings.batch_tokens, seed=settings.seed
        )

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Batches of similar length, composed anew every epoch; the same in every process."""
        return IndexBatches(
            Numbers(len(self._train.counts)), batch_sampler=self._sampler, collate_fn=as_batch
        )

    def _get_grad_norm(self, *_: Any, **__: Any) -> None:
        """None: it would be for the log alone, and cost a pass over the head."""

    def compute_loss(self, model: nn.Module, inputs: dict[str, Any], *_: Any, **__: Any) -> Tensor:
        """Mean loss of one batch; this process computes its share of the examples."""
        mine = inputs["indices"][self.args.process_index :: self.args.world_size]
        if mine:
            self.targets_read += sum(self._train.counts[i] for i in inputs["indices"])
            features = self._train.batch(mine).to(self.args.device)
            total, weight = model(features, self._sampler.epoch)
        else:  # the batch has fewer examples than there are processes
            nothing = self._train.batch(inputs["indices"][:1]).to(self.args.device)
            total, weight = (0.0 * part for part in model(nothing, self._sampler.epoch))
        weight = weight.detach()
        if self.args.world_size > 1:
            torch.distributed.all_reduce(weight)
        # Gradients are averaged over the processes; the sum over all of them is wanted
        loss: Tensor = total * self.args.world_size / weight
        if not math.isfinite(value := float(loss.detach())):
            raise TrainingError(
                f"The loss became {value} at step {self.state.global_step} of epoch "
                f"{self._sampler.epoch + 1}; lower the learning rate. {self._kept()}"
            )
        return loss

    def evaluate(self, *_: Any, metric_key_prefix: str = "eval", **__: Any) -> dict[str, float]:
        """Mean loss over all dev positions and how well scores tell wrong tokens from right."""
        model = self._unwrapped()
        model.eval()
        total = weight = 0.0
        scores: dict[str, list[Tensor]] = {}
        for indices in self._dev_batches:
            features = self._dev.batch(indices).to(self.args.device)
            with torch.no_grad():
                parts = model(features, _DEV_EPOCH)
            total, weight = total + float(parts[0]), weight + float(parts[1])
            for name, values in model.token_scores(features).items():
                scores.setdefault(name, []).append(values.cpu())
        if not math.isfinite(total / weight):
            raise TrainingError(
                f"The dev loss became {total / weight} at step {self.state.global_step}; lower "
                f"the learning rate. {self._kept()}"
            )
        metrics = {"loss": total / weight} | _separation(scores)
        if self._criterion not in metrics:
            raise TrainingError(
                "The dev data have no wrong token that scores could be told from; decide by the "
                "loss instead."
            )
        named = {f"{metric_key_prefix}_{name}": value for name, value in metrics.items()}
        self.log(named)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, named)
        return named

    def _unwrapped(self) -> TokenLoss:
        model = self.model
        if isinstance(model, DistributedDataParallel):
            model = model.module
        assert isinstance(model, TokenLoss)
        return model

    def _kept(self) -> str:
        best = self.state.best_model_checkpoint
        return (
            f"The best checkpoint so far is {best}."
            if best
            else "It happened before the first checkpoint, so that none is kept."
        )


def _separation(scores: dict[str, list[Tensor]]) -> dict[str, float]:
    """ROC AUC of right against wrong tokens: of each kind of wrong ones, and their mean."""
    joined = {name: torch.cat(values).float().numpy() for name, values in scores.items()}
    right = joined.pop("right")
    found = {
        name: roc_auc(
            np.concatenate((right, wrong)), np.repeat([True, False], [len(right), len(wrong)])
        ).value
        for name, wrong in joined.items()
    }
    known = {f"auroc_{name}": value for name, value in found.items() if value is not None}
    return known | ({"auroc": sum(known.values()) / len(known)} if known else {})


class ClassifierSettings(LoopSettings, Protocol):
    """What the settings of such a run say."""

    @property
    def learning_rate(self) -> float:
        """Peak of the schedule."""
        ...

    @property
    def batch_size(self) -> int:
        """Examples in a step."""
        ...

    @property
    def weight_decay(self) -> float:
        """AdamW's, of matrices."""
        ...

    @property
    def patience(self) -> int:
        """Epochs without an improvement before training stops."""
        ...


class ClassifierTrainer(Trainer):
    """Batches of vectors by number, and evaluation on dev.

    Args:
        model: What is trained.
        train: Vectors to learn from.
        dev: Vectors to evaluate on.
        settings: Of the run.
        arguments: Transformers' own.
        measures: What is measured on dev beside the loss, from logits and labels.
    """

    def __init__(
        self,
        model: ClassifierLoss,
        train: LabelledVectors,
        dev: LabelledVectors,
        settings: ClassifierSettings,
        arguments: TrainingArguments,
        measures: Measures,
    ) -> None:
        super().__init__(
            model=model,
            args=arguments,
            train_dataset=Numbers(len(train)),
            eval_dataset=Numbers(len(dev)),
            data_collator=as_batch,
            callbacks=[EarlyStoppingCallback(early_stopping_patience=settings.patience)],
        )
        self.remove_callback(PrinterCallback)
        # The loss is a mean already, whatever the number of items
        self.model_accepts_loss_kwargs = False
        self._loss, self._train, self._dev, self._measures = model, train, dev, measures
        self._sampler = ShuffledBatches(
            len(train), batch_size=settings.batch_size, seed=settings.seed
        )

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Batches in a new order every epoch."""
        return IndexBatches(
            Numbers(len(self._train)), batch_sampler=self._sampler, collate_fn=as_batch
        )

    def _get_grad_norm(self, *_: Any, **__: Any) -> None:
        """None: it would be for the log alone, and cost a pass over the head."""

    def compute_loss(self, model: nn.Module, inputs: dict[str, Any], *_: Any, **__: Any) -> Tensor:
        """Mean loss of one batch."""
        indices = torch.tensor(inputs["indices"])
        device = self.args.device
        vectors, labels = self._train.batch(indices), self._train.labels[indices]
        loss: Tensor = model(vectors.to(device), labels.to(device))
        return loss

    def evaluate(self, *_: Any, metric_key_prefix: str = "eval", **__: Any) -> dict[str, float]:
        """Loss and measures on dev."""
        logits = classify(self._loss.classifier, self._dev, device=self.args.device)
        with torch.no_grad():
            loss = float(self._loss.loss(logits.to(self.args.device), self._labels()))
        if not math.isfinite(loss):
            raise TrainingError(
                f"The dev loss became {loss} at step {self.state.global_step}; lower the learning "
                "rate."
            )
        metrics = {"loss": loss} | self._measures(logits, self._dev.labels)
        named = {f"{metric_key_prefix}_{name}": value for name, value in metrics.items()}
        self.log(named)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, named)
        return named

    def _labels(self) -> Tensor:
        return self._dev.labels.to(self.args.device)


def fit_classifier(
    model: ClassifierLoss,
    train: LabelledVectors,
    dev: LabelledVectors,
    settings: ClassifierSettings,
    *,
    checkpoints: Path,
    device: torch.device,
    measures: Measures,
    criterion: str = "loss",
    higher_is_better: bool = False,
    bar: bool = False,
) -> Trained:
    """Train a classifier until dev does not improve; the weights of the best epoch stay.

    Args:
        model: What is trained; it is left on the CPU, in ``eval`` mode.
        train: Vectors to learn from.
        dev: Vectors that decide when to stop and which weights to keep.
        settings: Of the run.
        checkpoints: Folder of checkpoints; training continues from the newest one.
        device: Where to train.
        measures: What is measured on dev beside the loss, from logits and labels.
        criterion: ``loss`` or the name of a measure.
        higher_is_better: Whether larger values of it are better.
        bar: Whether to show a bar on standard error.

    Raises:
        TrainingError: If the loss stops being a number, or several processes are to train.
        OutputError: If the disk is full.
    """
    arguments = loop_arguments(
        checkpoints,
        device,
        settings,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        eval_strategy="epoch",
        save_strategy="epoch",
        metric_for_best_model=f"eval_{criterion}",
        greater_is_better=higher_is_better,
        logging_steps=50,
        logging_first_step=True,
    )
    if arguments.world_size > 1:
        raise TrainingError(
            f"A classifier of cached vectors is trained in one process, got "
            f"{arguments.world_size}; start it without torchrun."
        )
    trainer = ClassifierTrainer(model, train, dev, settings, arguments, measures)
    trained = run_loop(trainer, checkpoints, bar=bar)
    model.cpu().eval()
    return trained
