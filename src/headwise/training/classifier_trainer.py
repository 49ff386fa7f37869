"""Transformers' Trainer over a classifier of vectors; the frozen encoder is no part of it."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from transformers import EarlyStoppingCallback, PrinterCallback, Trainer, TrainingArguments

from headwise.errors import TrainingError
from headwise.metrics import accuracy, macro_f1
from headwise.training.index_batches import IndexBatches, Numbers, ShuffledBatches, as_batch
from headwise.training.run_loop import LoopSettings, Trained, loop_arguments, run_loop

_EVALUATION_BATCH = 4096

Measures = Callable[[Tensor, Tensor], dict[str, float]]


class LabelledVectors(Protocol):
    """Vectors that a classifier reads, with their classes."""

    @property
    def labels(self) -> Tensor:
        """Class index of each, ``(n,)``, int64; or probabilities, ``(n, C)``, float32."""
        ...

    def __len__(self) -> int:
        """How many."""
        ...

    def batch(self, indices: Tensor) -> Tensor:
        """Vectors by their numbers ``(n,)``, int64: ``(n, F)``, float32, on the CPU."""
        ...


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


class Subset:
    """Some of the vectors of a source.

    Args:
        source: The source.
        chosen: Numbers of those that are meant, ``(n,)``, int64.
    """

    def __init__(self, source: LabelledVectors, chosen: Tensor) -> None:
        self._source, self._chosen = source, chosen
        self.labels = source.labels[chosen]

    def __len__(self) -> int:
        """How many."""
        return len(self._chosen)

    def batch(self, indices: Tensor) -> Tensor:
        """Vectors by their numbers among the chosen ones."""
        return self._source.batch(self._chosen[indices])


class ClassifierLoss(nn.Module):
    """A classifier and its weighted cross-entropy, as the module that is trained.

    Args:
        classifier: Vectors ``(n, F)`` to logits ``(n, C)``.
        class_weights: ``(C,)``, or ``None`` for equal ones.
        label_smoothing: Share of the target that is spread over all classes.
    """

    def __init__(
        self,
        classifier: nn.Module,
        *,
        class_weights: Tensor | None = None,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        self.classifier, self._smoothing = classifier, label_smoothing
        self.register_buffer("class_weights", class_weights, persistent=False)

    def forward(self, vectors: Tensor, labels: Tensor) -> Tensor:
        """Mean loss, weighted by class, a scalar."""
        return self.loss(self.classifier(vectors), labels)

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The same from logits ``(n, C)``."""
        weights = self.class_weights
        assert weights is None or isinstance(weights, Tensor)
        return F.cross_entropy(logits, labels, weights, label_smoothing=self._smoothing)


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


@torch.no_grad()
def classify(classifier: nn.Module, source: LabelledVectors, *, device: torch.device) -> Tensor:
    """Logits of all vectors of a source, ``(n, C)``, float32, on the CPU."""
    training = classifier.training
    classifier.eval()
    rows = [classifier(vectors.to(device)).cpu() for vectors in vector_batches(source)]
    classifier.train(training)
    return torch.cat(rows)


def vector_batches(source: LabelledVectors) -> Iterator[Tensor]:
    """All vectors of a source in order, in large batches."""
    for indices in torch.arange(len(source)).split(_EVALUATION_BATCH):
        yield source.batch(indices)


def balanced_weights(labels: Tensor, *, classes: int) -> Tensor:
    """Weights under which every class that occurs counts the same in all, ``(C,)``.

    Their mean over the items is 1.

    Args:
        labels: Class indices ``(n,)``, or probabilities of the classes ``(n, C)``.
        classes: C.
    """
    counts = (
        labels.sum(dim=0)
        if labels.is_floating_point()
        else torch.bincount(labels, minlength=classes).float()
    )
    weights = torch.where(counts > 0, counts.reciprocal(), 0.0)
    return weights * (len(labels) / (weights * counts).sum())


def classification_measures(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """Accuracy, and the mean F1 of the classes that are gold or predicted somewhere."""
    predicted, gold, classes = logits.argmax(-1).numpy(), labels.numpy(), logits.shape[1]
    found = (
        accuracy(predicted, gold, classes=classes),
        macro_f1(predicted, gold, classes=classes),
    )
    return {metric.name: metric.value for metric in found if metric.value is not None}
