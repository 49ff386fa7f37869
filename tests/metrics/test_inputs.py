import re
from decimal import Decimal

import numpy as np
import pytest

from headwise.metrics.inputs import (
    checked_labels,
    checked_probabilities,
    checked_scores,
    same_length,
    unit_scaled,
)


@pytest.mark.parametrize(
    "values", [[1, 2.5], (True, False), np.float32([0.5, 1.0]), np.arange(3), [], range(4)]
)
def test_scores_become_float64(values: object) -> None:
    scores = checked_scores(values, name="scores")
    assert scores.dtype == np.float64
    assert scores.tolist() == list(map(float, values))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0.0, float("nan")], "`gold` must hold finite numbers, got nan at index 1."),
        ([float("inf")], "`gold` must hold finite numbers, got inf at index 0."),
        ([1.0, 2.0, None], "`gold` must hold finite numbers, got None at index 2."),
        (["a", "b"], "`gold` must hold finite numbers, got 'a' at index 0."),
        ([1j, 2.0], "`gold` must hold finite numbers, got 1j at index 0."),
        ([1, Decimal(1)], "`gold` must hold finite numbers, got Decimal('1') at index 1."),
        ([[0.0], [1.0]], "`gold` must be a flat sequence, got shape (2, 1)."),
        (3.0, "`gold` must be a flat sequence, got shape ()."),
        ([[0.0], [1.0, 2.0]], "`gold` must be a flat sequence, got sequences of different"),
    ],
)
def test_other_scores_are_refused(values: object, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        checked_scores(values, name="gold")


@pytest.mark.parametrize("values", [[True, False], [1, 0], [1.0, 0.0], np.uint8([1, 0])])
def test_labels_become_booleans(values: object) -> None:
    labels = checked_labels(values, name="correct")
    assert labels.dtype == np.bool_
    assert labels.tolist() == [True, False]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0, 1, 2], "`wrong` must hold booleans, or 0 and 1, got 2 at index 2."),
        ([0.5], "`wrong` must hold booleans, or 0 and 1, got 0.5 at index 0."),
        ([0.0, float("nan")], "`wrong` must hold booleans, or 0 and 1, got nan at index 1."),
        ([True, None], "`wrong` must hold booleans, or 0 and 1, got None at index 1."),
        (["OK"], "`wrong` must hold booleans, or 0 and 1, got 'OK' at index 0."),
        ([[True]], "`wrong` must be a flat sequence, got shape (1, 1)."),
    ],
)
def test_other_labels_are_refused(values: object, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        checked_labels(values, name="wrong")


@pytest.mark.parametrize("bad", [-1e-9, 1.0000001, float("nan")])
def test_other_probabilities_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match=r"`p` must .* at index 1"):
        checked_probabilities([0.0, bad, 1.0], name="p")


def test_lengths_must_be_the_same() -> None:
    assert same_length(a=np.zeros(3), b=np.zeros(3)) == 3
    with pytest.raises(ValueError, match=r"`a` and `b` must have one value .* got 3 and 2"):
        same_length(a=np.zeros(3), b=np.zeros(2))


@pytest.mark.parametrize("largest", [1e308, 1.7e308, 1.0, 0.3, 1e-300, 5e-324])
def test_scaling_is_exact(largest: float) -> None:
    values = np.array([largest, -largest / 2, 0.0])
    scaled, exponent = unit_scaled(values)
    assert 0.5 <= np.abs(scaled).max() <= 1
    assert np.array_equal(np.ldexp(scaled, exponent), values)
    assert unit_scaled(np.zeros(2))[0].tolist() == [0.0, 0.0]
    assert unit_scaled(np.zeros(0))[0].tolist() == []
