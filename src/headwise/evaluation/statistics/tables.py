"""Signals under measures, as a table with intervals and tests."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from headwise.evaluation.statistics.columns import SignalColumn
from headwise.evaluation.statistics.measures import Measure
from headwise.evaluation.statistics.results import Comparison, Row, Table
from headwise.evaluation.statistics.setup import Resampling, SignificanceTest
from headwise.evaluation.statistics.significance import (
    compare_with_best,
    compare_with_best_by_permutation,
)
from headwise.metrics.bootstrap import bootstrap, percentile_interval

Floats = NDArray[np.float64]


def build_table(
    columns: Sequence[SignalColumn],
    measures: Sequence[Measure],
    *,
    groups: NDArray[np.int64],
    resampling: Resampling,
    name: str,
    title: str,
    note: str,
) -> Table:
    """Measure every signal, with intervals, and compare the best with the others.

    Args:
        columns: Signals of the same N items.
        measures: What to measure.
        groups: Items that are resampled together, by number, ``(N,)``.
        resampling: Settings of intervals and tests.
        name: Short name of the table.
        title: Its heading.
        note: What a reader has to know.
    """
    values = [[measure.measure(column) for measure in measures] for column in columns]
    several = len(np.unique(groups)) > 1  # of one group every resample is the same
    cells = [
        (row, place)
        for place, measure in enumerate(measures)
        for row, metrics in enumerate(values)
        if several and measure.weighted is not None and metrics[place].value is not None
    ]
    drawn = _samples(columns, measures, cells, groups=groups, resampling=resampling)
    how = (
        f"{1 - resampling.level:.0%} percentile bootstrap, {resampling.resamples:,} resamples of "
        f"{len(np.unique(groups)):,} groups"
    )
    for (row, place), samples in drawn.items():
        ends = percentile_interval(samples, level=1 - resampling.level)
        if ends is not None:
            values[row][place] = values[row][place].within(*ends, interval=how)
    rows = tuple(
        Row(signal=column.signal, aggregation=column.aggregation, metrics=tuple(metrics))
        for column, metrics in zip(columns, values, strict=True)
    )
    comparisons = [
        comparison
        for place, measure in enumerate(measures)
        if measure.ranked
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
        unranked=frozenset(measure.name for measure in measures if not measure.ranked),
    )


def _samples(
    columns: Sequence[SignalColumn],
    measures: Sequence[Measure],
    cells: Sequence[tuple[int, int]],
    *,
    groups: NDArray[np.int64],
    resampling: Resampling,
) -> dict[tuple[int, int], Floats]:
    statistics = []
    for row, place in cells:
        weighted = measures[place].weighted
        assert weighted is not None
        statistics.append(weighted(columns[row]))
    if not statistics:
        return {}
    samples = bootstrap(
        statistics,
        count=len(groups),
        groups=groups,
        resamples=resampling.resamples,
        seed=resampling.seed,
        workers=resampling.workers,
    )
    return dict(zip(cells, samples, strict=True))


def _compare(
    place: int,
    measure: Measure,
    columns: Sequence[SignalColumn],
    rows: Sequence[Row],
    drawn: dict[tuple[int, int], Floats],
    *,
    groups: NDArray[np.int64],
    resampling: Resampling,
) -> Sequence[Comparison]:
    if measure.weighted is None or len(np.unique(groups)) < 2:
        return ()
    metrics = [row.metrics[place] for row in rows]
    labels = [row.label for row in rows]
    if resampling.test is SignificanceTest.PERMUTATION and measure.of_ranks:

        def value(scores: Floats) -> float:
            found = measure.measure(replace(columns[0], values=scores)).value
            return math.nan if found is None else found

        return compare_with_best_by_permutation(
            measure.name,
            labels,
            metrics,
            [column.values for column in columns],
            value,
            groups=groups,
            permutations=resampling.resamples,
            seed=resampling.seed,
            level=resampling.level,
        )
    nothing = np.full(resampling.resamples, math.nan)
    samples = np.stack([drawn.get((row, place), nothing) for row in range(len(rows))])
    return compare_with_best(measure.name, labels, metrics, samples, level=resampling.level)
