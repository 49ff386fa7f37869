import itertools

import numpy as np
import pytest
import sklearn.metrics

from headwise.metrics import f1, matthews, precision, recall


def every_table(largest: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Flags and errors for all counts of the four cells up to a number."""
    flags, errors = np.array([1, 1, 0, 0], bool), np.array([1, 0, 1, 0], bool)
    return [
        (np.repeat(flags, cells), np.repeat(errors, cells))
        for cells in itertools.product(range(largest + 1), repeat=4)
    ]


RANDOM = [
    (random.random(count) < 0.3, random.random(count) < 0.2)
    for count in (2, 10, 3000)
    for random in map(np.random.default_rng, range(20))
]


@pytest.mark.parametrize("flagged_and_wrong", [every_table(2), RANDOM])
def test_equals_scikit_learn(flagged_and_wrong: list[tuple[np.ndarray, np.ndarray]]) -> None:
    for flagged, wrong in flagged_and_wrong:
        found = {
            "mcc": matthews(flagged, wrong),
            "f1_wrong": f1(flagged, wrong, of="wrong"),
            "f1_right": f1(flagged, wrong, of="right"),
            "precision": precision(flagged, wrong),
            "recall": recall(flagged, wrong),
        }
        varied = 0 < flagged.sum() < len(flagged) and 0 < wrong.sum() < len(wrong)
        defined = {
            "mcc": varied,
            "f1_wrong": (flagged | wrong).any(),
            "f1_right": not (flagged & wrong).all(),
            "precision": flagged.any(),
            "recall": wrong.any(),
        }
        for name, metric in found.items():
            assert (metric.name, metric.count) == (name, len(flagged))
            assert (metric.value is not None) == defined[name], (name, flagged, wrong)
            if metric.value is not None:
                reference = {
                    "mcc": sklearn.metrics.matthews_corrcoef,
                    "f1_wrong": sklearn.metrics.f1_score,
                    "f1_right": lambda w, f: sklearn.metrics.f1_score(~w, ~f),
                    "precision": sklearn.metrics.precision_score,
                    "recall": sklearn.metrics.recall_score,
                }[name]
                assert metric.value == pytest.approx(reference(wrong, flagged), abs=1e-9)


def test_known_values() -> None:
    flagged, wrong = [1, 1, 1, 0, 0, 0], [1, 1, 0, 1, 0, 0]
    assert precision(flagged, wrong).value == pytest.approx(2 / 3)
    assert recall(flagged, wrong).value == pytest.approx(2 / 3)
    assert f1(flagged, wrong, of="wrong").value == pytest.approx(2 / 3)
    assert matthews(flagged, wrong).value == pytest.approx(1 / 3)
    assert matthews(wrong, wrong).value == 1.0
    assert matthews(np.logical_not(wrong), wrong).value == -1.0
    assert f1([1, 0], [0, 1], of="wrong").value == 0.0


def test_many_items_do_not_overflow() -> None:
    count = 4_000_000
    wrong = np.arange(count) % 2 == 0
    assert matthews(wrong, wrong).value == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("flagged", "wrong", "reason"),
    [
        ([0, 0], [0, 1], "No item is flagged."),
        ([1, 1], [0, 1], "All items are flagged."),
        ([0, 1], [0, 0], "No item is wrong."),
        ([0, 1], [1, 1], "All items are wrong."),
        ([], [], "There are no items."),
    ],
)
def test_an_empty_margin_says_which(flagged: list[int], wrong: list[int], reason: str) -> None:
    assert matthews(flagged, wrong).reason == reason


def test_bad_input() -> None:
    for metric in (matthews, precision, recall, lambda *sides: f1(*sides, of="right")):
        assert metric([], []).reason == "There are no items."
        with pytest.raises(ValueError, match=r"`flagged` must hold booleans, or 0 and 1, got 0\.4"):
            metric([0.4], [True])
        with pytest.raises(ValueError, match="`wrong` must hold booleans, or 0 and 1, got 3"):
            metric([True], [3])
        with pytest.raises(ValueError, match=r"`flagged` and `wrong` .* got 1 and 2"):
            metric([True], [True, False])
    with pytest.raises(ValueError, match="`of` must be 'wrong' or 'right', got 'BAD'"):
        f1([True], [True], of="BAD")
