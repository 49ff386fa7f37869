"""Tuning: what the threshold keeps, and data that cannot tune it."""

from collections.abc import Callable

import pytest

from headwise.entailment import EntailmentModel, Prediction
from headwise.errors import CalibrationError

MakeModel = Callable[..., EntailmentModel]
TEXT = "the dog runs on beach woman reads book park children play football men drink tea"
WORDS = TEXT.split()
PREMISES = [" ".join(WORDS[i : i + 5] + WORDS[: i // 3]) for i in range(10) for _ in range(4)]
HYPOTHESES = [" ".join(WORDS[j :: 1 + i % 4 + j]) for i in range(10) for j in range(4)]


def answered(model: EntailmentModel) -> list[Prediction]:
    return [one for one in model.predict(PREMISES, HYPOTHESES) if not one.abstain]


@pytest.mark.parametrize("features", ["pair", "joint"])
@pytest.mark.parametrize("coverage", [0.25, 0.8, 1.0])
def test_coverage(make_model: MakeModel, features: str, coverage: float) -> None:
    model = make_model(features)
    threshold = model.tune_threshold(PREMISES, HYPOTHESES, coverage=coverage)
    assert model.threshold == threshold
    assert len(answered(model)) == coverage * 40


def test_risk(make_model: MakeModel) -> None:
    model = make_model(abstention=False)
    predictions = model.predict(PREMISES, HYPOTHESES)
    surest = sorted(predictions, key=lambda one: one.uncertainty)[:20]
    # Right about the surest half, wrong about the others
    others = {"entailment": "n", "neutral": 2, "contradiction": "Entailment"}
    gold = [one.label if one in surest else others[one.label] for one in predictions]
    model.tune_threshold(PREMISES, HYPOTHESES, gold, risk=0.25)
    assert len(answered(model)) == 26  # six errors among 26: 0.23; seven among 27: 0.26
    model.tune_threshold(PREMISES, HYPOTHESES, gold, risk=0.25, confidence=0.9)
    assert 20 <= len(answered(model)) < 26


def test_a_risk_that_cannot_be_kept(make_model: MakeModel) -> None:
    model = make_model(abstention=False, threshold=0.3)
    others = {"entailment": "n", "neutral": 2, "contradiction": 0}
    gold = [others[one.label] for one in model.predict(PREMISES, HYPOTHESES)]
    for confidence in (None, 0.95):
        with pytest.raises(CalibrationError, match="40 pairs, of which 40 are wrong"):
            model.tune_threshold(PREMISES, HYPOTHESES, gold, risk=0.1, confidence=confidence)
    assert model.threshold == 0.3


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        (None, {}, "exactly one of `coverage` and `risk`"),
        (None, {"coverage": 0.5, "risk": 0.1}, "exactly one of `coverage` and `risk`"),
        (None, {"coverage": 0.5, "confidence": 0.9}, "`confidence` is about a `risk`"),
        (None, {"risk": 0.1}, "a label for each of 2 pairs, got none"),
        (["e"], {"risk": 0.1}, "a label for each of 2 pairs, got 1"),
        (["e", "-"], {"risk": 0.1}, r"labels\[1\] says that annotators did not agree"),
        (["e", "maybe"], {"risk": 0.1}, "got 'maybe'"),
        (None, {"coverage": 1.5}, "`coverage` must lie in"),
    ],
)
def test_bad_input(
    make_model: MakeModel, labels: list[object] | None, options: dict[str, float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make_model().tune_threshold(PREMISES[:2], HYPOTHESES[:2], labels, **options)  # type: ignore[arg-type]


def test_no_pairs(make_model: MakeModel) -> None:
    with pytest.raises(ValueError, match="There are no pairs"):
        make_model().tune_threshold([], [], coverage=0.8)
