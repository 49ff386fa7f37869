import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from headwise.metrics import average_precision, roc_auc

# Few distinct values, so that ties are the rule; and any finite number
SCORE = st.integers(-3, 3).map(float) | st.floats(allow_nan=False, allow_infinity=False)
ITEMS = st.lists(st.tuples(SCORE, st.booleans()), max_size=40).map(
    lambda items: ([score for score, _ in items], [label for _, label in items])
)
Items = tuple[list[float], list[bool]]


def area(scores: list[float], correct: list[bool]) -> float | None:
    positive = [s for s, c in zip(scores, correct, strict=True) if c]
    negative = [s for s, c in zip(scores, correct, strict=True) if not c]
    wins = sum((p > n) + 0.5 * (p == n) for p in positive for n in negative)
    return wins / (len(positive) * len(negative)) if positive and negative else None


def precision_gain(scores: list[float], correct: list[bool]) -> float | None:
    """Sum over thresholds of precision times added recall."""
    total, before = 0.0, 0
    for threshold in sorted(set(scores), reverse=True):
        passed = [c for s, c in zip(scores, correct, strict=True) if s >= threshold]
        total += sum(passed) / len(passed) * (sum(passed) - before)
        before = sum(passed)
    return total / before if before else None


@given(ITEMS)
def test_area_is_the_share_of_won_pairs(items: Items) -> None:
    found = roc_auc(*items)
    assert found.value == pytest.approx(area(*items), abs=1e-12)
    assert found.count == len(items[0])


@given(ITEMS)
def test_exchanging_the_labels_mirrors_the_area(items: Items) -> None:
    scores, correct = items
    one, other = roc_auc(scores, correct).value, roc_auc(scores, [not c for c in correct]).value
    assert (one is None) == (other is None)
    if one is not None:
        assert other == pytest.approx(1.0 - one, abs=1e-12)


@given(ITEMS)
def test_average_precision_is_its_definition(items: Items) -> None:
    scores, correct = items
    found = average_precision(scores, correct, positive="correct").value
    assert found == pytest.approx(precision_gain(scores, correct), abs=1e-12)
    found = average_precision(scores, correct, positive="wrong").value
    expected = precision_gain([-s for s in scores], [not c for c in correct])
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("count", [10, 4000])
@pytest.mark.parametrize("levels", [3, 50, None])
def test_equals_scikit_learn(count: int, levels: int | None) -> None:
    for seed in range(5):
        random = np.random.default_rng(seed)
        scores = random.random(count) if levels is None else random.integers(0, levels, count)
        correct = np.append(random.random(count - 2) < 0.7, [True, False])
        assert roc_auc(scores, correct).value == pytest.approx(
            roc_auc_score(correct, scores), abs=1e-9
        )
        assert average_precision(scores, correct, positive="correct").value == pytest.approx(
            average_precision_score(correct, scores), abs=1e-9
        )
        assert average_precision(scores, correct, positive="wrong").value == pytest.approx(
            average_precision_score(~correct, -scores.astype(float)), abs=1e-9
        )


@pytest.mark.parametrize(
    ("scores", "correct", "expected"),
    [
        ([2, 3, 0, 1], [1, 1, 0, 0], 1.0),
        ([0, 1, 2, 3], [1, 1, 0, 0], 0.0),
        ([1, 1, 1, 1, 1], [True, True, False, False, False], 0.5),
        ([True, True, False, False], [True, True, True, False], 5 / 6),
        (np.float32([0.1, 0.4, 0.2]), np.array([True, True, False]), 0.5),
    ],
)
def test_known_areas(scores: list[float], correct: list[bool], expected: float) -> None:
    assert roc_auc(scores, correct).value == pytest.approx(expected)


def test_known_average_precision() -> None:
    scores, correct = [0.9, 0.8, 0.2], [True, False, True]
    assert average_precision(scores, correct, positive="correct").value == pytest.approx(5 / 6)
    assert average_precision(scores, correct, positive="wrong").value == pytest.approx(1 / 2)
    assert average_precision([0.5] * 4, [1, 0, 0, 0], positive="correct").value == 0.25


@pytest.mark.parametrize(
    ("correct", "reason"), [([True], "no wrong"), ([False], "no right"), ([], "no right")]
)
def test_one_class_leaves_the_area_undefined(correct: list[bool], reason: str) -> None:
    found = roc_auc([0.5] * len(correct), correct)
    assert found.value is None
    assert found.reason is not None
    assert reason in found.reason


def test_average_precision_needs_a_positive_item() -> None:
    missing = average_precision([0.1, 0.2], [True, True], positive="wrong")
    assert (missing.value, missing.reason) == (None, "There are no wrong items.")
    missing = average_precision([], [], positive="correct")
    assert (missing.value, missing.reason) == (None, "There are no right items.")
    assert average_precision([0.1, 0.2], [True, True], positive="correct").value == 1.0


def test_bad_input() -> None:
    for metric in (roc_auc, lambda *items: average_precision(*items, positive="wrong")):
        with pytest.raises(ValueError, match=r"`scores` must hold finite .* at index 1"):
            metric([0.0, float("nan")], [True, False])
        with pytest.raises(ValueError, match=r"`correct` must hold booleans.* got 2 at index 1"):
            metric([0.0, 1.0], [1, 2])
        with pytest.raises(ValueError, match=r"`scores` and `correct` .* got 2 and 1"):
            metric([0.0, 1.0], [True])
        with pytest.raises(ValueError, match=r"flat sequence, got shape \(1, 2\)"):
            metric([[0.0, 1.0]], [True])
    with pytest.raises(ValueError, match="`positive` must be 'correct' or 'wrong', got 'right'"):
        average_precision([0.0], [True], positive="right")
