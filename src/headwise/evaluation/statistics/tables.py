"""Signals under measures, as a table with intervals and tests."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from headwise.evaluation.statistics.columns import SignalColumn
from headwise.evaluation.statistics.measures import Groups, Measure
from headwise.evaluation.statistics.results import Comparison, SignalRow, Table
from headwise.evaluation.statistics.setup import Resampling, SignificanceTest
from headwise.evaluation.statistics.significance import (
    compare_with_best,
    compare_with_best_by_permutation,
)
from headwise.metrics import Metric, Statistic, bootstrap, percentile_interval
from headwise.metrics.inputs import Floats


def build_table(
    columns: Sequence[SignalColumn],
    measures: Sequence[Measure],
    *,
    groups: Groups,
    resampling: Resampling,
    name: str,
    title: str,
    note: str,
    rows_are: str = "signal",
) -> Table:
    """Measure every signal, with intervals, and compare the best with the others.

    Signals and ``groups``, items that are resampled together by number, are of the same N items.
    The note says what a reader has to know, ``rows_are`` what a row stands for, in the singular.
    """
    found = [[measure.of(column) for measure in measures] for column in columns]
    values = [[_metric(one) for one in row] for row in found]
    several = len(np.unique(groups)) > 1  # of one group every resample is the same
    statistics = {
        (row, place): one
        for place in range(len(measures))
        for row, of_row in enumerate(found)
        if several and isinstance(one := of_row[place], Statistic) and one.reason is None
    }
    drawn = _samples(statistics, groups=groups, resampling=resampling)
    how = (
        f"{1 - resampling.level:.0%} percentile bootstrap, {resampling.resamples:,} resamples of "
        f"{len(np.unique(groups)):,} groups"
    )
    for (row, place), samples in drawn.items():
        ends = percentile_interval(samples, level=1 - resampling.level)
        if ends is not None:
            values[row][place] = values[row][place].within(*ends, interval=how)
    rows = tuple(
        SignalRow(signal=column.signal, aggregation=column.aggregation, metrics=tuple(metrics))
        for column, metrics in zip(columns, values, strict=True)
    )
    comparisons = [
        comparison
        for place, measure in enumerate(measures)
        if several
        and measure.ranked
        and any(isinstance(of_row[place], Statistic) for of_row in found)
        for comparison in _compare(
            place, measure, columns, rows, drawn, groups=groups, resampling=resampling
        )
    ]
    return Table(
        name=name,
        title=title,
        note=note,
        rows=rows,
        comparisons=tuple(comparisons),
        unranked=frozenset(
            metric.name
            for measure, metric in zip(measures, values[0], strict=True)
            if not measure.ranked
        ),
        rows_are=rows_are,
    )


def _metric(found: Statistic | Metric) -> Metric:
    return found.metric() if isinstance(found, Statistic) else found


def _samples(
    statistics: dict[tuple[int, int], Statistic], *, groups: Groups, resampling: Resampling
) -> dict[tuple[int, int], Floats]:
    if not statistics:
        return {}
    samples = bootstrap(
        list(statistics.values()),
        count=len(groups),
        groups=groups,
        resamples=resampling.resamples,
        seed=resampling.seed,
        workers=resampling.workers,
    )
    return dict(zip(statistics, samples, strict=True))


def _compare(
    place: int,
    measure: Measure,
    columns: Sequence[SignalColumn],
    rows: Sequence[SignalRow],
    drawn: dict[tuple[int, int], Floats],
    *,
    groups: Groups,
    resampling: Resampling,
) -> Sequence[Comparison]:
    metrics = [row.metrics[place] for row in rows]
    labels = [row.label for row in rows]
    if resampling.test is SignificanceTest.PERMUTATION and measure.of_ranks:

        def value(scores: Floats) -> float:
            found = _metric(measure.of(replace(columns[0], values=scores))).value
            return math.nan if found is None else found

        return compare_with_best_by_permutation(
            metrics[0].name,
            labels,
            metrics,
            [column.values for column in columns],
            value,
            groups=groups,
            permutations=resampling.resamples,
            seed=resampling.seed,
            level=resampling.level,
        )
    # A row without a value keeps its place, and is not compared
    nothing = np.full(resampling.resamples, math.nan)
    samples = np.stack([drawn.get((row, place), nothing) for row in range(len(rows))])
    return compare_with_best(metrics[0].name, labels, metrics, samples, level=resampling.level)
