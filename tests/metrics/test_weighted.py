import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import average_precision_score, f1_score, matthews_corrcoef, roc_auc_score

from headwise.metrics import (
    Metric,
    Weighted,
    average_precision,
    f1,
    matthews,
    pearson,
    rejection_ratio,
    risk_coverage_area,
    roc_auc,
    spearman,
    weighted_mean,
    weighted_ratio,
)

SIZES = (1, 2, 3, 7, 50, 400)


def cases():
    """Scores, gold, labels and weights: continuous and tied, few and many."""
    rng = np.random.default_rng(0)
    for count in SIZES:
        for levels in (0, 2, 5):
            scores, gold = rng.normal(size=(2, count))
            if levels:
                scores, gold = np.round(scores * levels) / levels, np.round(gold * levels)
            labels, flags = rng.random((2, count)) < 0.4
            yield scores, gold, labels, flags, rng.poisson(1.0, (4, count)).astype(float)


def agree(statistic: Weighted, weights, plain) -> None:
    """The statistic equals the metric of the repeated items, or both are undefined."""
    for row, value in zip(weights, statistic(weights), strict=True):
        expected = plain(np.repeat(np.arange(len(row)), row.astype(int)))
        expected = expected.value if isinstance(expected, Metric) else expected
        if expected is None or np.isnan(expected):
            assert np.isnan(value), (value, expected)
        else:
            assert value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("scores", "gold", "labels", "flags", "weights"), list(cases()))
def test_every_statistic_is_the_metric_of_the_repeated_items(
    scores, gold, labels, flags, weights
) -> None:
    agree(pearson.weighted(scores, gold), weights, lambda i: pearson(scores[i], gold[i]))
    agree(spearman.weighted(scores, gold), weights, lambda i: spearman(scores[i], gold[i]))
    agree(roc_auc.weighted(scores, labels), weights, lambda i: roc_auc(scores[i], labels[i]))
    for positive in ("correct", "wrong"):
        agree(
            average_precision.weighted(scores, labels, positive=positive),
            weights,
            lambda i, p=positive: average_precision(scores[i], labels[i], positive=p),
        )
    agree(matthews.weighted(flags, labels), weights, lambda i: matthews(flags[i], labels[i]))
    for of in ("wrong", "right"):
        agree(
            f1.weighted(flags, labels, of=of),
            weights,
            lambda i, of=of: f1(flags[i], labels[i], of=of),
        )
    agree(
        rejection_ratio.weighted(scores, gold),
        weights,
        lambda i: rejection_ratio(scores[i], gold[i]),
    )
    for losses in (gold, labels.astype(float)):
        agree(
            risk_coverage_area.weighted(scores, losses),
            weights,
            lambda i, losses=losses: risk_coverage_area(scores[i], losses[i]),
        )


def test_against_scipy_and_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    scores, gold = np.round(rng.normal(size=(2, 300)), 1)
    labels = gold + rng.normal(size=300) > 0.5
    weights = rng.poisson(1.0, (3, 300)).astype(float)
    agree(pearson.weighted(scores, gold), weights, lambda i: pearsonr(scores[i], gold[i]).statistic)
    agree(
        spearman.weighted(scores, gold), weights, lambda i: spearmanr(scores[i], gold[i]).statistic
    )
    agree(roc_auc.weighted(scores, labels), weights, lambda i: roc_auc_score(labels[i], scores[i]))
    agree(
        average_precision.weighted(scores, labels),
        weights,
        lambda i: average_precision_score(labels[i], scores[i]),
    )
    agree(
        average_precision.weighted(scores, labels, positive="wrong"),
        weights,
        lambda i: average_precision_score(~labels[i], -scores[i]),
    )
    flags = scores < 0
    agree(
        matthews.weighted(flags, labels),
        weights,
        lambda i: matthews_corrcoef(labels[i], flags[i]),
    )
    agree(f1.weighted(flags, labels, of="wrong"), weights, lambda i: f1_score(labels[i], flags[i]))


@settings(deadline=None)
@given(st.data())
def test_ranks_and_rejection_on_any_ties(data: st.DataObject) -> None:
    items = st.tuples(st.integers(-3, 3), st.integers(-3, 3), st.booleans(), st.integers(0, 4))
    drawn = data.draw(st.lists(items, min_size=1, max_size=12))
    scores, gold, labels, weights = (np.array(column) for column in zip(*drawn, strict=True))
    weights = weights[None].astype(float)
    agree(spearman.weighted(scores, gold), weights, lambda i: spearman(scores[i], gold[i]))
    agree(pearson.weighted(scores, gold), weights, lambda i: pearson(scores[i], gold[i]))
    agree(roc_auc.weighted(scores, labels), weights, lambda i: roc_auc(scores[i], labels[i]))
    agree(
        average_precision.weighted(scores, labels),
        weights,
        lambda i: average_precision(scores[i], labels[i], positive="correct"),
    )
    agree(
        rejection_ratio.weighted(scores, gold),
        weights,
        lambda i: rejection_ratio(scores[i], gold[i]),
    )
    agree(
        risk_coverage_area.weighted(scores, gold),
        weights,
        lambda i: risk_coverage_area(scores[i], gold[i]),
    )


