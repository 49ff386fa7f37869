"""The order of systems by their scores and by people, against SciPy and by hand."""

import itertools

import numpy as np
import pytest
from scipy.stats import kendalltau, norm, pearsonr

from headwise.metrics import (
    soft_pairwise_accuracy,
    system_kendall,
    system_pairwise_accuracy,
    system_pearson,
)


def means(values, systems):
    return [np.mean(values[systems == name]) for name in np.unique(systems)]


@pytest.fixture
def texts():
    """Scores and gold of six systems on forty sources; two systems have the same gold."""
    rng = np.random.default_rng(0)
    systems = np.repeat(np.array(list("abcdef")), 40)
    gold = np.repeat([0, 10, 20, 20, 40, 50], 40) + np.tile(rng.normal(0, 30, 40), 6)
    scores = 0.01 * gold + rng.normal(0, 2, 240)
    return scores, gold, systems, np.tile(np.arange(40), 6)


def test_systems_correlate_as_in_scipy(texts) -> None:
    scores, gold, systems, _ = texts
    pair = means(scores, systems), means(gold, systems)
    found = system_pearson(scores, gold, systems)
    assert found.value == pytest.approx(pearsonr(*pair)[0])
    assert found.count == 6
    tied = means(np.round(gold, 6), systems)
    assert system_kendall(scores, gold, systems).value == pytest.approx(
        kendalltau(pair[0], np.round(tied, 6))[0]
    )


def test_a_weight_is_how_often_a_text_counts(texts) -> None:
    scores, gold, systems, _ = texts
    weights = np.random.default_rng(1).integers(0, 3, 240)
    repeated = np.repeat(np.arange(240), weights)
    for metric in (system_pearson, system_kendall, system_pairwise_accuracy):
        weighted = metric.weighted(scores, gold, systems)(weights[None].astype(float))
        again = metric(scores[repeated], gold[repeated], systems[repeated])
        assert weighted == pytest.approx([again.value])
    without_a = np.where(systems == "a", 0.0, 1.0)[None]
    assert np.isnan(system_pearson.weighted(scores, gold, systems)(without_a)).all()


def test_what_has_no_correlation_over_systems_says_why() -> None:
    two = system_pearson([1, 2], [1, 2], ["a", "b"])
    assert two.reason == "A correlation over systems needs three of them, got 2."
    same = system_kendall([0.1, 0.2, 0.3], [5, 5, 5], ["a", "b", "c"])
    assert same.reason == "All systems have the same mean gold."


def one_sided(first, second):
    """The p-value by all exchanges, ties counted half."""
    differences = np.array(first) - np.array(second)
    sums = [sum(s * d for s, d in zip(signs, differences, strict=True))
            for signs in itertools.product((1, -1), repeat=len(differences))]  # fmt: skip
    return np.mean([0.5 if np.isclose(s, sum(differences)) else s > sum(differences) for s in sums])


def test_soft_accuracy_compares_p_values_of_all_exchanges() -> None:
    scores = {"a": [1.0, 2, 3, 5, 1], "b": [2.0, 2, 4, 4, 3], "c": [0.5, 1, 1, 0, 2]}
    gold = {"a": [80, 90, 70, 60, 50], "b": [70, 95, 90, 80, 60], "c": [60, 85, 50, 50, 40]}
    pairs = list(itertools.combinations("abc", 2))
    expected = np.mean(
        [1 - abs(one_sided(scores[i], scores[j]) - one_sided(gold[i], gold[j])) for i, j in pairs]
    )
    flat = [np.concatenate([side[name] for name in "abc"]) for side in (scores, gold)]
    systems, sources = np.repeat(list("abc"), 5), np.tile(np.arange(5), 3)
    found = soft_pairwise_accuracy(*flat, systems, sources, permutations=20_000)
    assert found.value == pytest.approx(expected, abs=0.01)
    assert found.count == 3
    assert found.low is None


def test_soft_accuracy_is_one_for_the_gold_itself_and_half_says_nothing(texts) -> None:
    _, gold, systems, sources = texts
    assert soft_pairwise_accuracy(gold, gold, systems, sources).value == 1.0
    # Constant scores have a p-value of one half; that of the gold is close to a normal tail
    tails = []
    for first, second in itertools.combinations("abcdef", 2):
        difference = gold[systems == first] - gold[systems == second]
        z = difference.sum() / max(np.sqrt((difference**2).sum()), 1e-9)
        tails.append(norm.sf(z) if abs(difference).max() > 1e-9 else 0.5)
    expected = 1 - np.mean(np.abs(np.array(tails) - 0.5))
    found = soft_pairwise_accuracy(np.zeros(240), gold, systems, sources).value
    assert found == pytest.approx(expected, abs=0.01)


def test_soft_accuracy_needs_every_source_of_every_system() -> None:
    found = soft_pairwise_accuracy([1, 2, 3], [1, 2, 3], ["a", "a", "b"], [0, 1, 0])
    assert found.reason == "Some systems lack sources that others have."


def test_systems() -> None:
    scores = [1, 3, 5, 5, 0, 0, 4, 4]
    gold = [1, 1, 2, 2, 3, 3, 2, 2]
    systems = ["a", "a", "b", "b", "c", "c", "d", "d"]
    # Means 2, 5, 0, 4 against 1, 2, 3, 2: b and d are tied by the gold
    metric = system_pairwise_accuracy(scores, gold, systems)
    assert metric.value == pytest.approx(2 / 5)
    assert metric.count == 5
    order = np.random.default_rng(0).permutation(8)
    shuffled = system_pairwise_accuracy(*(np.array(c)[order] for c in (scores, gold, systems)))
    assert shuffled == metric


def test_systems_with_the_same_numbers_are_tied_in_any_order() -> None:
    values = [0.1, 0.2, 0.3, 0.3, 0.2, 0.1]
    systems = ["a"] * 3 + ["b"] * 3
    assert system_pairwise_accuracy(values, [1, 1, 1, 2, 2, 2], systems).value == 0.0
    assert system_pairwise_accuracy([1, 1, 1, 2, 2, 2], values, systems).value is None


def test_fewer_than_two_systems_are_undefined() -> None:
    assert system_pairwise_accuracy([], [], []).value is None
    metric = system_pairwise_accuracy([1, 2], [1, 2], ["a", "a"])
    assert metric.reason == "A pair needs two systems, got 1."
