"""The promise about missed errors: kept on average, exactly the lowest threshold, honest limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwise.quality.calibration.threshold_curve import (
    LabelledTokens,
    ThresholdCurve,
    choose_thresholds,
    controlled,
    units_needed,
)
from headwise.quality.calibration.thresholds import GRID, Rule


def made_texts(
    rng: np.random.Generator, count: int, *, longest: int = 12, per_unit: int = 1
) -> LabelledTokens:
    """Texts of different lengths and difficulty; about a third of them have no error."""
    probabilities, wrong, texts, units = [], [], [], []
    for unit in range(count):
        shift = rng.normal(0, 0.15)
        for copy in range(per_unit):
            length = int(rng.integers(1, longest + 1))
            bad = rng.random(length) < rng.choice([0.0, 0.2, 0.5])
            center = np.where(bad, 0.55, 0.8) + shift
            probabilities.append(np.clip(center + rng.normal(0, 0.2, length), 0, 0.9999))
            wrong.append(bad)
            texts.append(np.full(length, unit * per_unit + copy))
            units.append(np.full(length, unit))
    return LabelledTokens.of(*map(np.concatenate, (probabilities, wrong, texts, units)))


def risk_of(judged: LabelledTokens, threshold: float) -> tuple[float, int]:
    """Mean over units of the mean over their texts of the share of missed errors, word for word."""
    losses: dict[int, list[float]] = {}
    for text in np.unique(judged.texts):
        inside = (judged.texts == text) & judged.wrong
        if inside.any():
            missed = np.mean(~(judged.probabilities[inside] < threshold))
            losses.setdefault(int(judged.units[inside][0]), []).append(float(missed))
    return float(np.mean([np.mean(shares) for shares in losses.values()])), len(losses)


@pytest.mark.parametrize("per_unit", [1, 3])
@pytest.mark.parametrize("level", [0.08, 0.1, 0.3])
@pytest.mark.parametrize("seed", range(3))
def test_equals_a_search_over_all_thresholds(seed: int, level: float, per_unit: int) -> None:
    judged = made_texts(np.random.default_rng(seed), 45, per_unit=per_unit)
    found = choose_thresholds(judged, (Rule.of(f"risk-{level}"),))[f"risk-{level}"]
    assert found.value is not None
    coarse = GRID[:: len(GRID) // 200]
    kept = []
    for threshold in coarse:
        risk, n = risk_of(judged, float(threshold))
        kept.append((n * risk + 1) / (n + 1) <= level + 1e-12)
    np.testing.assert_array_equal(np.array(kept), coarse >= found.value)
    index = int(np.searchsorted(GRID, found.value))
    for place, good in ((index - 1, False), (index, True)):
        risk, n = risk_of(judged, float(GRID[place]))
        assert ((n * risk + 1) / (n + 1) <= level + 1e-12) is good
    risk, n = risk_of(judged, found.value)
    assert found.risk == pytest.approx(risk, abs=1e-12)
    assert found.units == n


def test_texts_without_errors_change_nothing() -> None:
    judged = made_texts(np.random.default_rng(0), 40)
    rule = (Rule.of("risk-0.2"),)
    with_errors = np.isin(judged.texts, np.unique(judged.texts[judged.wrong]))
    kept = LabelledTokens.of(
        judged.probabilities[with_errors], judged.wrong[with_errors], judged.texts[with_errors]
    )
    more, fewer = choose_thresholds(judged, rule), choose_thresholds(kept, rule)
    assert more["risk-0.2"].value == fewer["risk-0.2"].value
    assert more["risk-0.2"].units == fewer["risk-0.2"].units


def test_a_text_counts_once_however_many_errors_it_has() -> None:
    # One text with 98 found errors does not hide that every other text is missed
    probabilities = np.r_[np.full(98, 0.1), 0.9, 0.9, 0.95]
    wrong = np.r_[np.ones(100, bool), False]
    texts = np.r_[np.zeros(98), 1, 2, 2].astype(int)
    curve = ThresholdCurve.of(LabelledTokens.of(probabilities, wrong, texts))
    assert curve.missed[np.searchsorted(GRID, 0.5)] == pytest.approx(2 / 3)


@pytest.mark.parametrize("per_unit", [1, 2])
@pytest.mark.parametrize("level", [0.1, 0.25])
def test_the_promise_is_kept_on_average(level: float, per_unit: int) -> None:
    rng = np.random.default_rng(7)
    risks = []
    for _ in range(250):
        chosen = choose_thresholds(
            made_texts(rng, 45, per_unit=per_unit), (Rule.of(f"risk-{level}"),)
        )[f"risk-{level}"]
        assert chosen.value is not None
        risks.append(risk_of(made_texts(rng, 30, per_unit=per_unit), chosen.value)[0])
    mean, error = np.mean(risks), np.std(risks) / np.sqrt(len(risks))
    assert mean <= level + 3 * error
    # Nor is it kept by flagging everything: the slack is about 1 / n
    assert mean >= level - 1 / 20 - 3 * error


def test_too_few_units_give_no_threshold_and_say_how_many_are_needed() -> None:
    judged = made_texts(np.random.default_rng(1), 9)
    found = choose_thresholds(judged, (Rule.of("risk-0.05"),))["risk-0.05"]
    assert found.value is None
    assert found.reason is not None
    assert "19 or more" in found.reason


@pytest.mark.parametrize("level", [0.5, 0.1, 0.05, 0.2, 0.3, 1 / 3, 0.01])
def test_units_needed_is_the_fewest_that_do(level: float) -> None:
    n = units_needed(level)
    nothing_missed = np.zeros(3)
    assert controlled(nothing_missed, units=n, level=level) == 0
    if n > 1:
        assert controlled(nothing_missed, units=n - 1, level=level) is None


@given(
    losses=st.lists(st.floats(0, 1), min_size=1, max_size=30),
    units=st.integers(0, 60),
    level=st.floats(0.01, 0.99),
)
def test_controlled_is_the_first_that_keeps_the_bound(
    losses: list[float], units: int, level: float
) -> None:
    falling = sorted(losses, reverse=True)
    bounds = [(units * loss + 1) / (units + 1) for loss in falling]
    good = [i for i, b in enumerate(bounds) if b <= level + 1e-12 and units > 0]
    assert controlled(falling, units=units, level=level) == (good[0] if good else None)


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, float("nan")])
def test_levels(level: float) -> None:
    with pytest.raises(ValueError, match="level"):
        controlled([0.5], units=10, level=level)
    with pytest.raises(ValueError, match="level"):
        units_needed(level)


@pytest.mark.parametrize("losses", [[0.1, 0.5], [1.5, 0.2], [-0.5], [[0.1]], [float("nan")]])
def test_losses_that_are_none(losses: list[float]) -> None:
    with pytest.raises(ValueError, match="mean_losses"):
        controlled(losses, units=10, level=0.5)
