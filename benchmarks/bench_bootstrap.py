"""Bootstrap of four metrics over ten signals against resampling and calling scipy and sklearn."""

import argparse
import time

import numpy as np
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import average_precision_score, roc_auc_score

from comparison import seconds
from headwise.metrics import (
    Weighted,
    average_precision,
    pearson,
    roc_auc,
    spearman,
)
from headwise.metrics.bootstrap import bootstrap, resample

NAMES = ("pearson", "spearman", "roc_auc", "average_precision")


def reference(scores: np.ndarray, gold: np.ndarray, correct: np.ndarray) -> list[float]:
    """The four metrics as anyone would call them."""
    return [
        float(pearsonr(scores, gold).statistic),
        float(spearmanr(scores, gold).statistic),
        float(roc_auc_score(correct, scores)),
        float(average_precision_score(correct, scores)),
    ]


def main() -> None:
    """Check that both sides agree on the same resamples, then time them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--signals", type=int, default=10)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--naive", type=int, default=2, help="resamples on the naive side")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    gold = np.round(rng.normal(70, 15, options.count))  # human scores have ties
    signals = [
        gold / 15 + rng.normal(0, 1 + index / 4, options.count) for index in range(options.signals)
    ]
    correct = gold > 60
    print(
        f"{options.count} items, {options.signals} signals, {', '.join(NAMES)}, "
        f"{options.resamples} resamples, {options.workers} threads, numpy {np.__version__}"
    )
    samples = np.empty(0)

    def ours() -> None:
        nonlocal samples
        statistics: list[Weighted] = []
        for scores in signals:
            statistics += [
                pearson.weighted(scores, gold),
                spearman.weighted(scores, gold),
                roc_auc.weighted(scores, correct),
                average_precision.weighted(scores, correct),
            ]
        samples = bootstrap(
            statistics, count=options.count, resamples=options.resamples, workers=options.workers
        )

    start = time.process_time()
    mine = seconds(ours)
    print(f"weighted statistics: {mine:.1f} s, {time.process_time() - start:.1f} s of processors")
    worst = 0.0

    def naive() -> None:
        nonlocal worst
        for index in range(options.naive):
            drawn = np.repeat(
                np.arange(options.count), resample(options.count, None, seed=0, index=index)
            )
            for at, scores in enumerate(signals):
                values = reference(scores[drawn], gold[drawn], correct[drawn])
                found = samples[4 * at : 4 * at + 4, index]
                worst = max(worst, float(np.abs(found - values).max()))

    start = time.process_time()
    naive_seconds = seconds(naive)
    scaled = naive_seconds * options.resamples / options.naive
    print(f"largest difference on {options.naive} resamples: {worst:.1e}")
    assert worst < 1e-9, "the sides disagree"
    print(
        f"naive loop, one thread: {naive_seconds:.1f} s for {options.naive} resamples, "
        f"{scaled:.0f} s scaled to {options.resamples}"
    )
    print(f"ratio {scaled / mine:.1f}x, {scaled / mine / options.workers:.1f}x for each thread")


if __name__ == "__main__":
    main()
