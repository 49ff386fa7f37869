"""Fit an abstention head to examples of an NLI head's errors."""

from pathlib import Path

import torch
from torch import Tensor, nn

from headwise.heads import AbstentionHead, NLIHead
from headwise.training.abstention.measures import error_measures
from headwise.training.abstention.settings import AbstentionTraining
from headwise.training.loop.fit import Trained
from headwise.training.loop.settings import BALANCED
from headwise.training.loop.vectors import (
    ClassifierLoss,
    LabelledInputs,
    balanced_weights,
    fit_classifier,
)

# What abstention is for; the loss rises while the order of the pairs still gets better
_CRITERION = "aurc"


def fit_abstention_head(
    nli: NLIHead,
    train: LabelledInputs[Tensor],
    dev: LabelledInputs[Tensor],
    settings: AbstentionTraining,
    *,
    checkpoints: Path,
    device: torch.device,
    bar: bool = False,
) -> tuple[AbstentionHead, Trained]:
    """Train a head until dev does not improve; the weights of the best epoch stay.

    Both parts are outputs of the NLI head, hidden layer and logits side by side, with class 1 for
    an error.
    """
    torch.manual_seed(settings.seed)
    head = AbstentionHead(
        hidden_size=nli.hidden_size, inner_size=settings.inner_size, dropout=settings.dropout
    )
    head.start_from_logits()
    weights = None
    if settings.class_weights == BALANCED:
        weights = balanced_weights(train.labels, classes=2)
    classifier = _AbstentionClassifier(head, hidden_dropout=settings.hidden_dropout)
    trained = fit_classifier(
        ClassifierLoss(classifier, class_weights=weights),
        train,
        dev,
        settings,
        checkpoints=checkpoints,
        device=device,
        criterion=_CRITERION,
        measures=error_measures,
        bar=bar,
    )
    return head, trained


class _AbstentionClassifier(nn.Module):
    """An abstention head that reads hidden layer and logits side by side.

    The hidden layer is read with dropout in training: pairs can be told apart by it, and learned by
    heart.
    """

    def __init__(self, head: AbstentionHead, *, hidden_dropout: float) -> None:
        super().__init__()
        self.head, self._hidden_dropout = head, nn.Dropout(hidden_dropout)

    def forward(self, outputs: Tensor) -> Tensor:
        size = self.head.hidden_size
        logits: Tensor = self.head(self._hidden_dropout(outputs[:, :size]), outputs[:, size:])
        return logits
