"""Fit an abstention head to examples of an NLI head's errors."""

from pathlib import Path

import torch
from torch import Tensor, nn

from headwise.heads import AbstentionHead, NLIHead, evidence_size
from headwise.training.abstention.labels import split_outputs
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
    second: NLIHead | None,
    train: LabelledInputs[Tensor],
    dev: LabelledInputs[Tensor],
    settings: AbstentionTraining,
    *,
    checkpoints: Path,
    device: torch.device,
    bar: bool = False,
) -> tuple[AbstentionHead, Trained]:
    """Train a head until dev does not improve; the weights of the best epoch stay.

    Both parts are what :func:`~headwise.training.abstention.labels.nli_outputs` gives of the NLI
    heads, with class 1 for an error.
    """
    torch.manual_seed(settings.seed)
    head = AbstentionHead(
        hidden_size=nli.hidden_size if settings.reads_hidden else 0,
        evidence_size=evidence_size(nli, second),
        inner_size=settings.inner_size,
        dropout=settings.dropout,
        corrects_odds=settings.corrects_odds,
    )
    head.start_from_logits()
    weights = None
    if settings.class_weights == BALANCED:
        weights = balanced_weights(train.labels, classes=2)
    classifier = _AbstentionClassifier(
        head, hidden_size=nli.hidden_size, hidden_dropout=settings.hidden_dropout
    )
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
    """An abstention head that reads hidden layer, logits and evidence side by side.

    The hidden layer is read with dropout in training: pairs can be told apart by it, and learned by
    heart.
    """

    def __init__(self, head: AbstentionHead, *, hidden_size: int, hidden_dropout: float) -> None:
        super().__init__()
        self.head, self._hidden_size = head, hidden_size
        self._hidden_dropout = nn.Dropout(hidden_dropout)

    def forward(self, outputs: Tensor) -> Tensor:
        hidden, logits, evidence = split_outputs(outputs, self._hidden_size)
        scores: Tensor = self.head(self._hidden_dropout(hidden), logits, evidence)
        return scores
