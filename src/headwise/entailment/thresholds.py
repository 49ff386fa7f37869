"""Choose where a model begins to abstain."""

from collections.abc import Sequence

from headwise.data.records.inferences import parse_label
from headwise.entailment.predicting import Prediction
from headwise.errors import CalibrationError
from headwise.metrics import (
    threshold_for_coverage,
    threshold_for_risk,
    threshold_with_guarantee,
)


def find_threshold(
    predictions: Sequence[Prediction],
    labels: Sequence[object] | None,
    *,
    coverage: float | None,
    risk: float | None,
    confidence: float | None,
) -> float:
    """Find a threshold for a coverage or a risk.

    Args:
        predictions: Of pairs that the heads were not trained on.
        labels: What the pairs are; only a risk needs them.
        coverage: Share of pairs to answer at least.
        risk: Share of errors among answers at most.
        confidence: Probability with which ``risk`` holds for other pairs; ``None`` for these.

    Raises:
        ValueError: If there are no predictions, not exactly one of ``coverage`` and ``risk`` is
            given, or labels are missing.
        CalibrationError: If no threshold keeps the risk.
    """
    if (coverage is None) == (risk is None):
        raise ValueError("Give exactly one of `coverage` and `risk`.")
    if confidence is not None and risk is None:
        raise ValueError("`confidence` is about a `risk`; give one.")
    if not predictions:
        raise ValueError("There are no pairs to choose a threshold on; give some.")
    uncertainty = [prediction.uncertainty for prediction in predictions]
    if coverage is not None:
        return threshold_for_coverage(uncertainty, coverage=coverage)
    assert risk is not None
    wrong = _wrong(predictions, labels)
    if confidence is None:
        found = threshold_for_risk(uncertainty, wrong, risk=risk)
    else:
        found = threshold_with_guarantee(uncertainty, wrong, risk=risk, confidence=confidence)
    if found is None:
        raise CalibrationError(
            f"No threshold keeps errors among answers at {risk:g} on these {len(wrong)} pairs, of "
            f"which {sum(wrong)} are wrong; allow more risk, or give more pairs."
        )
    return found


def _wrong(predictions: Sequence[Prediction], labels: Sequence[object] | None) -> list[bool]:
    if labels is None or len(labels) != len(predictions):
        raise ValueError(
            f"A risk needs a label for each of {len(predictions)} pairs, got "
            f"{'none' if labels is None else len(labels)}."
        )
    wrong = []
    for index, (prediction, label) in enumerate(zip(predictions, labels, strict=True)):
        if (gold := parse_label(label)) is None:
            raise ValueError(
                f"labels[{index}] says that annotators did not agree ({label!r}); leave the pair "
                "out."
            )
        wrong.append(prediction.label != gold)
    return wrong
