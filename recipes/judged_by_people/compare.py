"""Compare a signal of the heads with the best baseline over several sets, with an interval."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headwise.choices import Unit
from headwise.evaluation import judge
from headwise.evaluation.quality.columns import judged_units, text_columns
from headwise.evaluation.quality.evaluated_rows import read_evaluated_rows
from headwise.evaluation.quality.judged_texts import group_numbers, numbers_of
from headwise.metrics import pairwise_accuracy, roc_auc, spearman

BASELINES = ("softmax", "logprob", "-entropy", "boosted")
AGGREGATIONS = ("mean", "min", "median", "geometric_mean", "root_length")
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """Columns of one set by their names, its gold, and which source each value is of."""

    columns: dict[str, Floats]
    gold: Floats
    groups: NDArray[np.int64]


def texts(path: Path, gold: str) -> Judged:
    """Texts with a gold of numbers."""
    rows = read_evaluated_rows(path).rows
    found = judge(rows, gold=numbers_of(rows, gold), gold_name=gold).texts
    columns = {
        f"{c.signal} {c.aggregation}": c.values
        for c in text_columns(found, aggregations=AGGREGATIONS)
    }
    return Judged(columns, np.array([one.gold for one in found]), group_numbers(found))


def tokens(path: Path) -> Judged:
    """Tokens with marks of people."""
    found = [
        one for one in judge(read_evaluated_rows(path).rows).texts if one.scored.errors is not None
    ]
    units = judged_units(found, Unit.TOKEN)
    columns = {column.signal: column.values for column in units.columns}
    return Judged(columns, (~units.wrong).astype(np.float64), units.groups)


def means(
    sets: Sequence[Judged],
    names: Sequence[str],
    metric: Callable[[Floats, Floats, NDArray[np.int64]], float],
    draw: np.random.Generator | None,
) -> dict[str, float]:
    """The metric of each column, averaged over the sets; a `draw` resamples sources."""
    found: dict[str, list[float]] = {name: [] for name in names}
    for one in sets:
        chosen: NDArray[np.int64] | slice = slice(None)
        groups = one.groups
        if draw is not None:
            places = np.argsort(one.groups, kind="stable")
            starts = np.searchsorted(one.groups[places], np.arange(one.groups.max() + 2))
            drawn = draw.integers(0, len(starts) - 1, len(starts) - 1)
            parts = [places[starts[g] : starts[g + 1]] for g in drawn]
            # A source that is drawn twice is two
            groups = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
            chosen = np.concatenate(parts)
        for name in names:
            values, gold = one.columns[name][chosen], one.gold[chosen]
            found[name].append(metric(values, gold, groups))
    return {name: float(np.mean(values)) for name, values in found.items()}


def main() -> None:
    """Print the figures of both sides, their difference, and its 95 % interval."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="+", type=Path, help="files of score.py")
    parser.add_argument(
        "--signal", required=True, help="such as 'sigmoid root_length' or, of tokens, 'error'"
    )
    parser.add_argument("--gold", help="column of texts; without it tokens are compared")
    parser.add_argument(
        "--aggregations", default="mean,min,median,geometric_mean", help="of the baselines"
    )
    parser.add_argument(
        "--within-sources",
        action="store_true",
        help="acc_eq instead of Spearman",
    )
    parser.add_argument("--resamples", type=int, default=500)
    arguments = parser.parse_args()
    sets = [
        texts(path, arguments.gold) if arguments.gold else tokens(path) for path in arguments.sets
    ]
    allowed = arguments.aggregations.split(",")
    shared = set.intersection(*(set(one.columns) for one in sets))
    rivals = [
        name
        for name in sorted(shared)
        if name.split()[0] in BASELINES
        and (not arguments.gold or name.split(maxsplit=1)[1] in allowed)
    ]

    def metric(values: Floats, gold: Floats, groups: NDArray[np.int64]) -> float:
        if not arguments.gold:
            return roc_auc(values, gold > 0.5).value
        if arguments.within_sources:
            return pairwise_accuracy(values, gold, groups, resamples=2).metric.value
        return spearman(values, gold).value

    whole = means(sets, [arguments.signal, *rivals], metric, None)
    best = max(rivals, key=whole.__getitem__)
    draw = np.random.default_rng(0)
    differences = []
    for _ in range(arguments.resamples):
        both = means(sets, [arguments.signal, best], metric, draw)
        differences.append(both[arguments.signal] - both[best])
    low, high = np.percentile(differences, [2.5, 97.5])
    for name in sorted(rivals, key=whole.__getitem__, reverse=True)[:5]:
        print(f"{name}: {whole[name]:.3f}")
    print(
        f"{arguments.signal}: {whole[arguments.signal]:.3f}, less {best}: "
        f"{whole[arguments.signal] - whole[best]:+.3f} [{low:+.3f}, {high:+.3f}]"
    )


if __name__ == "__main__":
    main()
