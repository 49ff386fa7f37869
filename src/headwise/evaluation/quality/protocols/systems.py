"""Do the scores order systems as people do?"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from headwise.evaluation.quality.judged_texts import JudgedText, group_numbers, source_numbers
from headwise.evaluation.quality.reference_rows import is_reference
from headwise.evaluation.statistics.columns import SignalColumn
from headwise.evaluation.statistics.figures import system_scatter
from headwise.evaluation.statistics.measures import system_measures
from headwise.evaluation.statistics.results import Figure, SignalRow, Table
from headwise.evaluation.statistics.setup import Setup
from headwise.evaluation.statistics.tables import build_table
from headwise.metrics import Metric
from headwise.metrics.inputs import Bools, Floats


def systems_ranked(
    texts: Sequence[JudgedText], columns: Sequence[SignalColumn], gold: Floats, setup: Setup
) -> tuple[tuple[Table, ...], tuple[Figure, ...]]:
    """Compare mean scores of systems with their mean gold, if texts say who wrote them.

    Left out are texts without a system, those by people unless the setup ranks them, and, if some
    sources have a text of every system, all other sources.

    Args:
        texts: Texts of several systems, or not.
        columns: Their signals.
        gold: Their gold, ``(n,)``.
        setup: How to resample, and whether people are ranked, too.

    Returns:
        Tables and figures; none if fewer than two systems are left.
    """
    writers = [text.system for text in texts]
    people = {writer for writer in writers if writer is not None and is_reference(writer)}
    names = sorted({writer for writer in writers if writer is not None})
    if not setup.rank_references:
        names = [name for name in names if name not in people]
    if len(names) < 2:
        return (), ()
    numbers = {name: number for number, name in enumerate(names)}
    of_all = np.array([numbers.get(writer or "", -1) for writer in writers], dtype=np.int64)
    chosen = np.flatnonzero(of_all >= 0)
    of_texts = of_all[chosen]
    sources = source_numbers(texts)[chosen]
    shared = _shared_by_all(of_texts, sources, len(names))
    complete = bool(shared.any())
    if complete:
        chosen, of_texts, sources = chosen[shared], of_texts[shared], sources[shared]
    kept = [replace(column, values=column.values[chosen]) for column in columns]
    truth = gold[chosen]
    ranked = build_table(
        kept,
        system_measures(
            truth,
            systems=of_texts,
            sources=sources if complete else None,
            seed=setup.resampling.seed,
        ),
        groups=group_numbers(texts)[chosen],
        resampling=setup.resampling,
        name="systems",
        title=f"Systems ordered as by {setup.gold_name}",
        note=f"{len(names)} systems by the means of {len(chosen):,} texts. "
        + _sources_note(shared, sources, complete=complete)
        + _people_note(people, setup)
        + " System accuracy: share of the pairs of systems whose mean scores have the order of "
        "their mean gold; pairs that the gold ties are left out."
        + (
            " SPA compares how sure scores and gold are of each pair (p-values of 1,000 "
            "permutations); it has no interval, for the p-values of resamples scatter too much."
            if complete
            else ""
        ),
    )
    means = _means(names, of_texts, kept, truth, setup)
    figure = system_scatter(kept, truth, of_texts, gold_name=setup.gold_name)
    return (ranked, means), (figure,)


def _shared_by_all(systems: NDArray[np.int64], sources: NDArray[np.int64], count: int) -> Bools:
    """Whether the source of each text has a text of every system, ``(n,)``."""
    held = np.zeros((int(sources.max()) + 1, count), dtype=np.bool_)
    held[sources, systems] = True
    by_all: Bools = np.asarray(held.all(axis=1))
    return by_all[sources]


def _sources_note(shared: Bools, sources: NDArray[np.int64], *, complete: bool) -> str:
    if not complete:
        return "No source has a text of every system: each is judged by its own texts."
    left_out = int((~shared).sum())
    rest = f"; {left_out:,} texts of other sources were left out" if left_out else ""
    return f"All of them have these {len(np.unique(sources)):,} sources{rest}."


def _people_note(people: set[str], setup: Setup) -> str:
    if not people:
        return ""
    names = ", ".join(sorted(people))
    if setup.rank_references:
        return f" Translations by people ({names}) are ranked as systems, too."
    return f" Translations by people ({names}) are not ranked; --rank-references does so."


def _means(
    names: Sequence[str],
    systems: NDArray[np.int64],
    columns: Sequence[SignalColumn],
    gold: Floats,
    setup: Setup,
) -> Table:
    """Who stands where: mean gold and mean score of each system, the best by gold first."""
    main = setup.main_column(columns)
    score = " ".join(filter(None, (main.signal, main.aggregation)))
    counts = Counter(systems.tolist())
    of_gold, of_scores = (
        np.bincount(systems, weights=values) / np.bincount(systems)
        for values in (gold, main.values)
    )
    rows = [
        SignalRow(
            signal=names[number],
            aggregation=None,
            metrics=tuple(
                Metric(name=f"mean {name}", value=float(values[number]), count=counts[number])
                for name, values in ((setup.gold_name, of_gold), (score, of_scores))
            ),
        )
        for number in np.argsort(-of_gold, kind="stable")
    ]
    return Table(
        name="system-means",
        title="Mean gold and mean score of each system",
        note=f"The best by {setup.gold_name} first.",
        rows=tuple(rows),
        unranked=frozenset(metric.name for metric in rows[0].metrics),
        rows_are="system",
    )
