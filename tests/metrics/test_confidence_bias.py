import numpy as np
import pytest

from headwise.metrics import over_confidence, under_confidence


@pytest.mark.parametrize("count", [2, 3, 50, 2000])
def test_equals_its_definition(count: int) -> None:
    for seed in range(20):
        random = np.random.default_rng(seed)
        # Hundredths, of which no two different ones are near each other once scaled
        scores = np.append(random.integers(0, 100, count - 2), [0, 100])
        gold = np.append(random.integers(20, 60, count - 2), [60, 20])
        left = [(int(s) - 0) * 40 for s in scores]
        right = [(int(g) - 20) * 100 for g in gold]
        below = sum(s < g for s, g in zip(left, right, strict=True)) / count
        above = sum(s > g for s, g in zip(left, right, strict=True)) / count
        under, over = under_confidence(scores / 100, gold), over_confidence(scores / 100, gold)
        assert under.value == pytest.approx(below, abs=1e-12)
        assert over.value == pytest.approx(above, abs=1e-12)
        assert (under.name, under.count) == ("under_confidence", count)
        assert (over.name, over.count) == ("over_confidence", count)
        assert not under.higher_is_better
        assert not over.higher_is_better


def test_another_unit_is_neither() -> None:
    gold = np.random.default_rng(0).random(1000)
    for scores in (gold, 100 * gold, 0.1 + 0.7 * gold, 1e300 * gold, 1e-300 * gold - 1e-301):
        assert under_confidence(scores, gold).value == 0.0
        assert over_confidence(scores, gold).value == 0.0


def test_known_shares() -> None:
    scores, gold = [0.0, 0.1, 0.9, 1.0], [0, 50, 50, 100]
    assert under_confidence(scores, gold).value == 0.25
    assert over_confidence(scores, gold).value == 0.25
    reverse = [1.7e308, -1.7e308]
    assert under_confidence(reverse, [0, 1]).value == 0.5
    assert over_confidence(reverse, [0, 1]).value == 0.5


@pytest.mark.parametrize("metric", [under_confidence, over_confidence])
def test_undefined_and_bad_input(metric) -> None:
    for scores, gold, reason in (
        ([], [], "There are no items."),
        ([0.5], [1.0], "All scores are the same."),
        ([0.5, 0.5], [1.0, 2.0], "All scores are the same."),
        ([0.5, 0.6], [1.0, 1.0], "All gold values are the same."),
    ):
        found = metric(scores, gold)
        assert (found.value, found.reason, found.higher_is_better) == (None, reason, False)
    with pytest.raises(ValueError, match="`gold` must hold finite numbers, got nan at index 1"):
        metric([0.0, 1.0], [0.0, float("nan")])
    with pytest.raises(ValueError, match=r"`scores` and `gold` .* got 1 and 2"):
        metric([0.0], [0.0, 1.0])
