"""Thresholds: the best of all, by the plain formulas and by scikit-learn's."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.metrics import f1_score, matthews_corrcoef, precision_score, recall_score

from headwise.data.records.signals import Signal
from headwise.quality.calibration.threshold_curve import (
    LabelledTokens,
    ThresholdCurve,
    choose_thresholds,
)
from headwise.quality.calibration.thresholds import DEFAULT_RULES, GRID, Aim, Rule, Threshold


def labelled_tokens(seed: int, count: int = 300, *, digits: int = 2) -> LabelledTokens:
    """Tokens with many equal probabilities, ten a text."""
    rng = np.random.default_rng(seed)
    wrong = rng.random(count) < 0.2
    values = np.clip(np.where(wrong, 0.4, 0.8) + rng.normal(0, 0.2, count), 0, 0.99)
    return LabelledTokens.of(np.round(values, digits), wrong, np.arange(count) // 10)


def all_decisions(judged: LabelledTokens) -> list[tuple[float, np.ndarray]]:
    """Every set of flags that a threshold can make, with the lowest of the grid that makes it."""
    found = []
    for threshold in GRID:
        flags = judged.probabilities < threshold
        if not found or flags.sum() != found[-1][1].sum():
            found.append((float(threshold), flags))
    return found


@pytest.mark.parametrize("digits", [2, 9])
@pytest.mark.parametrize("seed", range(3))
def test_equal_to_a_search_with_scikit_learn(seed: int, digits: int) -> None:
    judged = labelled_tokens(seed, digits=digits)
    wrong = judged.wrong
    table = [
        (
            threshold,
            f1_score(wrong, flags, zero_division=0),
            matthews_corrcoef(wrong, flags),
            precision_score(wrong, flags, zero_division=0),
            recall_score(wrong, flags),
            flags.mean(),
        )
        for threshold, flags in all_decisions(judged)
    ]
    chosen = choose_thresholds(judged)
    best_f1, best_mcc = max(row[1] for row in table), max(row[2] for row in table)
    assert chosen["f1"].value == next(row[0] for row in table if row[1] >= best_f1 - 1e-12)
    assert chosen["mcc"].value == next(row[0] for row in table if row[2] >= best_mcc - 1e-12)
    precise = [row for row in table if row[3] >= 0.8 - 1e-12 and row[5] > 0]
    most = max(row[4] for row in precise)
    assert chosen["precision-0.8"].value == next(row[0] for row in precise if row[4] == most)
    assert chosen["recall-0.9"].value == next(row[0] for row in table if row[4] >= 0.9 - 1e-12)
    for one in chosen.values():
        assert one.value is not None
        flags = judged.probabilities < one.value
        assert one.flagged == pytest.approx(flags.mean())
        assert one.precision == pytest.approx(precision_score(wrong, flags))
        assert one.recall == pytest.approx(recall_score(wrong, flags))


def test_the_grid_loses_next_to_nothing_against_all_thresholds() -> None:
    judged = labelled_tokens(5, count=600, digits=12)
    wrong = judged.wrong
    candidates = np.unique(judged.probabilities)
    exact = max(f1_score(wrong, judged.probabilities <= c) for c in candidates)
    value = choose_thresholds(judged)["f1"].value
    assert f1_score(wrong, judged.probabilities < value) >= exact - 1e-3


def test_rounding_to_four_decimals_moves_no_token_over_a_threshold() -> None:
    values = np.random.default_rng(0).random(20_000)
    for threshold in (GRID[0], GRID[4321], GRID[9998], GRID[9999]):
        shown = [Signal.QUALITY.confidence(float(v)) for v in values]
        flags = np.array([s is not None and s < threshold for s in shown])
        # 1.0 is no half step: what is shown as 1 lies below it
        where = values < 0.99995
        np.testing.assert_array_equal(flags[where], (values < threshold)[where])


def test_the_grid_rises_and_reaches_one() -> None:
    assert all(a < b for a, b in pairwise(GRID))
    assert GRID[0] == pytest.approx(5e-5)
    assert GRID[-1] == 1.0


def test_a_precision_that_no_threshold_reaches() -> None:
    judged = LabelledTokens.of([0.1, 0.1, 0.9], [True, False, False], [0, 1, 1])
    found = choose_thresholds(judged, (Rule.of("precision-0.8"),))["precision-0.8"]
    assert found.value is None
    assert found.reason == "No threshold reaches a precision of 0.8."
    assert found.precision is None


@pytest.mark.parametrize("wrong", [True, False])
def test_one_class_only(wrong: bool) -> None:
    judged = LabelledTokens.of([0.1, 0.5, 0.9], [wrong] * 3, [0, 0, 1])
    for one in choose_thresholds(judged).values():
        assert one.value is None
        assert one.reason is not None
        assert ("right" if wrong else "wrong") in one.reason


def test_no_tokens() -> None:
    judged = LabelledTokens.of([], [], [])
    assert {one.value for one in choose_thresholds(judged).values()} == {None}


def test_constant_probabilities() -> None:
    judged = LabelledTokens.of([0.5] * 40, [True] * 10 + [False] * 30, np.arange(40))
    chosen = choose_thresholds(judged, (Rule.of("recall-0.9"), Rule.of("risk-0.2")))
    for one in chosen.values():
        assert one.value == pytest.approx(0.50005)
        assert one.recall == 1.0
        assert one.risk == 0.0


@pytest.mark.parametrize("name", ["f1", "mcc", "precision-0.8", "recall-0.95", "risk-0.1"])
def test_rules_and_their_names(name: str) -> None:
    assert Rule.of(name).name == name


@pytest.mark.parametrize("name", ["", "f2", "risk", "f1-0.3", "risk-2", "risk-0", "recall-x"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(ValueError, match=r"named f1|must lie in|takes"):
        Rule.of(name)


def test_rules_are_checked() -> None:
    with pytest.raises(ValueError, match="takes a level"):
        Rule(Aim.RISK)
    with pytest.raises(ValueError, match="takes no level"):
        Rule(Aim.F1, 0.5)
    assert len({rule.name for rule in DEFAULT_RULES}) == len(DEFAULT_RULES)


@pytest.mark.parametrize(
    ("probabilities", "wrong", "texts"),
    [
        ([0.1, 0.2], [True], [0, 0]),
        ([[0.1]], [[True]], [[0]]),
        ([1.0], [True], [0]),
        ([float("nan")], [True], [0]),
        ([-0.1], [True], [0]),
    ],
)
def test_tokens_that_are_none(probabilities: list, wrong: list, texts: list) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match="probabilities"):
        LabelledTokens.of(probabilities, wrong, texts)


def test_a_threshold_has_a_value_or_a_reason() -> None:
    with pytest.raises(ValueError, match="a reason"):
        Threshold(aim=Aim.F1, value=None, units=3)
    with pytest.raises(ValueError, match="a reason"):
        Threshold(aim=Aim.F1, value=0.5, reason="None needed", units=3)


def test_a_threshold_is_measured_on_other_tokens() -> None:
    chosen = choose_thresholds(labelled_tokens(1))["mcc"]
    other = labelled_tokens(2)
    measured = ThresholdCurve.of(other).measure(chosen)
    flags = other.probabilities < measured.value
    assert measured.value == chosen.value
    assert measured.precision == pytest.approx(precision_score(other.wrong, flags))
    assert measured.recall == pytest.approx(recall_score(other.wrong, flags))
    right = LabelledTokens.of([0.1, 0.9], [False, False], [0, 1])
    nothing = ThresholdCurve.of(right).measure(chosen)
    assert (nothing.recall, nothing.risk, nothing.precision) == (None, None, 0.0)
    for value in (0.5, 2e-5):
        with pytest.raises(ValueError, match="on the grid"):
            ThresholdCurve.of(other).measure(chosen.model_copy(update={"value": value}))
