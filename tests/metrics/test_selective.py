import itertools

import numpy as np
import pytest

from headwise.metrics.selective import (
    answer_accuracy,
    answer_risk,
    answered_share,
    selective_accuracy,
)


def mean_over_orders(scores: list[int], correct: list[bool], answered: int) -> float:
    """Mean accuracy of the first answers over all orders of falling scores."""
    found = [
        np.mean([correct[i] for i in order[:answered]])
        for order in itertools.permutations(range(len(scores)))
        if all(scores[a] >= scores[b] for a, b in itertools.pairwise(order))
    ]
    return float(np.mean(found))


@pytest.mark.parametrize("levels", [1, 2, 3, 100])
@pytest.mark.parametrize(
    ("count", "coverage", "answered"),
    [(1, 0.1, 1), (4, 0.5, 2), (5, 0.8, 4), (5, 0.81, 5), (6, 0.9, 6), (6, 0.4, 3)],
)
def test_ties_are_averaged_over_all_orders(levels, count, coverage, answered) -> None:
    for seed in range(6):
        random = np.random.default_rng(seed)
        scores = random.integers(0, levels, count).tolist()
        correct = (random.random(count) < 0.6).tolist()
        found = selective_accuracy(scores, correct, coverage=coverage)
        assert found.value == pytest.approx(mean_over_orders(scores, correct, answered), abs=1e-12)


def test_shares_that_round_up_do_not_answer_one_more() -> None:
    correct = [True] * 12 + [False] * 3
    found = selective_accuracy(np.arange(15, 0, -1), correct, coverage=0.8)
    assert found.value == 1.0
    assert (found.name, found.count, found.higher_is_better) == ("selective_accuracy_80", 15, True)


@pytest.mark.parametrize("levels", [1, 3, 1000])
@pytest.mark.parametrize("count", [1, 2, 9, 300])
@pytest.mark.parametrize("coverage", [0.05, 0.8, 1.0])
def test_weights_repeat_items(levels, count, coverage) -> None:
    random = np.random.default_rng(count)
    scores, correct = random.integers(0, levels, count), random.random(count) < 0.7
    weights = random.poisson(1.0, (8, count)).astype(float)
    found = selective_accuracy.weighted(scores, correct, coverage=coverage)(weights)
    for row, value in zip(weights, found, strict=True):
        kept = np.repeat(np.arange(count), row.astype(int))
        expected = selective_accuracy(scores[kept], correct[kept], coverage=coverage).value
        assert np.isnan(value) if expected is None else value == pytest.approx(expected, abs=1e-12)


def test_decisions() -> None:
    answered, correct = [1, 1, 1, 0], [1, 1, 0, 0]
    assert answered_share(answered).value == 0.75
    assert answer_accuracy(answered, correct).value == pytest.approx(2 / 3)
    risk = answer_risk(answered, correct)
    assert risk.value == pytest.approx(1 / 3)
    assert not risk.higher_is_better
    assert answer_risk([0, 0], [0, 1]).reason == "Nothing is answered."
    assert answered_share([]).value is None
    assert selective_accuracy([], [], coverage=0.5).reason == "There are no items."


@pytest.mark.parametrize("coverage", [0.0, -1.0, 1.1])
def test_a_coverage_is_a_share(coverage) -> None:
    for metric in (selective_accuracy, selective_accuracy.weighted):
        with pytest.raises(ValueError, match="`coverage` must lie in"):
            metric([0.5], [True], coverage=coverage)
    with pytest.raises(ValueError, match="one value for each item"):
        selective_accuracy([0.5], [True, False], coverage=0.5)
