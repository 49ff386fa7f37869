"""Calibrations of the signal `error`, and of the best of several signals."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models import PAIRS

from headwise import QualityEstimator
from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import ScoredHypothesis, ScoredToken
from headwise.data.records.signals import Aggregation, Signal
from headwise.data.records.word_tags import WordTags
from headwise.errors import CalibrationError
from headwise.heads import ErrorHead
from headwise.quality.after_training import TrainedErrorHead
from headwise.quality.calibrate import calibrate
from headwise.quality.labelled_texts import label_texts
from headwise.quality.signal_request import QualityHeads


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


class KnowsNothing(ErrorHead):
    """Thinks the opposite of what it should."""

    def logits(self, hidden: Any, rows: Any, *_: Any, **__: Any) -> torch.Tensor:
        return ((hidden * rows).sum(-1) - 8.0).unsqueeze(-1).expand(-1, 2)


def test_the_signal_that_knows_the_errors_is_calibrated(knowing: QualityEstimator) -> None:
    calibration = calibrate(knowing, texts(), default="f1", groups=groups())
    assert calibration.signal is Signal.ERROR
    note, *_ = calibration.provenance.notes
    assert note.startswith("Made of error, the best by ROC AUC")
    assert "sigmoid 0." in note
    misled = KnowsNothing(hidden_size=knowing.backbone.hidden_size)
    other = QualityEstimator(
        knowing.backbone, knowing.head, error_head=misled, prompt=knowing.prompt
    )
    assert calibrate(other, texts(), default="f1", groups=groups()).signal is Signal.SOFTMAX
    certain: Any = Told()
    certain.heads = QualityHeads(error=ErrorHead(hidden_size=2, inner_size=2))
    calibration = calibrate(certain, doubtful(), default="f1", groups=groups(200))
    assert calibration.signal is Signal.ERROR
    assert "error 1.000, softmax 0.500" in calibration.provenance.notes[0]


class Told:
    """An estimator that gives every word the probability of being wrong that it is."""

    def scorer(self, _: Any) -> Any:
        return self

    def score_many(self, pairs: Any, **_: Any) -> Any:
        for pair in pairs:
            place, tokens = 0, []
            for word in pair.hypothesis.split():
                end = place + len(word)
                values = self.values(float(word))
                tokens.append(ScoredToken(text=word, start=place, end=end, **values))
                place = end + 1
            signals = (Signal.ERROR, Signal.SOFTMAX)
            yield ScoredHypothesis(None, pair.hypothesis, tuple(tokens), (), signals)

    def values(self, wrong: float) -> dict[str, float]:
        return {"error": wrong, "softmax": 0.5}


# Words of texts with and without errors; each time one way alone sorts them without a mistake
WINNERS = {
    Aggregation.NOISY_OR: (".4 .4 .4 .4 .4 .4", ".5 .4"),
    Aggregation.MIN: (".8 .1 .1 .1", ".7 .7"),
    Aggregation.MEAN: (".5 .5", ".6 .1 .1 .1 .1 .1 .1 .1 .1 .1 .1"),
}


@pytest.mark.parametrize("winner", WINNERS)
def test_the_best_aggregation_of_errors_is_chosen(winner: Aggregation) -> None:
    wrong, right = WINNERS[winner]
    pairs = [
        Pair(None, wrong, errors=(ErrorSpan(0, 2),)) if number % 2 else Pair(None, right, errors=())
        for number in range(200)
    ]
    told: Any = Told()
    # By its tokens alone, one of them is no better than chance
    options: Any = {"signal": "error", "default": "f1", "groups": groups(200), "force": True}
    calibration = calibrate(told, pairs, **options)
    assert calibration.sentence is not None
    assert calibration.sentence.aggregation is winner
    given = calibrate(told, pairs, aggregation="median", **options)
    assert given.sentence is not None
    assert given.sentence.aggregation is Aggregation.MEDIAN
    with pytest.raises(ValueError, match="`product` is defined for"):
        calibrate(told, pairs, aggregation="product", **options)


def test_what_is_missing_without_a_place_is_an_error_of_the_text(
    estimator: QualityEstimator,
) -> None:
    text = "Ein Hund."
    tags = WordTags(((0, 3), (4, 8)), (False, False), (False, False, True))
    pairs = [
        Pair("A dog.", text, errors=()),
        Pair("A dog.", text, errors=(), tags=tags),
        Pair("A dog.", text, errors=(), extra={"missing_marks": 1}),
        Pair("A dog.", text, errors=(), extra={"source_marks": 2}),
    ]
    judged = label_texts(estimator, pairs, Signal.SIGMOID)
    assert judged.flawless().tolist() == [True, False, False, False]
    assert not judged.wrong().any()


def test_without_heads_softmax_is_calibrated(estimator: QualityEstimator) -> None:
    bare = QualityEstimator(estimator.backbone, prompt=estimator.prompt)
    calibration = calibrate(bare, texts(), default="f1", groups=groups())
    assert calibration.signal is Signal.SOFTMAX
    (note,) = calibration.provenance.notes  # of tokens and texts there is nothing to choose
    assert note.startswith("Hypotheses are ranked by geometric_mean of softmax: for a choice")


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
    scored = estimator.score("A dog.", "Ein Hund läuft.")
    tokens = [token for token in scored.tokens if token.text]
    first = next(index for index, token in enumerate(tokens) if token.end > 4)
    assert judged.texts[0].wrong == tuple(index == first for index in range(len(tokens)))
    assert not any(judged.texts[1].wrong)
    assert judged.flawless().tolist() == [False, False]


class Doubting(Told):
    """An estimator whose softmax knows what is wrong, and whose error head guesses."""

    def __init__(self) -> None:
        self.heads = QualityHeads(error=ErrorHead(hidden_size=2, inner_size=2))
        self._rng = np.random.default_rng(0)

    def values(self, wrong: float) -> dict[str, float]:
        return {"error": self._rng.random(), "softmax": 1.0 - wrong}


def doubtful(count: int = 200) -> list[Pair]:
    return [
        Pair(None, ".1 .2 .9", errors=(ErrorSpan(6, 8),))
        if number % 2
        else Pair(None, ".3 .1", errors=())
        for number in range(count)
    ]


def test_a_head_that_is_worse_than_the_softmax_is_not_calibrated() -> None:
    told: Any = Doubting()
    calibration = calibrate(told, doubtful(), default="f1", groups=groups(200))
    assert calibration.signal is Signal.SOFTMAX
    note, *_ = calibration.provenance.notes
    assert note.startswith("Made of softmax, the best by ROC AUC of tokens")
    assert "error 0.5" in note or "error 0.4" in note
    assert "softmax 1.000" in note


def test_a_signal_no_better_than_chance_has_to_be_forced() -> None:
    told: Any = Doubting()
    options: Any = {"signal": "error", "default": "f1", "groups": groups(200), "method": "platt"}
    with pytest.raises(CalibrationError, match=r"error tells .* no better than chance.*--force"):
        calibrate(told, doubtful(), **options)
    calibration = calibrate(Doubting(), doubtful(), force=True, **options)  # type: ignore[arg-type]
    assert calibration.signal is Signal.ERROR
    asked, forced, _ = calibration.provenance.notes
    assert "as asked for, though softmax is better" in asked
    assert forced.startswith("Forced, though error tells wrong tokens")


@pytest.mark.parametrize(
    ("error", "made_of", "said"),
    [
        (0.9, Signal.ERROR, "quality, made of error, the best on dev."),
        (0.7, Signal.SOFTMAX, "quality, made of softmax, the best on dev."),
        (0.7, Signal.ERROR, "quality, made of error, though softmax tells wrong tokens apart"),
        (0.7, None, "error, though softmax tells wrong tokens apart better on dev (0.8000 against"),
        (None, None, "error, the best on dev."),
    ],
)
def test_training_says_what_the_default_is(
    error: float | None, made_of: Signal | None, said: str
) -> None:
    calibration: Any = None if made_of is None else SimpleNamespace(signal=made_of)
    report: Any = None
    trained = TrainedErrorHead(
        report=report,
        aurocs={Signal.ERROR: error, Signal.SOFTMAX: 0.8 if error else None},
        default=Signal.ERROR if made_of is None else Signal.QUALITY,
        calibration=calibration,
        not_calibrated=None,
    )
    assert f"The default signal is {said}" in trained.verdict
