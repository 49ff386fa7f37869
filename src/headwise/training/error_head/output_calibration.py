"""Turn the outputs of a trained error head into probabilities that dev agrees with."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from headwise.features import FeatureSource
from headwise.functional.length_batches import length_batches
from headwise.metrics import expected_calibration_error, roc_auc
from headwise.training.error_head.error_loss import ErrorLoss, wrong_tokens

_BATCH_TOKENS = 16384
_STEPS = 200


@dataclass(frozen=True, slots=True)
class OutputQuality:
    """What dev says of one of the head's outputs.

    Attributes:
        positions: How many it was measured on.
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


@torch.no_grad()
def outputs_on(
    loss: ErrorLoss, dev: FeatureSource, *, device: torch.device
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Logits and labels of all positions of dev, on the CPU.

    Returns:
        Logits ``(N, 2)``, float32; which tokens are wrong ``(N,)``, bool; before which something
        is missing ``(N,)``, bool, or ``None`` if nobody knows.
    """
    loss.eval()
    logits, wrong, missing = [], [], []
    for indices in length_batches(dev.lengths, max_tokens=_BATCH_TOKENS):
        batch = dev.batch(indices).to(device)
        logits.append(loss.logits(batch).cpu())
        wrong.append(wrong_tokens(batch).cpu())
        if batch.missing is not None:
            missing.append(batch.missing.cpu())
    return torch.cat(logits), torch.cat(wrong), torch.cat(missing) if missing else None


def measure_outputs(
    loss: ErrorLoss, source: FeatureSource, *, device: torch.device
) -> OutputQuality:
    """How good the probabilities of tokens are as they stand.

    Args:
        loss: The head.
        source: Features with labels.
        device: Where to compute.
    """
    logits, wrong, _ = outputs_on(loss, source, device=device)
    return _as_it_is(logits[:, 0].double(), wrong)


def fold_calibration(
    loss: ErrorLoss, dev: FeatureSource, *, device: torch.device, with_gaps: bool = True
) -> tuple[OutputQuality, OutputQuality | None]:
    """Fit a slope and an intercept to each output on dev and put them into the last layer.

    An output that tells nothing apart, or that has one kind of label only, stays as it is. The
    figures are those of the data that were fitted to.

    Args:
        loss: The trained head.
        dev: Features with labels.
        device: Where to compute.
        with_gaps: Whether the labels of gaps count.

    Returns:
        What was found for tokens and for gaps; ``None`` for gaps without labels.

    References:
        Platt 1999, Advances in Large Margin Classifiers, pp. 61-74.
    """
    logits, wrong, missing = outputs_on(loss, dev, device=device)
    output = loss.head.output
    found: list[OutputQuality] = []
    for column, labels in enumerate([wrong, missing if with_gaps else None]):
        if labels is None:
            continue
        quality = _fitted(logits[:, column].double(), labels)
        with torch.no_grad():
            output.weight[column].mul_(quality.slope)
            output.bias[column].mul_(quality.slope).add_(quality.intercept)
        found.append(quality)
    return found[0], found[1] if len(found) > 1 else None


def _fitted(logits: Tensor, labels: Tensor) -> OutputQuality:
    found = _as_it_is(logits, labels)
    if not 0 < found.positive < found.positions:
        return found
    slope, intercept = _platt(logits, labels.double())
    if slope <= 0.0:
        return found
    after = _calibration_error(slope * logits + intercept, labels)
    return replace(found, ece_after=after, slope=slope, intercept=intercept)


def _as_it_is(logits: Tensor, labels: Tensor) -> OutputQuality:
    error = _calibration_error(logits, labels)
    auroc = roc_auc(logits.numpy(), labels.numpy()).value
    return OutputQuality(len(labels), int(labels.sum()), auroc, error, error)


def _platt(logits: Tensor, labels: Tensor) -> tuple[float, float]:
    """The slope and intercept of least cross-entropy."""
    line = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([line], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> float:
        optimizer.zero_grad()
        value = F.binary_cross_entropy_with_logits(line[0] * logits + line[1], labels)
        value.backward()
        return float(value.detach())

    optimizer.step(loss)
    slope, intercept = line.tolist()
    return slope, intercept


def _calibration_error(logits: Tensor, labels: Tensor) -> float | None:
    return expected_calibration_error(torch.sigmoid(logits).numpy(), labels.numpy()).value
