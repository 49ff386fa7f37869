import numpy as np
import pytest
from sklearn.metrics import f1_score, matthews_corrcoef

from headwise.evaluation.statistics.cross_fitting import _best_threshold, cross_fitted_flags


def data(seed=0, count=400):
    rng = np.random.default_rng(seed)
    wrong = rng.random(count) < 0.2
    values = np.round(rng.normal(0, 1, count) - 1.5 * wrong, 1)  # with ties
    return values, wrong, rng.integers(0, 60, count)


@pytest.mark.parametrize(("criterion", "score"), [("mcc", matthews_corrcoef), ("f1", f1_score)])
@pytest.mark.parametrize("seed", range(5))
def test_no_other_threshold_is_better(criterion, score, seed) -> None:
    values, wrong, _ = data(seed)
    chosen = score(wrong, values < _best_threshold(values, wrong, criterion=criterion))
    for threshold in np.unique(values)[1:]:
        assert score(wrong, values < threshold) <= chosen + 1e-12


def test_a_group_has_no_say_in_its_own_threshold() -> None:
    values, wrong, groups = data()
    flags = cross_fitted_flags(values, wrong, groups)
    for group in (3, 17):
        inside = groups == group
        lies = np.where(inside, ~wrong, wrong)
        assert np.array_equal(cross_fitted_flags(values, lies, groups)[inside], flags[inside])


def test_flags_find_what_can_be_told() -> None:
    values, wrong, groups = data()
    perfect = np.where(wrong, -1.0, 1.0)
    assert np.array_equal(cross_fitted_flags(perfect, wrong, groups), wrong)
    assert 0.3 < matthews_corrcoef(wrong, cross_fitted_flags(values, wrong, groups)) < 0.7


def test_nothing_to_tell() -> None:
    values, _, groups = data()
    none, every = np.zeros(len(values), bool), np.ones(len(values), bool)
    assert not cross_fitted_flags(values, none, groups).any()
    assert cross_fitted_flags(values, every, groups).all()
    assert not cross_fitted_flags(np.zeros(len(values)), data()[1], groups).any()


def test_a_single_group_chooses_on_itself() -> None:
    values, wrong, _ = data()
    flags = cross_fitted_flags(values, wrong, np.zeros(len(values), np.int64))
    assert flags.any()


def test_no_items() -> None:
    nothing = np.zeros(0)
    assert len(cross_fitted_flags(nothing, nothing.astype(bool), nothing.astype(np.int64))) == 0
