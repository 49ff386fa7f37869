"""Transformers' Trainer over a classifier of vectors; the frozen encoder is no part of it."""

from collections.abc import Callable, Iterator
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from headwise.metrics import accuracy, macro_f1

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
