"""One threshold for several stages: steps against the plain definition, and the guarantee."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom

from headwise.metrics.thresholds.abstention import threshold_with_guarantee
from headwise.metrics.thresholds.cascade import (
    answering_stage,
    cascade_steps,
    cascade_threshold_with_guarantee,
)

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def drawn(seed: int, count: int, stages: int, *, steps: int = 0) -> tuple[Floats, Bools]:
    """Qualities in [0, 1], and answers that are wrong with the probability (1 - quality) / 2."""
    rng = np.random.default_rng(seed)
    quality = rng.random((count, stages))
    if steps:
        quality = np.round(quality * steps) / steps
    return quality, rng.random((count, stages)) < (1 - quality) / 2


def plain_answers(quality: Floats, wrong: Bools, threshold: float) -> tuple[int, int]:
    """How many questions are answered at a threshold, and how many wrongly."""
    answered = errors = 0
    for qualities, mistakes in zip(quality, wrong, strict=True):
        for one, mistake in zip(qualities, mistakes, strict=True):
            if one >= threshold:
                answered, errors = answered + 1, errors + int(mistake)
                break
    return answered, errors


@pytest.mark.parametrize("stages", [1, 2, 3])
@pytest.mark.parametrize("steps", [0, 6])
def test_steps_are_those_of_every_threshold(stages: int, steps: int) -> None:
    quality, wrong = drawn(stages, 40, stages, steps=steps)
    quality[3, 0] = np.nan
    quality[::5, -1] = np.inf
    values, answers, errors = cascade_steps(quality, wrong)
    assert values.tolist() == sorted(set(quality[~np.isnan(quality)].tolist()), reverse=True)
    for value, answered, mistakes in zip(values, answers, errors, strict=True):
        assert plain_answers(quality, wrong, value) == (answered, mistakes)
        assert (answering_stage(quality, threshold=value) < stages).sum() == answered


def test_of_one_stage_it_is_the_threshold_on_an_uncertainty() -> None:
    quality, wrong = drawn(0, 800, 1)
    found = cascade_threshold_with_guarantee(quality, wrong, risk=0.2)
    expected = threshold_with_guarantee(1 - quality[:, 0], wrong[:, 0], risk=0.2)
    assert found is not None
    assert expected is not None
    assert (quality[:, 0] >= found).sum() == (1 - quality[:, 0] < expected).sum()


def test_the_threshold_is_the_last_of_an_unbroken_row() -> None:
    quality, wrong = drawn(1, 1000, 2)
    found = cascade_threshold_with_guarantee(quality, wrong, risk=0.15)
    assert found is not None
    expected = 0
    for value in np.unique(quality)[::-1]:
        answered, errors = plain_answers(quality, wrong, value)
        if answered < 10 / 0.15:
            continue
        if binom.cdf(errors, answered, 0.15) > 0.05:
            break
        expected = answered
    assert plain_answers(quality, wrong, found)[0] == expected


def test_the_guarantee_holds_as_often_as_promised() -> None:
    """At a threshold t a stage answers with a quality in [t, 1], wrong by (1 - t) / 4 on average.

    A second stage answers likewise, so that this is the error rate of the whole cascade.
    """
    broken = found = 0
    runs = 300
    for seed in range(runs):
        quality, wrong = drawn(seed, 400, 2)
        threshold = cascade_threshold_with_guarantee(quality, wrong, risk=0.1, confidence=0.9)
        if threshold is not None:
            found += 1
            broken += (1 - threshold) / 4 > 0.1
    assert found > 0.8 * runs
    # Three standard errors above the promise
    assert broken / runs <= 0.1 + 3 * (0.1 * 0.9 / runs) ** 0.5


@pytest.mark.parametrize(("mistakes", "risk"), [(0, 0.1), (30, 0.5)])
def test_a_stage_that_always_answers_begins_the_row(mistakes: int, risk: float) -> None:
    """Its errors count from the first test on; the threshold is one that every quality keeps."""
    quality = np.column_stack([np.linspace(0, 1, 100), np.full(100, np.inf)])
    wrong = np.zeros((100, 2), bool)
    wrong[:, 0] = True  # the small model is always wrong
    wrong[:mistakes, 1] = True
    found = cascade_threshold_with_guarantee(quality, wrong, risk=risk)
    assert found is not None
    assert np.isfinite(found)
    answered, errors = plain_answers(quality, wrong, found)
    assert answered == 100
    assert binom.cdf(errors, 100, risk) <= 0.05


def test_nothing_can_be_said_without_enough_or_with_wrong_columns() -> None:
    quality, wrong = drawn(0, 20, 2)
    assert cascade_threshold_with_guarantee(quality, wrong, risk=0.01) is None
    with pytest.raises(ValueError, match="one shape"):
        cascade_steps(quality, wrong[:, :1])
    with pytest.raises(ValueError, match=r"\(n, k\)"):
        cascade_steps(quality[:, 0], wrong[:, 0])
    with pytest.raises(ValueError, match="No stage has a quality"):
        cascade_steps(np.full((3, 2), np.nan), np.zeros((3, 2)))
    with pytest.raises(ValueError, match="`risk` must lie"):
        cascade_threshold_with_guarantee(quality, wrong, risk=1.0)
