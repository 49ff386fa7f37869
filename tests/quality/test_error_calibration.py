"""Calibrations of the signal `error`, and of the best of several signals."""

from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import PAIRS

from headwise import QualityEstimator
from headwise.data.aggregation import Aggregation
from headwise.data.error_spans import ErrorSpan
from headwise.data.pairs import Pair
from headwise.data.signals import Signal
from headwise.heads import ErrorHead
from headwise.metrics.ranking import roc_auc
from headwise.quality.calibrate import calibrate
from headwise.quality.labelled_texts import label_signals, label_texts


class KnowsThePairs(ErrorHead):
    """Calls wrong what is improbable; the parrot knows its texts by heart."""

    def logits(self, hidden: Any, rows: Any, *_: Any, **__: Any) -> torch.Tensor:
        doubt = 8.0 - (hidden * rows).sum(-1)
        return torch.stack([doubt, doubt - 1.0], dim=-1)


def texts(count: int = 150) -> list[Pair]:
    """Pairs by heart, of every fourth the first word turned round."""
    pairs = []
    for number in range(count):
        source, hypothesis = PAIRS[number % 6]
        first, rest = hypothesis.split(" ", 1)
        error = ErrorSpan(0, len(first), category="turned")
        pairs.append(
            Pair(source, f"{first[::-1]} {rest}", errors=(error,))
            if number % 4 == 3
            else Pair(source, hypothesis, errors=())
        )
    return pairs


def groups(count: int = 150) -> list[str]:
    return list(map(str, range(count)))


@pytest.fixture
def knowing(estimator: QualityEstimator) -> QualityEstimator:
    made = KnowsThePairs(hidden_size=estimator.backbone.hidden_size)
    return QualityEstimator(
        estimator.backbone, estimator.head, error_head=made, prompt=estimator.prompt
    )


@pytest.mark.parametrize("method", ["isotonic", "platt", "temperature"])
def test_errors_are_calibrated(knowing: QualityEstimator, method: Any) -> None:
    calibration = calibrate(
        knowing, texts(), method=method, signal="error", default="f1", groups=groups()
    )
    assert calibration.signal is Signal.ERROR
    assert calibration.provenance.tokens.ece_before is not None
    assert calibration.provenance.tokens.roc_auc > 0.7
    knowing.calibration = calibration
    scored = knowing.score(*PAIRS[0], signals=["quality", "error"])
    order = np.argsort([token.error for token in scored.tokens], kind="stable")
    qualities = np.array([token.quality for token in scored.tokens])[order]
    assert (np.diff(qualities) <= 1e-9).all()  # the more an error, the less a quality
    assert scored.quality is not None
    assert knowing.default_signal is Signal.QUALITY


def test_quality_made_of_errors_is_the_same_in_all_ways(knowing: QualityEstimator) -> None:
    knowing.calibration = calibrate(knowing, texts(), signal="error", default="f1", groups=groups())
    source, hypothesis = PAIRS[0]
    scored = knowing.score(source, hypothesis)
    assert scored.signals == (Signal.QUALITY,)
    expected = [t.quality for t in scored.tokens + scored.special_tokens]
    generated = knowing.generate(source)
    assert generated.quality == pytest.approx(scored.quality, abs=1e-5)
    streamed = [token.quality for token in knowing.stream(source)]
    assert streamed == pytest.approx(expected, abs=1e-5)


def test_the_best_signal_is_chosen_on_the_half_to_fit_to(knowing: QualityEstimator) -> None:
    calibration = calibrate(knowing, texts(), default="f1", groups=groups())
    labelled = label_signals(knowing, texts(), (Signal.SIGMOID, Signal.ERROR), groups=groups())
    areas = {}
    for signal, judged in labelled.items():
        half = judged.halves()[0]
        areas[signal] = roc_auc(half.tokens(), ~half.wrong()).value
    assert calibration.signal is max(areas, key=lambda signal: areas[signal])
    (note,) = calibration.provenance.notes
    for signal, area in areas.items():
        assert f"{signal} {area:.3f}" in note


def test_the_best_aggregation_of_errors_is_chosen_there_too(knowing: QualityEstimator) -> None:
    calibration = calibrate(knowing, texts(), signal="error", default="f1", groups=groups())
    half = label_texts(knowing, texts(), Signal.ERROR, groups=groups()).halves()[0]
    areas = {
        how: roc_auc(half.sentences(how), half.flawless()).value
        for how in (Aggregation.NOISY_OR, Aggregation.MIN, Aggregation.MEAN)
    }
    assert calibration.sentence is not None
    assert areas[calibration.sentence.aggregation] == max(areas.values())
    given = calibrate(
        knowing, texts(), signal="error", aggregation="median", default="f1", groups=groups()
    )
    assert given.sentence is not None
    assert given.sentence.aggregation is Aggregation.MEDIAN
    with pytest.raises(ValueError, match="`product` is defined for"):
        calibrate(knowing, texts(), signal="error", aggregation="product", groups=groups())


def test_without_heads_softmax_is_calibrated(estimator: QualityEstimator) -> None:
    bare = QualityEstimator(estimator.backbone, prompt=estimator.prompt)
    calibration = calibrate(bare, texts(), default="f1", groups=groups())
    assert calibration.signal is Signal.SOFTMAX
    assert calibration.provenance.notes == ()


def test_a_calibration_of_a_signal_that_is_not_there_is_no_default(
    knowing: QualityEstimator, estimator: QualityEstimator
) -> None:
    calibration = calibrate(knowing, texts(), signal="error", default="f1", groups=groups())
    other = QualityEstimator(
        estimator.backbone, estimator.head, prompt=estimator.prompt, calibration=calibration
    )
    assert other.default_signal is Signal.SIGMOID
    with pytest.raises(ValueError, match="'error' needs an error head"):
        other.score(*PAIRS[0], signals=["quality"])


def test_omissions_are_not_calibrated(knowing: QualityEstimator) -> None:
    with pytest.raises(ValueError, match=r"`signal` must be what .* got 'omission'"):
        calibrate(knowing, texts(), signal="omission")


def test_a_gap_makes_the_next_token_wrong_and_the_text(estimator: QualityEstimator) -> None:
    inside = Pair("A dog.", "Ein Hund läuft.", errors=(ErrorSpan(4, 4),))
    at_end = Pair("A dog.", "Ein Hund läuft.", errors=(ErrorSpan(15, 15),))
    judged = label_texts(estimator, [inside, at_end], Signal.SIGMOID)
    tokens = estimator.score("A dog.", "Ein Hund läuft.").tokens
    first = next(index for index, token in enumerate(tokens) if token.end > 4)
    assert judged.texts[0].wrong == tuple(index == first for index in range(len(tokens)))
    assert not any(judged.texts[1].wrong)
    assert judged.flawless().tolist() == [False, False]
