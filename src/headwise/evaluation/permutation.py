"""Would two signals differ as much if each of their values were the other's as easily?"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from headwise.metrics.bootstrap import group_indices
from headwise.metrics.inputs import Floats, checked_scores, same_length

# Differences of statistics that differ by less than this share are the same but for rounding
_ROUNDING = 1e-12


def permutation_test(
    first: ArrayLike,
    second: ArrayLike,
    statistic: Callable[[Floats], float],
    *,
    groups: ArrayLike | None = None,
    permutations: int = 1000,
    seed: int = 0,
) -> float | None:
    """How likely two signals of equal worth differ as much as these.

    Values of both signals are exchanged in random groups of items. Signals have different scales,
    so each is first replaced by its ranks, scaled to [0, 1]. The test is meant for metrics of the
    order (Spearman, ROC AUC, average precision), which ranks leave as they are; of others, such
    as Pearson, it compares the value on ranks.

    Args:
        first: Scores of one signal, ``(n,)``, finite.
        second: Scores of the other, ``(n,)``, finite.
        statistic: The metric as a function of scores ``(n,)``; NaN where undefined.
        groups: Items that are exchanged together, ``(n,)``; each item alone if left out.
        permutations: How many permutations, R.
        seed: Seed of the permutations.

    Returns:
        Two-sided p-value in [1 / (R + 1), 1]; ``None`` if the statistic is undefined on the
        ranks. Permutations on which it is undefined count as differences as large.

    Raises:
        ValueError: If the arguments do not fit or there is no permutation.

    References:
        Deutsch, Dror & Roth 2021, arXiv 2104.00054, section 4; Phipson & Smyth 2010, Statistical
        Applications in Genetics and Molecular Biology 9 (counting in the observation).
    """
    one, other = _ranks(first, name="first"), _ranks(second, name="second")
    count = same_length(first=one, second=other)
    if permutations < 1:
        raise ValueError(f"`permutations` must be at least 1, got {permutations}.")
    group_of = np.arange(count) if groups is None else group_indices(groups, count=count)
    observed = abs(statistic(one) - statistic(other)) if count else np.nan
    if np.isnan(observed):
        return None
    if np.array_equal(one, other):
        return 1.0
    rng = np.random.default_rng(seed)
    size = int(group_of.max()) + 1
    as_large = 0
    for _ in range(permutations):
        swapped = rng.integers(0, 2, size, dtype=np.bool_)[group_of]
        difference = abs(
            statistic(np.where(swapped, other, one)) - statistic(np.where(swapped, one, other))
        )
        as_large += not difference < observed * (1 - _ROUNDING)
    return (as_large + 1) / (permutations + 1)


def _ranks(scores: ArrayLike, *, name: str) -> Floats:
    values = checked_scores(scores, name=name)
    ranks: Floats = (rankdata(values) - 1) / max(len(values) - 1, 1)
    return ranks
