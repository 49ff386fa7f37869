"""Decisions: how predictions become distributions, which texts are asked about, and JSON states."""

import math
from collections.abc import Callable
from itertools import product

import pytest

from headwise.choices import NLIFeatures
from headwise.entailment import EntailmentModel, OneOf, Prediction, YesNo, decide
from headwise.entailment.deciding import DecisionPlan
from headwise.entailment.decisions import state_text
from headwise.errors import ContextLengthError, TextError

MakePrediction = Callable[..., Prediction]
MakeModel = Callable[..., EntailmentModel]
STATE = "A dog runs on the beach. The cat sat on the mat. Two men drink green tea."


@pytest.mark.parametrize(
    ("given", "yes"),
    [
        ([(0.7, 0.2, 0.1)], 0.8),
        ([(0.0, 1.0, 0.0)], 0.5),
        ([(0.1, 0.2, 0.7)], 0.2),
        ([(0.7, 0.2, 0.1), (0.1, 0.4, 0.5)], (0.8 + 0.7) / 2),
    ],
)
def test_yes_or_no(
    make_prediction: MakePrediction, given: list[tuple[float, ...]], yes: float
) -> None:
    found = YesNo("Yes.", "No.").decide([make_prediction(*values) for values in given])
    assert found.expected == pytest.approx(yes)
    assert found.probabilities == pytest.approx((1 - yes, yes))
    assert found.best == (yes > 0.5)
    assert found.confidence == pytest.approx(abs(2 * yes - 1))


def test_one_of_some_and_a_scale(make_prediction: MakePrediction) -> None:
    given = [(0.1, 0.9, 0.0), (0.3, 0.1, 0.6), (0.2, 0.4, 0.4)]
    found = OneOf("Where?", ("a", "b", "c")).decide([make_prediction(*each) for each in given])
    assert found.probabilities == pytest.approx((1 / 6, 1 / 2, 1 / 3))
    assert found.best == 1
    assert found.expected == pytest.approx(1 / 2 + 2 / 3)
    assert found.confidence == pytest.approx((1 / 2 - 1 / 3) / (2 / 3))


def test_by_similarity(make_model: MakeModel) -> None:
    question = OneOf("Who?", ("A dog.", "A cat.", "Nobody."), by="similarity")
    found = question.compare([0.5, 0.4, 0.1])
    weights = [math.exp(20 * cosine) for cosine in (0.5, 0.4, 0.1)]
    assert found.probabilities == pytest.approx([weight / sum(weights) for weight in weights])
    assert (found.best, found.abstain, found.uncertainty) == (0, False, None)
    model = make_model()
    for encoder in (model, EntailmentModel(model.backbone)):  # heads are not needed
        (decision,) = decide(encoder, STATE, [question])
        cosines = encoder.encoder.cosines(STATE, list(question.hypotheses), names=("s", "h"))
        assert decision.similarities == pytest.approx(cosines.tolist(), abs=1e-6)
    mixed = decide(model, STATE, [question, YesNo("A dog runs."), question])
    assert [bool(one.similarities) for one in mixed] == [True, False, True]
    assert mixed[0] == mixed[2]


def test_nothing_entailed_is_no_preference(make_prediction: MakePrediction) -> None:
    found = OneOf("Where?", ("a", "b")).decide([make_prediction(0.0, 0.5, 0.5)] * 2)
    assert found.probabilities == (0.5, 0.5)
    assert (found.best, found.confidence) == (0, 0.0)


def test_the_deciding_prediction_says_whether_to_abstain(make_prediction: MakePrediction) -> None:
    best, other = make_prediction(0.8, 0.1, 0.1, abstain=True), make_prediction(0.2, 0.4, 0.4)
    question = OneOf("Where?", ("a", "b"))
    assert question.decide([other, best]).abstain
    assert not question.decide([make_prediction(0.1, 0.5, 0.4, abstain=True), other]).abstain
    unsure = Prediction("entailment", 0.6, best.probabilities, abstain=True, uncertainty=0.9)
    sure = Prediction("entailment", 0.6, best.probabilities, abstain=False, uncertainty=0.1)
    assert YesNo("Yes.").decide([unsure]).abstain
    found = YesNo("Yes.", "No.").decide([unsure, sure])
    assert (found.abstain, found.uncertainty) == (False, 0.1)


def test_hypotheses() -> None:
    assert YesNo("It rains.").hypotheses == ("It rains.",)
    assert YesNo("It rains.", "It is dry.").hypotheses == ("It rains.", "It is dry.")
    assert OneOf("What?", ("Rain.", "Sun.")).hypotheses == ("What? Rain.", "What? Sun.")


@pytest.mark.parametrize("features", [NLIFeatures.PAIR, NLIFeatures.JOINT])
def test_decisions_are_made_of_predictions(make_model: MakeModel, features: NLIFeatures) -> None:
    model = make_model(features=features)
    questions = [YesNo("A dog runs."), OneOf("Who?", ("A dog.", "A cat.", "Nobody."))]
    found = decide(model, STATE, questions)
    texts = ["A dog runs.", "Who? A dog.", "Who? A cat.", "Who? Nobody."]
    predictions = model.predict(STATE, texts)
    assert [one.predictions for one in found] == [tuple(predictions[:1]), tuple(predictions[1:])]
    assert decide(model, STATE, []) == []


@pytest.mark.parametrize("features", [NLIFeatures.PAIR, NLIFeatures.JOINT])
def test_of_a_long_state_the_sentence_that_entails_most_counts(
    make_model: MakeModel, features: NLIFeatures
) -> None:
    model = make_model(features=features)
    sentences = ["A dog runs on the beach.", "Two men drink green tea.", "The cat sat on the mat."]
    state = " ".join(sentences * 30)
    question = OneOf("Who?", ("A dog.", "A cat."))
    plan = DecisionPlan.of(state, [question], encoder=model.encoder)
    assert list(plan.premises) == sentences * 30
    assert plan.pairs == [(p, h) for h, p in product(question.hypotheses, plan.premises)]
    (found,) = decide(model, state, [question])
    for hypothesis, kept in zip(question.hypotheses, found.predictions, strict=True):
        best = max(one.entailment for one in model.predict(sentences, hypothesis))
        assert kept.entailment == pytest.approx(best, abs=1e-6)


def test_what_cannot_be_asked(make_model: MakeModel) -> None:
    model = make_model()
    with pytest.raises(TextError, match="state"):
        decide(model, "", [YesNo("A dog runs.")])
    with pytest.raises(ContextLengthError, match="shorten"):
        decide(model, STATE, [YesNo("A dog runs. " * 200)])
    with pytest.raises(ValueError, match="To decide"):
        decide(EntailmentModel(model.backbone), STATE, [YesNo("A dog runs.")])


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ("As it is.", "As it is."),
        ({"said": "It broke.", "order": {"paid": True}}, "said: It broke.\norder paid: true"),
        ([{"a": "x"}, {"a": None}, "y"], "a: x\na: null\ny"),
    ],
)
def test_json_as_text(state: object, text: str) -> None:
    assert state_text(state) == text


def test_another_threshold(make_prediction: MakePrediction) -> None:
    prediction = make_prediction(0.6, 0.3, 0.1)
    assert prediction.at(None) is prediction
    assert prediction.at(0.4).abstain
    assert not prediction.at(0.41).abstain
    assert prediction.at(0.4).at(0.41) == prediction
