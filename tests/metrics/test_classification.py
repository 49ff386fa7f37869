import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    precision_recall_fscore_support,
    precision_score,
    recall_score,
)
from sklearn.metrics import confusion_matrix as sklearn_confusion_matrix

from headwise.metrics import Metric
from headwise.metrics.classification import (
    accuracy,
    class_f1,
    class_precision,
    class_recall,
    confusion_matrix,
    macro_f1,
)

C = 3
OF_CLASS = (
    (class_precision, class_precision.weighted),
    (class_recall, class_recall.weighted),
    (class_f1, class_f1.weighted),
)


def cases():
    rng = np.random.default_rng(0)
    for count in (1, 2, 7, 60, 500):
        for known in (1, 2, 3):
            yield rng.integers(0, known, count), rng.integers(0, C, count)


@pytest.mark.parametrize(("predicted", "gold"), list(cases()))
def test_all_equal_their_reference(predicted, gold) -> None:
    labels = list(range(C))
    np.testing.assert_array_equal(
        confusion_matrix(predicted, gold, classes=C),
        sklearn_confusion_matrix(gold, predicted, labels=labels),
    )
    found = accuracy(predicted, gold, classes=C)
    assert found.value == pytest.approx(accuracy_score(gold, predicted), abs=1e-12)
    assert (found.name, found.count) == ("accuracy", len(gold))
    found = macro_f1(predicted, gold, classes=C)
    expected = f1_score(gold, predicted, average="macro", zero_division=0)
    assert found.value == pytest.approx(expected, abs=1e-12)
    reference = precision_recall_fscore_support(
        gold, predicted, labels=labels, zero_division=np.nan
    )
    for of in labels:
        for (plain, _), values in zip(OF_CLASS, reference, strict=False):
            value = plain(predicted, gold, of=of, classes=C).value
            assert (
                np.isnan(values[of])
                if value is None
                else value == pytest.approx(values[of], abs=1e-12)
            )


@pytest.mark.parametrize(("predicted", "gold"), list(cases()))
def test_weights_repeat_items(predicted, gold) -> None:
    weights = np.random.default_rng(1).poisson(1.0, (6, len(gold))).astype(float)
    statistics = [(macro_f1, macro_f1.weighted, {})]
    statistics += [(*both, {"of": of}) for both in OF_CLASS for of in range(C)]
    for plain, weighted, options in statistics:
        found = weighted(predicted, gold, classes=C, **options)(weights)
        for row, value in zip(weights, found, strict=True):
            kept = np.repeat(np.arange(len(gold)), row.astype(int))
            expected: Metric = plain(predicted[kept], gold[kept], classes=C, **options)
            if expected.value is None:
                assert np.isnan(value)
            else:
                assert value == pytest.approx(expected.value, abs=1e-12)


def test_undefined_says_why() -> None:
    assert class_precision([0, 0], [0, 1], of=1, classes=2).reason == "No answer has this class."
    assert class_recall([0, 1], [0, 0], of=1, classes=2).reason == "No item is of this class."
    assert class_f1([0], [0], of=1, classes=2).value is None
    for metric in (accuracy, macro_f1):
        assert metric([], [], classes=2).reason == "There are no items."
    assert confusion_matrix([], [], classes=2).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize(
    ("predicted", "gold", "message"),
    [
        ([0, 3], [0, 1], r"`predicted` must lie in \[0, 3\), got 3 at index 1"),
        ([0], [-1], "`gold` must lie in"),
        ([0.5], [0], "must hold class indices"),
        ([[0]], [0], "flat"),
        ([0, 1], [0], "got 2 and 1"),
    ],
)
def test_bad_input_is_named(predicted, gold, message) -> None:
    with pytest.raises(ValueError, match=message):
        accuracy(predicted, gold, classes=C)


def test_a_class_must_be_one() -> None:
    with pytest.raises(ValueError, match="`of` must lie in"):
        class_f1([0], [0], of=3, classes=3)
    with pytest.raises(ValueError, match="`of` must lie in"):
        class_f1.weighted([0], [0], of=-1, classes=3)
    with pytest.raises(ValueError, match="`classes` must be at least 1"):
        macro_f1([0], [0], classes=0)


def test_two_classes_are_precision_and_recall() -> None:
    predicted, gold = [1, 0, 1, 1], [1, 1, 0, 1]
    assert class_precision(predicted, gold, of=1, classes=2).value == precision_score(
        gold, predicted
    )
    assert class_recall(predicted, gold, of=1, classes=2).value == recall_score(gold, predicted)
