"""Turn the outputs of a trained error head into probabilities that dev agrees with."""

import logging
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from headwise.backbones.encodings import length_batches
from headwise.features import FeatureSource
from headwise.metrics import expected_calibration_error, roc_auc
from headwise.metrics.platt_scaling import MINIMUM_OF_CLASS, platt_line
from headwise.training.errors.loss import ErrorLoss, known_tokens, wrong_tokens

logger = logging.getLogger(__name__)

_BATCH_TOKENS = 16384
# Columns of the head's output
_TOKENS, _GAPS = 0, 1
_NAMES = ("wrong tokens", "gaps")


@dataclass(frozen=True, slots=True)
class OutputQuality:
    """What dev says of one of the head's outputs.

    Attributes:
        positions: How many it was measured on: tokens without those that close a text, or gaps of
            texts whose gaps are known, that at the end included.
        positive: How many of them are wrong, or have something missing before them.
        auroc: Probability that a wrong one has a higher output than a right one; ``None`` if
            there is only one kind.
        ece_before: Expected calibration error of the probabilities as they were learned.
        ece_after: The same with slope and intercept.
        slope: Factor on the logits that was found, 1 if none was.
        intercept: What is added then.
    """

    positions: int
    positive: int
    auroc: float | None
    ece_before: float | None
    ece_after: float | None
    slope: float = 1.0
    intercept: float = 0.0


class LabelledLogits(NamedTuple):
    """One output ``(n,)``, float32, and which positions are positive ``(n,)``, bool; on the CPU."""

    logits: Tensor
    labels: Tensor


@torch.no_grad()
def outputs_on(
    loss: ErrorLoss, dev: FeatureSource, *, device: torch.device
) -> tuple[LabelledLogits, LabelledLogits | None]:
    """Both outputs with their labels: of all tokens but those that close a text, and of gaps.

    Tokens are those of which it is known whether they are wrong.
    Gaps are those of which it is known whether something is missing; ``None`` if of none it is.
    """
    loss.eval()
    # What there is if no batch knows its gaps
    nothing = LabelledLogits(torch.empty(0), torch.empty(0, dtype=torch.bool))
    found: tuple[list[LabelledLogits], list[LabelledLogits]] = ([], [nothing])
    for indices in length_batches(dev.lengths, max_tokens=_BATCH_TOKENS):
        batch = dev.batch(indices).to(device)
        logits, tokens = loss.logits(batch), ~batch.closing & known_tokens(batch)
        labels = wrong_tokens(batch)[tokens].cpu()
        found[_TOKENS].append(LabelledLogits(logits[tokens, _TOKENS].cpu(), labels))
        if batch.missing is not None and (known := batch.missing_known) is not None:
            labels = batch.missing[known].cpu()
            found[_GAPS].append(LabelledLogits(logits[known, _GAPS].cpu(), labels))
    tokens_found, gaps_found = (
        LabelledLogits(*(torch.cat(columns) for columns in zip(*parts, strict=True)))
        for parts in found
    )
    return tokens_found, gaps_found if len(gaps_found.labels) else None


def measure_outputs(
    loss: ErrorLoss, source: FeatureSource, *, device: torch.device
) -> tuple[OutputQuality, OutputQuality | None]:
    """How good the probabilities of tokens and of gaps are; ``None`` for gaps without labels."""
    tokens, gaps = outputs_on(loss, source, device=device)
    return _measured(tokens), None if gaps is None else _measured(gaps)


def fold_calibration(
    loss: ErrorLoss, dev: FeatureSource, *, device: torch.device, with_gaps: bool = True
) -> tuple[OutputQuality, OutputQuality | None]:
    """Fit a slope and an intercept to each output on dev and put them into the last layer.

    An output that tells nothing apart, or that has fewer than 10 positions of a kind, stays as it
    is; a message says so. The figures of tokens and of gaps are those of the data that were
    fitted to; ``None`` for gaps whose labels do not count or that have none.

    References:
        Platt 1999, Probabilistic Outputs for Support Vector Machines, section 2.2.
    """
    tokens, gaps = outputs_on(loss, dev, device=device)
    found = _fold(loss, _TOKENS, tokens)
    return found, _fold(loss, _GAPS, gaps) if with_gaps and gaps is not None else None


def fold_gap_calibration(
    loss: ErrorLoss, dev: FeatureSource, *, device: torch.device
) -> OutputQuality | None:
    """The same for gaps alone: after training that changed what their output reads."""
    gaps = outputs_on(loss, dev, device=device)[_GAPS]
    return None if gaps is None else _fold(loss, _GAPS, gaps)


def _fold(loss: ErrorLoss, column: int, found: LabelledLogits) -> OutputQuality:
    quality = _fitted(found, _NAMES[column])
    output = loss.head.output
    with torch.no_grad():
        output.weight[column].mul_(quality.slope)
        output.bias[column].mul_(quality.slope).add_(quality.intercept)
    return quality


def _fitted(found: LabelledLogits, name: str) -> OutputQuality:
    quality = _measured(found)
    if min(quality.positive, quality.positions - quality.positive) < MINIMUM_OF_CLASS:
        logger.warning(
            "Probabilities of %s stay as they were learned: of %d dev positions, %d are positive; "
            "a calibration needs %d of each kind.",
            name,
            quality.positions,
            quality.positive,
            MINIMUM_OF_CLASS,
        )
        return quality
    logits = found.logits.double()
    slope, intercept = platt_line(logits.numpy(), found.labels.numpy())
    # A line that falls would turn the order of tokens round
    if slope <= 0.0:
        return quality
    after = _calibration_error(slope * logits + intercept, found.labels)
    return replace(quality, ece_after=after, slope=slope, intercept=intercept)


def _measured(found: LabelledLogits) -> OutputQuality:
    error = _calibration_error(found.logits.double(), found.labels)
    auroc = roc_auc(found.logits.numpy(), found.labels.numpy()).value
    return OutputQuality(len(found.labels), int(found.labels.sum()), auroc, error, error)


def _calibration_error(logits: Tensor, labels: Tensor) -> float | None:
    return expected_calibration_error(torch.sigmoid(logits).numpy(), labels.numpy()).value