def test_mean_and_ratio() -> None:
    weights = np.array([[1.0, 2.0, 0.0], [0.0, 0.0, 0.0]])
    assert weighted_mean([1.0, 4.0, 100.0])(weights)[0] == pytest.approx(3.0)
    assert np.isnan(weighted_mean([1.0, 4.0, 100.0])(weights)[1])
    ratio = weighted_ratio([1, 2, 3], [2, 4, 0])
    assert ratio(weights)[0] == pytest.approx(5 / 10)
    assert np.isnan(ratio(np.array([[0.0, 0.0, 5.0]]))[0])
    assert weighted_mean([1e308, 1e308, 0.0])(weights)[0] == pytest.approx(1e308)


def test_pearson_of_numbers_that_are_hard_to_square() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(2, 40))
    weights = rng.poisson(1.0, (3, 40)).astype(float)
    expected = pearson.weighted(x, y)(weights)
    for scale, offset in ((1e300, 0.0), (1e-300, 0.0), (1.0, 1e6)):
        found = pearson.weighted(x * scale + offset, y)(weights)
        assert found == pytest.approx(expected, abs=1e-9)


def test_pearson_where_the_outlier_is_not_drawn() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(2, 30))
    x[0] = 1e7
    weights = np.ones((2, 30))
    weights[1, 0] = 0
    found = pearson.weighted(x, y)(weights)
    assert found[1] == pytest.approx(pearsonr(x[1:], y[1:]).statistic, abs=1e-9)
    constant = pearson.weighted([5.0, 1.1, 1.1, 1.1], [1.0, 2.0, 3.0, 4.0])
    assert np.isnan(constant(np.array([[0.0, 1.0, 2.0, 3.0]]))[0])


def test_tokens_of_one_kind_are_undefined() -> None:
    weights = np.ones((1, 3))
    assert np.isnan(roc_auc.weighted([1, 2, 3], [1, 1, 1])(weights)[0])
    assert np.isnan(roc_auc.weighted([1, 2, 3], [0, 0, 0])(weights)[0])
    assert np.isnan(average_precision.weighted([1, 2, 3], [0, 0, 0])(weights)[0])
    assert average_precision.weighted([1, 2, 3], [1, 1, 1])(weights)[0] == 1.0
    assert np.isnan(spearman.weighted([1, 1, 1], [1, 2, 3])(weights)[0])
    assert np.isnan(rejection_ratio.weighted([1, 2, 3], [2, 2, 2])(weights)[0])
    assert np.isnan(matthews.weighted([1, 1, 1], [0, 1, 0])(weights)[0])


def every_statistic(count: int) -> list[Weighted]:
    """One of each kind, of so many items."""
    x, labels = np.linspace(0, 1, count), np.arange(count) % 2
    return [
        weighted_mean(x),
        weighted_ratio(x, x),
        pearson.weighted(x, x),
        spearman.weighted(x, x),
        roc_auc.weighted(x, labels),
        average_precision.weighted(x, labels),
        matthews.weighted(labels, labels),
        f1.weighted(labels, labels, of="wrong"),
        rejection_ratio.weighted(x, x),
        risk_coverage_area.weighted(x, x),
    ]


@pytest.mark.parametrize("statistic", every_statistic(4))
def test_nothing_drawn_is_undefined_and_shapes_are_checked(statistic: Weighted) -> None:
    assert np.isnan(statistic(np.zeros((2, 4)))).all()
    assert statistic(np.ones((0, 4))).shape == (0,)
    for shape in ((2, 5), (4,)):
        with pytest.raises(ValueError, match="one for each item"):
            statistic(np.ones(shape))


@pytest.mark.parametrize("statistic", every_statistic(0))
def test_no_items_are_undefined(statistic: Weighted) -> None:
    assert np.isnan(statistic(np.ones((2, 0)))).all()


def test_wrong_input_is_named() -> None:
    with pytest.raises(ValueError, match=r"`scores` and `gold`.*3 and 2"):
        spearman.weighted([1, 2, 3], [1, 2])
    with pytest.raises(ValueError, match=r"`gold` must hold finite.*nan at index 1"):
        pearson.weighted([1, 2], [1, float("nan")])
    with pytest.raises(ValueError, match="`correct` must hold booleans"):
        roc_auc.weighted([1, 2], [1, 2])
    with pytest.raises(ValueError, match="`positive` must be"):
        average_precision.weighted([1], [1], positive="best")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="`of` must be"):
        f1.weighted([1], [1], of="both")  # type: ignore[arg-type]
