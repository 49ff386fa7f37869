"""How far intervals and marks of `headwise evaluate` can be trusted, on made-up data.

Groups of texts with effects of their own, as sources have; the truth comes from a large sample.
"""

import argparse

import numpy as np

from headwise.evaluation.statistics.cross_fitting import cross_fitted_flags
from headwise.evaluation.statistics.significance import compare_with_best
from headwise.metrics import (
    matthews,
    roc_auc,
    spearman,
)
from headwise.metrics.bootstrap import bootstrap, percentile_interval
from headwise.metrics.pairwise_accuracy import pairwise_accuracy

LEVEL = 0.05


def drawn(rng: np.random.Generator, groups: int) -> tuple[np.ndarray, ...]:
    """Groups of eight items: a score, numbers as gold, and one wrong item in ten."""
    group = np.repeat(np.arange(groups), 8)
    effects = rng.normal(size=(2, groups))[:, group]
    gold = effects[0] + rng.normal(size=len(group))
    wrong = 0.8 * effects[0] + rng.normal(size=len(group)) < -1.6
    score = 0.5 * gold - 0.8 * wrong + 0.7 * effects[1] + rng.normal(size=len(group))
    return group, gold, wrong, score


def coverage(groups: int, *, runs: int, resamples: int, truth: np.ndarray) -> np.ndarray:
    """Share of intervals that hold the true Spearman, ROC AUC and cross-fitted MCC."""
    held = np.zeros((runs, 3))
    for run in range(runs):
        group, gold, wrong, score = drawn(np.random.default_rng([groups, run]), groups)
        flags = cross_fitted_flags(score, wrong, group)
        samples = bootstrap(
            [
                spearman.weighted(score, gold),
                roc_auc.weighted(score, ~wrong),
                matthews.weighted(flags, wrong),
            ],
            count=len(group),
            groups=group,
            resamples=resamples,
            seed=run,
        )
        for metric, values in enumerate(samples):
            ends = percentile_interval(values)
            held[run, metric] = ends is not None and ends[0] <= truth[metric] <= ends[1]
    return held.mean(axis=0)


def wrong_marks(signals: int, *, runs: int, resamples: int, groups: int = 200) -> np.ndarray:
    """Share of tables in which any, and of rows of which each, of equal signals is called worse."""
    called = np.zeros((runs, signals - 1))
    for run in range(runs):
        rng = np.random.default_rng([signals, run])
        group = np.repeat(np.arange(groups), 4)
        gold = rng.normal(size=groups)[group] + rng.normal(size=len(group))
        common = rng.normal(size=len(group))
        scores = [
            0.7 * gold + 0.7 * common + 0.7 * rng.normal(size=len(group)) for _ in range(signals)
        ]
        samples = bootstrap(
            [spearman.weighted(score, gold) for score in scores],
            count=len(group),
            groups=group,
            resamples=resamples,
            seed=run,
        )
        found = compare_with_best(
            "spearman",
            [str(index) for index in range(signals)],
            [spearman(score, gold) for score in scores],
            samples,
            level=LEVEL,
        )
        called[run] = [comparison.distinguishable for comparison in found]
    return np.array([called.any(axis=1).mean(), called.mean()])


def flattery(sources: int, *, runs: int) -> float:
    """How much more than a half the calibrated pairwise accuracy of noise is."""
    values = []
    for run in range(runs):
        rng = np.random.default_rng([sources, run])
        source = np.repeat(np.arange(sources), 4)
        found = pairwise_accuracy(
            rng.normal(size=len(source)),
            rng.integers(0, 5, len(source)).astype(float),
            source,
            resamples=1,
        )
        fixed = pairwise_accuracy(
            rng.normal(size=len(source)),
            rng.integers(0, 5, len(source)).astype(float),
            source,
            epsilon=found.epsilon,
            resamples=1,
        )
        assert found.metric.value is not None
        assert fixed.metric.value is not None
        values.append(found.metric.value - fixed.metric.value)
    return float(np.mean(values))


def main() -> None:
    """Print all three."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--resamples", type=int, default=400)
    options = parser.parse_args()
    group, gold, wrong, score = drawn(np.random.default_rng(0), 40_000)
    flags = cross_fitted_flags(score, wrong, group)
    measured = (spearman(score, gold), roc_auc(score, ~wrong), matthews(flags, wrong))
    truth = np.array([metric.value for metric in measured], dtype=np.float64)
    print(f"{options.runs} runs, {options.resamples} resamples, nominal coverage 0.95")
    print("groups: coverage of Spearman, ROC AUC, MCC")
    for groups in (10, 50, 500):
        held = coverage(groups, runs=options.runs, resamples=options.resamples, truth=truth)
        print(f"{groups:>6}: " + ", ".join(f"{share:.3f}" for share in held), flush=True)
    print("equal signals: tables in which one is called worse; rows that are")
    for signals in (2, 10, 20):
        shares = wrong_marks(signals, runs=options.runs, resamples=options.resamples)
        print(f"{signals:>6}: " + ", ".join(f"{share:.3f}" for share in shares), flush=True)
    print("sources: how much calibrated ties flatter the acc_eq of noise")
    for sources in (20, 200):
        print(f"{sources:>6}: {flattery(sources, runs=options.runs):.4f}", flush=True)


if __name__ == "__main__":
    main()
