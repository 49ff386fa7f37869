"""Calibrators: parity with scikit-learn and direct searches, monotone, safe at the edges."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from headwise.errors import CalibrationError
from headwise.quality.calibration.calibrators import (
    METHODS,
    Calibrator,
    IsotonicCalibrator,
    PlattCalibrator,
    TemperatureCalibrator,
    fit_calibrator,
)


def items(seed: int, count: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Over-confident scores, many of them equal, some of them 0 and 1."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0.02, 0.98, count)
    scores = np.round(expit(3.0 * logit(truth) + rng.normal(0, 0.5, count)), 2)
    return scores, rng.random(count) < truth


@pytest.mark.parametrize("seed", range(5))
def test_isotonic_equals_scikit_learn(seed: int) -> None:
    scores, correct = items(seed)
    ours = IsotonicCalibrator.fit(scores, correct)
    margin = 1 / (len(scores) + 2)
    theirs = IsotonicRegression(y_min=margin, y_max=1 - margin, out_of_bounds="clip")
    theirs.fit(scores, correct.astype(float))
    asked = np.concatenate([np.linspace(-1, 2, 301), scores])
    np.testing.assert_allclose(ours(asked), theirs.predict(asked), atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_platt_equals_logistic_regression_where_smoothing_vanishes(seed: int) -> None:
    scores, correct = items(seed, count=200_000)
    ours = PlattCalibrator.fit(scores, correct)
    x = logit(np.clip(scores, 1e-7, 1 - 1e-7))[:, None]
    theirs = LogisticRegression(C=1e10, tol=1e-10, max_iter=1000).fit(x, correct)
    assert ours.slope == pytest.approx(theirs.coef_[0, 0], rel=1e-3)
    assert ours.intercept == pytest.approx(theirs.intercept_[0], rel=1e-3, abs=1e-3)


def test_platt_is_the_minimum_of_the_smoothed_log_loss() -> None:
    scores, correct = items(3, count=60)
    fitted = PlattCalibrator.fit(scores, correct)
    right, wrong = correct.sum(), (~correct).sum()
    targets = np.where(correct, (right + 1) / (right + 2), 1 / (wrong + 2))
    x = logit(np.clip(scores, 1e-7, 1 - 1e-7))

    def loss(slope: float, intercept: float) -> float:
        p = expit(slope * x + intercept)
        return float(-np.mean(targets * np.log(p) + (1 - targets) * np.log(1 - p)))

    best = loss(fitted.slope, fitted.intercept)
    for d in (1e-3, -1e-3):
        assert best < loss(fitted.slope + d, fitted.intercept)
        assert best < loss(fitted.slope, fitted.intercept + d)


def test_platt_on_raw_values() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(-40.0, 7.0, 5000)
    correct = rng.random(5000) < expit(0.5 * (values + 40.0))
    fitted = PlattCalibrator.fit(values, correct, probabilities=False)
    assert not fitted.on_logit
    assert fitted.slope == pytest.approx(0.5, rel=0.1)
    assert -fitted.intercept / fitted.slope == pytest.approx(-40.0, abs=0.5)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_temperature_is_found_again(temperature: float) -> None:
    rng = np.random.default_rng(1)
    truth = expit(rng.normal(0, 1.5, 200_000))
    correct = rng.random(len(truth)) < truth
    fitted = TemperatureCalibrator.fit(expit(temperature * logit(truth)), correct)
    assert fitted.temperature == pytest.approx(temperature, rel=0.03)


def test_temperature_has_the_least_log_loss_of_a_fine_search() -> None:
    scores, correct = items(5)
    fitted = TemperatureCalibrator.fit(scores, correct)

    def loss(temperature: float) -> float:
        p = TemperatureCalibrator(temperature=temperature)(scores)
        return float(-np.mean(np.where(correct, np.log(p), np.log1p(-p))))

    searched = min(loss(t) for t in np.exp(np.linspace(np.log(0.05), np.log(20), 4000)))
    assert loss(fitted.temperature) <= searched + 1e-9


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=30)
@given(data=st.data())
def test_probabilities_are_inside_and_monotone(method: Any, data: st.DataObject) -> None:
    scores = data.draw(
        st.lists(st.floats(0, 1, width=32), min_size=25, max_size=60), label="scores"
    )
    # Right items on the whole higher, so that a rising Platt curve exists
    correct = np.arange(len(scores)) >= 12
    ordered = np.sort(np.array(scores))
    asked = np.sort(np.array([0.0, 1.0, *scores]))
    try:
        calibrator = fit_calibrator(method, ordered, correct)
    except CalibrationError:
        assert method == "platt"
        return
    result = calibrator(asked)
    assert ((result > 0) & (result < 1)).all()
    assert (np.diff(result) >= 0).all()


@pytest.mark.parametrize("method", METHODS)
def test_calibration_mends_over_confidence(method: Any) -> None:
    scores, correct = items(7, count=4000)
    calibrator = fit_calibrator(method, scores, correct)
    before, after = np.mean((scores - correct) ** 2), np.mean((calibrator(scores) - correct) ** 2)
    assert after < before - 0.01


@pytest.mark.parametrize("method", METHODS)
def test_separable_classes_give_finite_numbers(method: Any) -> None:
    scores = np.r_[np.zeros(10), np.ones(10)]
    result = fit_calibrator(method, scores, scores == 1)(np.array([0.0, 0.5, 1.0]))
    assert np.isfinite(result).all()
    assert result[0] < 0.2
    assert result[2] > 0.8


@pytest.mark.parametrize("method", METHODS)
def test_constant_scores_are_allowed(method: Any) -> None:
    correct = np.arange(40) < 30
    result = fit_calibrator(method, np.full(40, 0.6), correct)(np.array([0.6]))
    assert 0 < result[0] < 1
    if method == "isotonic":
        assert result[0] == pytest.approx(0.75)


@pytest.mark.parametrize("method", METHODS)
def test_round_trip_through_json(method: Any) -> None:
    scores, correct = items(2)
    calibrator = fit_calibrator(method, scores, correct)
    adapter: TypeAdapter[Calibrator] = TypeAdapter(Calibrator)
    again = adapter.validate_json(calibrator.model_dump_json())
    assert type(again) is type(calibrator)
    np.testing.assert_array_equal(again(scores), calibrator(scores))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("right", "wrong"), [(50, 0), (0, 50), (50, 9), (0, 0)])
def test_too_few_of_a_class(method: Any, right: int, wrong: int) -> None:
    correct = np.r_[np.ones(right, bool), np.zeros(wrong, bool)]
    with pytest.raises(CalibrationError, match=f"got {right} right and {wrong} wrong"):
        fit_calibrator(method, np.linspace(0, 1, len(correct)), correct)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("scores", "correct", "message"),
    [
        ([0.1, float("nan")], [True, False], "finite"),
        ([0.1, float("inf")], [True, False], "finite"),
        ([[0.1], [0.2]], [True, False], "flat"),
        ([0.1, 0.2, 0.3], [True, False], "one value for each item"),
        ([0.1, 0.2], [2, 0], "0 and 1"),
    ],
)
def test_bad_input(method: Any, scores: Any, correct: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit_calibrator(method, scores, correct)


@pytest.mark.parametrize("method", ["platt", "temperature"])
def test_logits_want_probabilities(method: Any) -> None:
    scores, correct = items(1)
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        fit_calibrator(method, scores * 3, correct)
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        fit_calibrator(method, scores, correct)([1.5])


def test_temperature_refuses_what_is_no_probability() -> None:
    scores, correct = items(1)
    with pytest.raises(ValueError, match="isotonic or platt"):
        fit_calibrator("temperature", scores, correct, probabilities=False)


def test_platt_refuses_scores_that_point_the_wrong_way() -> None:
    scores, correct = items(1)
    with pytest.raises(CalibrationError, match="choose another signal"):
        PlattCalibrator.fit(1 - scores, correct)


def test_unknown_method() -> None:
    with pytest.raises(ValueError, match="isotonic, platt, temperature"):
        fit_calibrator("beta", [0.1], [True])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("knots", "values"),
    [
        ((0.1, 0.1), (0.2, 0.3)),
        ((0.1, 0.2), (0.3, 0.2)),
        ((0.1,), (0.2, 0.3)),
        ((0.1,), (1.0,)),
        ((float("nan"),), (0.5,)),
        ((), ()),
    ],
)
def test_damaged_knots(knots: tuple[float, ...], values: tuple[float, ...]) -> None:
    with pytest.raises(ValidationError):
        IsotonicCalibrator(knots=knots, values=values)
