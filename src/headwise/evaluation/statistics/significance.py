"""Which signals of a column the data tell apart."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm, rankdata

from headwise.evaluation.statistics.results import Comparison
from headwise.metrics import Metric
from headwise.metrics.bootstrap import group_indices, percentile_interval
from headwise.metrics.inputs import Floats, checked_scores, same_length

# Statistics that differ by less than this share are the same but for rounding
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
    one, other = checked_scores(first, name="first"), checked_scores(second, name="second")
    count = same_length(first=one, second=other)
    one, other = ((rankdata(side) - 1) / max(count - 1, 1) for side in (one, other))
    if permutations < 1:
        raise ValueError(f"`permutations` must be at least 1, got {permutations}.")
    group_of = np.arange(count) if groups is None else group_indices(groups, count=count)
    observed = abs(statistic(one) - statistic(other)) if count else np.nan
    if np.isnan(observed):
        return None
    # Equal ranks: no exchange makes a difference
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
        # Not `>=`: an undefined difference, NaN, must count as large
        as_large += not difference < observed * (1 - _ROUNDING)
    return (as_large + 1) / (permutations + 1)


# A share of resamples that rests on fewer than these is no estimate
_ENOUGH_TO_COUNT = 10

# With fewer resamples only counting is done: their spread says too little about a tail
ENOUGH_FOR_A_CURVE = 100


def compare_with_best(
    metric: str,
    labels: Sequence[str],
    metrics: Sequence[Metric],
    samples: ArrayLike,
    *,
    level: float = 0.05,
    higher_is_better: bool | None = None,
) -> tuple[Comparison, ...]:
    """Test the best row of a column against every other one by paired bootstrap.

    The p-value of a row is twice the share of resamples in which the difference to the best has
    the rarer sign, both with the observed order counted in; no difference counts for both. It is
    then adjusted over the column by Holm's method. Where fewer than 10 resamples have that sign
    there is too little to count, and the tail of a normal curve with the spread of the
    resampled differences takes over: R resamples alone could give no less than 2 / (R + 1) times
    the number of comparisons, and nothing would be distinguishable in a table of many rows.

    Args:
        metric: The column.
        labels: Names of the rows.
        metrics: Their values; rows without one are not compared.
        samples: Values on the same resamples for all rows, ``(rows, R)``, NaN where undefined.
        level: Level of the test; the interval of the difference covers ``1 - level``.
        higher_is_better: Which row is best; what the metrics say if left out.

    Returns:
        One comparison for each row with a value but the best, in the order of the rows. The
        p-value is ``None`` where the difference is undefined on most resamples.

    Raises:
        ValueError: If the numbers of rows differ or ``level`` is not in (0, 1).

    References:
        Koehn 2004, EMNLP (paired bootstrap); Davison & Hinkley 1997, Bootstrap Methods and their
        Application, section 4.4.1 (counting in the observation); Holm 1979, Scandinavian Journal
        of Statistics 6.
    """
    values = np.asarray(samples, dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(f"`samples` must have shape (rows, R), got {values.shape}.")
    column = _Column.of(metric, labels, metrics, level, higher_is_better, samples=values)
    differences = []
    for row in column.differences:
        difference = values[column.best] - values[row]
        # Signals that are linear in each other have the same Pearson correlation but for rounding,
        # and rounding errors must not be counted as signs
        noise = np.abs(difference) <= _ROUNDING * np.abs(values[column.best])
        differences.append(np.where(noise, 0.0, difference))
    intervals = [percentile_interval(one, level=1 - level) for one in differences]
    p_values = [
        None if ends is None else _p_value(one, observed)
        for one, ends, observed in zip(
            differences, intervals, column.differences.values(), strict=True
        )
    ]
    test = f"paired bootstrap, {values.shape[1]:,} resamples, Holm-adjusted, level {level:g}"
    return column.compared(intervals, p_values, test=test)


def compare_with_best_by_permutation(
    metric: str,
    labels: Sequence[str],
    metrics: Sequence[Metric],
    scores: Sequence[ArrayLike],
    statistic: Callable[[Floats], float],
    *,
    groups: ArrayLike | None = None,
    permutations: int = 1000,
    seed: int = 0,
    level: float = 0.05,
    higher_is_better: bool | None = None,
) -> tuple[Comparison, ...]:
    """Test the best row of a column against every other one by paired permutation.

    Arguments are those of `compare_with_best`, with the scores of each row, ``(n,)``, instead of
    samples, and of `permutation_test`, whose statistic sees ranks in [0, 1] instead of scores.

    Returns:
        Comparisons without interval; the p-values are adjusted over the column by Holm's method.

    Raises:
        ValueError: If the numbers of rows or items differ or a number is out of range.

    References:
        Deutsch, Dror & Roth 2021, arXiv 2104.00054, section 4; Holm 1979, Scandinavian Journal of
        Statistics 6.
    """
    column = _Column.of(metric, labels, metrics, level, higher_is_better, scores=scores)
    p_values = [
        permutation_test(
            scores[column.best],  # type: ignore[index]
            scores[row],
            statistic,
            groups=groups,
            permutations=permutations,
            seed=seed,
        )
        for row in column.differences
    ]
    test = (
        f"paired permutation, {permutations:,} permutations of ranks, "
        f"Holm-adjusted, level {level:g}"
    )
    return column.compared([None] * len(p_values), p_values, test=test)


def holm_adjusted(p_values: Sequence[float]) -> tuple[float, ...]:
    """P-values that hold for a family of tests at once, from those of single tests, in [0, 1].

    Returns:
        Adjusted p-values in [0, 1], in the same order: the k-th smallest of m times m - k + 1, or
        the adjusted value of the one before if that is larger.

    Raises:
        ValueError: If a number is not in [0, 1].

    References:
        Holm 1979, Scandinavian Journal of Statistics 6.
    """
    values = checked_scores(p_values, name="p_values")
    if len(values) and not (values.min() >= 0 and values.max() <= 1):
        raise ValueError(f"`p_values` must lie in [0, 1], got {values.min()} to {values.max()}.")
    order = np.argsort(values, kind="stable")
    factors = np.arange(len(values), 0, -1)
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(values[order] * factors))
    return tuple(adjusted.tolist())


@dataclass(frozen=True, slots=True)
class _Column:
    """A column whose best row is compared with the other rows that have a value."""

    metric: str
    labels: Sequence[str]
    values: Mapping[int, float]
    best: int | None
    level: float

    @classmethod
    def of(
        cls,
        metric: str,
        labels: Sequence[str],
        metrics: Sequence[Metric],
        level: float,
        higher_is_better: bool | None,
        **columns: Sequence[object] | Floats,
    ) -> "_Column":
        if not 0 < level < 1:
            raise ValueError(f"`level` must be above 0 and below 1, got {level}.")
        for name, rows in {"metrics": metrics, **columns}.items():
            if len(rows) != len(labels):
                raise ValueError(
                    f"`{name}` must have one row for each of {len(labels)} labels, got {len(rows)}."
                )
        values = {row: one.value for row, one in enumerate(metrics) if one.value is not None}
        if higher_is_better is None:
            higher_is_better = all(metrics[row].higher_is_better for row in values)
        sign = 1 if higher_is_better else -1
        best = max(values, key=lambda row: sign * values[row], default=None)
        return cls(metric, labels, values, best, level)

    @property
    def differences(self) -> dict[int, float]:
        """How far the best is from each other row."""
        if self.best is None:
            return {}
        of_best = self.values[self.best]
        return {row: of_best - one for row, one in self.values.items() if row != self.best}

    def compared(
        self,
        intervals: Sequence[tuple[float, float] | None],
        p_values: Sequence[float | None],
        *,
        test: str,
    ) -> tuple[Comparison, ...]:
        """Comparisons with Holm's p-values."""
        adjusted = iter(holm_adjusted([p for p in p_values if p is not None]))
        found = []
        rows = zip(self.differences.items(), intervals, p_values, strict=True)
        for (row, difference), ends, p_value in rows:
            assert self.best is not None
            low, high = ends or (None, None)
            p_adjusted = None if p_value is None else next(adjusted)
            found.append(
                Comparison(
                    metric=self.metric,
                    best=self.labels[self.best],
                    other=self.labels[row],
                    difference=difference,
                    low=low,
                    high=high,
                    p_value=p_adjusted,
                    test=test,
                    distinguishable=p_adjusted is not None and p_adjusted < self.level,
                )
            )
        return tuple(found)


def _p_value(differences: Floats, observed: float) -> float:
    known = differences[~np.isnan(differences)]
    rarer = min(np.count_nonzero(known <= 0), np.count_nonzero(known >= 0))
    counted = min(1.0, 2 * (rarer + 1) / (len(known) + 1))
    spread = float(known.std(ddof=1)) if len(known) > 1 else 0.0
    if rarer >= _ENOUGH_TO_COUNT or len(known) < ENOUGH_FOR_A_CURVE or spread == 0:
        return counted
    return min(counted, float(2 * norm.sf(abs(observed) / spread)))
