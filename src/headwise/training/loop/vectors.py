"""Fit a classifier of cached vectors; the frozen encoder that they come from is no part of it."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Generic, Protocol, Self, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from headwise.metrics import accuracy, macro_f1
from headwise.training.loop.batches import ShuffledBatches
from headwise.training.loop.fit import LoopSettings, Trained, fit, loop_arguments, refuse_processes
from headwise.training.loop.trainer import TrainingTask

# Items that are classified at once where no gradients are kept
_EVALUATION_BATCH = 1024

Measures = Callable[[Tensor, Tensor], dict[str, float]]


class Inputs(Protocol):
    """What a classifier reads of n items: a tensor ``(n, F)``, or a record of several."""

    def to(self, device: torch.device, /) -> Self:
        """The same on another device."""

    def __len__(self) -> int: ...


Read = TypeVar("Read", bound=Inputs)
_Read_co = TypeVar("_Read_co", bound=Inputs, covariant=True)


class LabelledInputs(Protocol[_Read_co]):
    """What a classifier reads of items, with their classes."""

    @property
    def labels(self) -> Tensor:
        """Class index of each, ``(n,)``, int64; or probabilities, ``(n, C)``, float32."""

    def __len__(self) -> int: ...

    def batch(self, indices: Tensor) -> _Read_co:
        """What is read of items by their numbers ``(n,)``, int64, on the CPU."""


class Subset(Generic[Read]):
    """Some of the items of a source, by their numbers ``(n,)``, int64."""

    def __init__(self, source: LabelledInputs[Read], chosen: Tensor) -> None:
        self._source, self._chosen = source, chosen
        self.labels = source.labels[chosen]

    def __len__(self) -> int:
        return len(self._chosen)

    def batch(self, indices: Tensor) -> Read:
        """What is read of items by their numbers among the chosen ones."""
        return self._source.batch(self._chosen[indices])


class ClassifierLoss(nn.Module):
    """A classifier and its weighted cross-entropy, as the module that is trained.

    The classifier takes what it reads of n items to logits ``(n, C)``. ``class_weights`` are
    ``(C,)``, or ``None`` for equal ones; ``label_smoothing`` is the share of the target spread over
    all classes. With ``consistency`` above 0, training reads every item twice, with other units
    dropped, and adds so many times the Kullback-Leibler divergence of the two readings, the mean of
    both directions.

    References:
        Liang et al. 2021, arXiv 2106.14448, equations 1 to 3 (R-Drop).
    """

    def __init__(
        self,
        classifier: nn.Module,
        *,
        class_weights: Tensor | None = None,
        label_smoothing: float = 0.0,
        consistency: float = 0.0,
    ) -> None:
        super().__init__()
        self.classifier, self._smoothing = classifier, label_smoothing
        self._consistency = consistency
        # Every call works them out from its labels: no part of a checkpoint
        self.register_buffer("class_weights", class_weights, persistent=False)

    def forward(self, inputs: Inputs, labels: Tensor) -> Tensor:
        """Mean loss, weighted by class, a scalar."""
        logits = self.classifier(inputs)
        if not (self.training and self._consistency):
            return self.loss(logits, labels)
        again = self.classifier(inputs)
        cross_entropy = (self.loss(logits, labels) + self.loss(again, labels)) / 2
        return cross_entropy + self._consistency * _divergence(logits, again)

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The same from logits ``(n, C)``."""
        weights = self.class_weights
        assert weights is None or isinstance(weights, Tensor)
        return F.cross_entropy(logits, labels, weights, label_smoothing=self._smoothing)


def _divergence(logits: Tensor, others: Tensor) -> Tensor:
    """Mean Kullback-Leibler divergence of distributions with logits ``(n, C)``, both ways."""
    first, second = logits.log_softmax(dim=-1), others.log_softmax(dim=-1)
    # KL(p, q) + KL(q, p) in one sum
    return ((first.exp() - second.exp()) * (first - second)).sum(dim=-1).mean() / 2


@torch.no_grad()
def classify(
    classifier: nn.Module, source: LabelledInputs[Inputs], *, device: torch.device
) -> Tensor:
    """Logits of all items of a source, ``(n, C)``, float32, on the CPU."""
    training = classifier.training
    classifier.eval()
    rows = [classifier(inputs.to(device)).cpu() for inputs in input_batches(source)]
    classifier.train(training)
    return torch.cat(rows)


def input_batches(source: LabelledInputs[Read]) -> Iterator[Read]:
    """What is read of all items of a source, in order, in large batches."""
    for indices in torch.arange(len(source)).split(_EVALUATION_BATCH):
        yield source.batch(indices)


def balanced_weights(labels: Tensor, *, classes: int) -> Tensor:
    """Weights under which every class that occurs counts the same in all, ``(C,)``.

    Their mean over the items is 1. Labels are class indices ``(n,)``, or probabilities ``(n, C)``.
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


class ClassifierSettings(LoopSettings, Protocol):
    """What the settings of a classifier's run say beside its loop."""

    @property
    def batch_size(self) -> int:
        """Examples in a step."""

    @property
    def weight_decay(self) -> float:
        """AdamW's, of matrices."""

    @property
    def patience(self) -> int:
        """Epochs without an improvement before training stops."""


def fit_classifier(
    model: ClassifierLoss,
    train: LabelledInputs[Inputs],
    dev: LabelledInputs[Inputs],
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

    The model is left on the CPU, in ``eval`` mode. Training continues from the newest checkpoint.
    ``measures`` are what is measured on dev beside the loss, from logits and labels; the criterion
    is ``loss`` or one of them.

    Raises:
        TrainingError: If the loss stops being a number, or several processes are to train.
        OutputError: If the disk is full.
    """
    arguments = loop_arguments(
        checkpoints,
        device,
        settings,
        criterion=criterion,
        higher_is_better=higher_is_better,
        weight_decay=settings.weight_decay,
        # Steps over vectors are short
        logging_steps=50,
    )
    refuse_processes(arguments, "A classifier of cached vectors")

    def batch_loss(module: nn.Module, indices: list[int], _epoch: int) -> Tensor:
        chosen = torch.tensor(indices)
        loss: Tensor = module(train.batch(chosen).to(device), train.labels[chosen].to(device))
        return loss

    @torch.no_grad()
    def measure_dev() -> tuple[float, partial[dict[str, float]]]:
        logits = classify(model.classifier, dev, device=device)
        loss = float(model.loss(logits.to(device), dev.labels.to(device)))
        return loss, partial(measures, logits, dev.labels)

    task = TrainingTask(
        model=model,
        sampler=ShuffledBatches(len(train), batch_size=settings.batch_size, seed=settings.seed),
        sizes=[1] * len(train),
        batch_loss=batch_loss,
        measure_dev=measure_dev,
        criterion=criterion,
        higher_is_better=higher_is_better,
    )
    trained = fit(task, arguments, patience=settings.patience, bar=bar)
    model.cpu().eval()
    return trained
