"""Blends: what they compute, how they are fitted, and what they refuse."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from headwise.data.records.signals import Aggregation, Signal
from headwise.errors import CalibrationError
from headwise.quality.calibration.blend import (
    Blend,
    Feature,
    cross_validated,
    evidence,
    fit_blend,
)

LOGPROB_AND_ERROR = Blend(
    signals=("logprob", "error"),  # type: ignore[arg-type]
    weights=(0.5, 2.0),
    means=(-1.0, 0.25),
    scales=(2.0, 4.0),
    intercept=0.75,
)


def made(count: int = 400, *, against: bool = False) -> tuple[dict[Feature, Any], Any]:
    """Two signals that each know a part of what is right; the second may know the opposite."""
    rng = np.random.default_rng(0)
    right = rng.random(count) < 0.7
    logprob = -np.abs(rng.normal(1.0, 0.5, count) + 0.8 * ~right)
    wrong = expit(rng.normal(0.0, 1.0, count) + 1.2 * (right if against else ~right))
    return {Signal.LOGPROB: logprob, Signal.ERROR: wrong}, right


def test_value_is_the_logistic_function_of_the_weighed_sum() -> None:
    value = LOGPROB_AND_ERROR({Signal.LOGPROB: [-3.0], Signal.ERROR: [0.2]})
    total = 0.75 + 0.5 * (-3.0 + 1.0) / 2.0 + 2.0 * (logit(0.8) - 0.25) / 4.0
    assert value == pytest.approx(expit(total), abs=1e-12)


@pytest.mark.parametrize(
    ("signal", "value", "expected"),
    [
        ("sigmoid", 0.9, np.log(9.0)),
        ("error", 0.9, -np.log(9.0)),
        ("error", 1.0, np.log(1e-7 / (1 - 1e-7))),
        ("softmax", 1.0, -np.log(1e-7 / (1 - 1e-7))),
        ("logprob", -2.5, -2.5),
        ("entropy", 2.5, -2.5),
        ("rank", 8, -np.log(8.0)),
    ],
)
def test_evidence_speaks_for_the_token(signal: str, value: float, expected: float) -> None:
    assert evidence([value], Signal(signal)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("signal", "value"), [("sigmoid", 0.3), ("error", 0.7), ("rank", -0.3)])
def test_a_single_signal_is_its_own_value(signal: str, value: float) -> None:
    given = 1.0 - 0.3 if signal == "error" else abs(value)
    expected = 1.0 - given if signal == "error" else value
    assert Blend.alone(signal)({Signal(signal): [given]}).tolist() == [expected]


def test_a_text_is_made_of_aggregates() -> None:
    blend = Blend(
        signals=("error", "error", "quality"),  # type: ignore[arg-type]
        aggregations=("noisy_or", "mean", "min"),  # type: ignore[arg-type]
        weights=(1.0, 0.5, 0.25),
        means=(0.0, 0.0, 0.0),
        scales=(1.0, 1.0, 1.0),
    )
    values = {Signal.ERROR: [0.1, 0.5], Signal.QUALITY: [0.9, 0.6]}
    total = logit(0.9 * 0.5) + 0.5 * logit(1 - 0.3) + 0.25 * logit(0.6)
    assert blend.of_text(values) == pytest.approx(expit(total), abs=1e-12)
    assert blend.of_text({Signal.ERROR: [], Signal.QUALITY: []}) is None
    assert blend.name == "1.00 noisy_or of error + 0.50 mean of error + 0.25 min of quality"


def test_a_token_may_weigh_its_text() -> None:
    blend = Blend(
        signals=("error", "logprob"),  # type: ignore[arg-type]
        aggregations=(None, "mean"),  # type: ignore[arg-type]
        weights=(1.0, 0.5),
        means=(0.0, 0.0),
        scales=(1.0, 2.0),
    )
    text = (Signal.LOGPROB, Aggregation.MEAN)
    assert blend.features == (Signal.ERROR, text)
    assert blend.reads_context
    assert not blend.of_texts
    assert blend.name == "1.00 error + 0.50 mean of logprob"
    found = blend({Signal.ERROR: [0.2, 0.2], text: [-1.0, -3.0]})
    assert found.tolist() == pytest.approx(expit(np.log(4.0) + 0.25 * np.array([-1.0, -3.0])))


def test_weights_are_those_of_scikit_learn_where_no_bound_is_active() -> None:
    columns, right = made()
    blend = fit_blend(columns, right)
    x = np.stack([evidence(values, f) for f, values in columns.items()], axis=1)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    reference = LogisticRegression(tol=1e-10, max_iter=1000).fit(z, right)
    assert blend.weights == pytest.approx(reference.coef_[0], abs=1e-5)
    assert blend.intercept == pytest.approx(reference.intercept_[0], abs=1e-5)
    assert blend(columns) == pytest.approx(reference.predict_proba(z)[:, 1], abs=1e-5)
    assert fit_blend(columns, right) == blend


def test_a_signal_that_speaks_against_what_is_right_gets_no_weight() -> None:
    columns, right = made(against=True)
    blend = fit_blend(columns, right)
    assert blend.signals == (Signal.LOGPROB,)
    alone = fit_blend({Signal.LOGPROB: columns[Signal.LOGPROB]}, right)
    assert blend.weights == pytest.approx(alone.weights, abs=1e-6)
    with pytest.raises(CalibrationError, match="None of error speaks for"):
        fit_blend({Signal.ERROR: columns[Signal.ERROR]}, right)


def test_it_never_falls_where_a_signal_gets_better() -> None:
    columns, right = made()
    blend = fit_blend(columns, right)
    wrong = np.linspace(0.0, 1.0, 101)
    values = blend({Signal.LOGPROB: np.full(101, -1.0), Signal.ERROR: wrong})
    assert (np.diff(values) <= 0.0).all()
    assert values[0] > values[-1]


def test_groups_count_alike() -> None:
    columns, right = made(800)
    groups = np.arange(800) // 600  # three times as many in the first one
    rows = np.concatenate([np.arange(600), np.tile(np.arange(600, 800), 3)])
    repeated = fit_blend({f: v[rows] for f, v in columns.items()}, right[rows])
    weighted = fit_blend(columns, right, groups)
    # Standardised by other means, they are the same function but for the penalty
    assert weighted(columns) == pytest.approx(repeated(columns), abs=0.01)
    assert fit_blend(columns, right)(columns) != pytest.approx(repeated(columns), abs=0.01)


def test_values_of_a_group_come_from_the_others() -> None:
    columns, right = made(300)
    groups = np.arange(300) // 3
    values = cross_validated(columns, right, groups)
    first = groups % 5 == 0
    others = fit_blend({f: v[~first] for f, v in columns.items()}, right[~first])
    assert values[first] == pytest.approx(others({f: v[first] for f, v in columns.items()}))


def test_too_few_items_are_refused() -> None:
    columns, _ = made(50)
    with pytest.raises(CalibrationError, match="9 items of the rarer kind"):
        fit_blend(columns, np.arange(50) >= 9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": (1.0,)}, "`weights` must be one a signal"),
        ({"weights": (0.0, 0.0)}, "must not all be 0"),
        ({"weights": (-1.0, 1.0)}, "greater than or equal to 0"),
        ({"scales": (0.0, 1.0)}, "greater than 0"),
        ({"signals": ("error", "error")}, "given twice"),
        ({"signals": ("error", "omission")}, "not `omission`"),
        ({"signals": ("error", "quality")}, "not `quality`"),
        ({"aggregations": ("mean",)}, "one a signal, or none"),
        ({"aggregations": ("noisy_or", "mean")}, "`noisy_or` is defined for .* not for `logprob`"),
        ({"weights": (), "means": (), "scales": ()}, "`weights` must be one a signal"),
    ],
)
def test_what_is_no_blend(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Blend.model_validate({**LOGPROB_AND_ERROR.model_dump(), **change})


def test_it_is_read_as_it_was_written() -> None:
    text = fit_blend(*made()).model_copy(update={"aggregations": (Aggregation.MEAN,) * 2})
    assert Blend.model_validate_json(text.model_dump_json()) == text
