"""Uncertainties of an NLI head's answers, and how well they tell its errors."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headwise.functional.class_uncertainty import Uncertainty, class_uncertainty
from headwise.heads import LEARNED, AbstentionHead, PairReading
from headwise.metrics import risk_coverage_area, roc_auc, selective_accuracy
from headwise.metrics.thresholds.abstention import (
    threshold_for_coverage,
    threshold_for_risk,
    threshold_with_guarantee,
)
from headwise.training.abstention.settings import (
    AbstentionTarget,
    AbstentionTraining,
    SignalQuality,
)

Floats = NDArray[np.float64]


@torch.no_grad()
def uncertainties(head: AbstentionHead, read: PairReading) -> dict[str, Floats]:
    """Every uncertainty of some pairs, by name, each ``(N,)`` in [0, 1]."""
    found = {LEARNED: head.uncertainty(*read)}
    found |= {how.value: class_uncertainty(read.logits, how) for how in Uncertainty}
    return {name: values.double().numpy() for name, values in found.items()}


def error_measures(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """Area under the risk-coverage curve and AUROC of errors.

    Logits are of confident and uncertain, ``(N, 2)``; labels ``(N,)`` of both kinds, 1 for errors.
    """
    uncertainty, wrong = logits.softmax(dim=-1)[:, 1].double().numpy(), labels.bool().numpy()
    quality = signal_quality(uncertainty, wrong)
    assert quality.auroc is not None
    return {"aurc": quality.aurc, "auroc": quality.auroc}


def signal_quality(uncertainty: Floats, wrong: NDArray[np.bool_]) -> SignalQuality:
    """How well an uncertainty ``(N,)`` tells the errors, where ``wrong``, ``(N,)``, is true."""
    area = risk_coverage_area(-uncertainty, wrong.astype(float)).value
    assert area is not None

    def accuracy_at(coverage: float) -> float:
        found = selective_accuracy(-uncertainty, ~wrong, coverage=coverage).value
        assert found is not None
        return found

    return SignalQuality(
        auroc=roc_auc(uncertainty, wrong).value,
        aurc=area,
        accuracy_at_80=accuracy_at(0.8),
        accuracy_at_90=accuracy_at(0.9),
    )


def choose_threshold(
    uncertainty: Floats, wrong: NDArray[np.bool_], settings: AbstentionTraining, *, chosen_on: str
) -> tuple[float | None, str]:
    """The threshold that the settings ask for, and in a sentence how it was chosen.

    It is ``None`` if none does what is asked for. Uncertainties and whether the NLI head's answers
    are wrong are ``(N,)``; ``chosen_on`` is what the pairs are called.
    """
    level, on = f"{100 * settings.level:g}%", f"on {len(wrong):,} {chosen_on} pairs"
    match settings.aim:
        case AbstentionTarget.COVERAGE:
            found: float | None = threshold_for_coverage(uncertainty, coverage=settings.level)
            basis = f"Answers {level} of the pairs, chosen {on}."
        case AbstentionTarget.RISK:
            found = threshold_for_risk(uncertainty, wrong, risk=settings.level)
            basis = f"At most {level} errors among answers, {on} themselves."
        case AbstentionTarget.GUARANTEE:
            found = threshold_with_guarantee(
                uncertainty, wrong, risk=settings.level, confidence=settings.confidence
            )
            basis = (
                f"At most {level} errors among answers to pairs of the same kind, with "
                f"probability {100 * settings.confidence:g}% over the pairs that it was chosen "
                f"by, {on}, taken as independent."
            )
    return found, basis
