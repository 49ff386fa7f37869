import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwise.metrics import roc_auc

# Few distinct values, so that ties are the rule; and any finite number
SCORES = st.lists(
    st.integers(-3, 3).map(float) | st.floats(allow_nan=False, allow_infinity=False),
    min_size=1,
    max_size=30,
)


def oracle(positive: list[float], negative: list[float]) -> float:
    wins = sum((p > n) + 0.5 * (p == n) for p in positive for n in negative)
    return wins / (len(positive) * len(negative))


@given(SCORES, SCORES)
def test_every_pair_is_compared_and_ties_count_half(
    positive: list[float], negative: list[float]
) -> None:
    assert roc_auc(positive, negative) == pytest.approx(oracle(positive, negative), abs=1e-12)


@given(SCORES, SCORES)
def test_exchanging_the_groups_mirrors_the_value(
    positive: list[float], negative: list[float]
) -> None:
    one, other = roc_auc(positive, negative), roc_auc(negative, positive)
    assert one is not None
    assert other == pytest.approx(1.0 - one, abs=1e-12)


@pytest.mark.parametrize(
    ("positive", "negative", "expected"),
    [
        ([2, 3], [0, 1], 1.0),
        ([0, 1], [2, 3], 0.0),
        ([1, 1], [1, 1, 1], 0.5),
        ([True, True, False], [False], 5 / 6),
        (np.float32([0.1, 0.4]), np.float32([0.2]), 0.5),
    ],
)
def test_known_values(positive: list[float], negative: list[float], expected: float) -> None:
    assert roc_auc(positive, negative) == pytest.approx(expected)


@pytest.mark.parametrize(("positive", "negative"), [([], [1.0]), ([1.0], []), ([], [])])
def test_an_empty_group_leaves_it_undefined(positive: list[float], negative: list[float]) -> None:
    assert roc_auc(positive, negative) is None


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_scores_that_are_not_finite_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match=r"`positive` must hold finite .* at index 1"):
        roc_auc([0.0, bad], [1.0])
    with pytest.raises(ValueError, match=r"`negative` must hold finite .* at index 0"):
        roc_auc([], [bad])


def test_tables_are_refused() -> None:
    with pytest.raises(ValueError, match=r"flat sequence of scores, got shape \(1, 2\)"):
        roc_auc([[0.0, 1.0]], [1.0])
