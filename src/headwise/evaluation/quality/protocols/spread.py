"""How far apart the references of a source score, against how far below them worse texts do."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headwise.evaluation.statistics.columns import SignalColumn, shares_below
from headwise.evaluation.statistics.measures import Measure
from headwise.metrics import Statistic, weighted_ratio
from headwise.metrics.inputs import Floats
from headwise.metrics.resampled import mean

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class WorseTexts:
    """Where worse texts stand among all, ``(C,)``, each with a reference and the source of both.

    ``counts`` is how many of them each of S sources has, ``(S,)``. A worse text that is compared
    with several references stands here once for each.
    """

    places: Places
    originals: Places
    sources: Places
    counts: Places

    @classmethod
    def of(cls, places: Places, originals: Places, sources: Places) -> "WorseTexts":
        """Worse texts and their references; the R references stand first among all texts.

        ``sources`` are those of the references, numbered from 0, ``(R,)``.
        """
        own = sources[originals]
        return cls(places, originals, own, np.bincount(own, minlength=int(sources.max()) + 1))

    @property
    def has_any(self) -> NDArray[np.bool_]:
        """Which sources have a worse text, ``(S,)``."""
        return self.counts > 0

    def falls(self, values: Floats) -> Floats:
        """Mean fall from a reference to its worse text, of each source; 0 without any, ``(S,)``."""
        fall = values[self.originals] - values[self.places]
        summed = np.bincount(self.sources, weights=fall, minlength=len(self.counts))
        mean: Floats = summed / np.maximum(self.counts, 1)
        return mean


def spread_per_fall(name: str, worse: WorseTexts, groups: Places, *, by_chance: str) -> Measure:
    """Mean difference of two references, over the mean fall to the worse texts of their source.

    Only sources with a worse text count. ``groups`` are the sources of the references, which stand
    first among all texts, ``(R,)``; ``by_chance`` says why there is no value if the fall is no
    larger than chance would explain.
    """

    def of(column: SignalColumn) -> Statistic:
        falls = worse.falls(column.values)
        apart = mean_differences(column.values[: len(groups)], groups)
        known = falls[worse.has_any]
        # Divided by a fall that chance explains, the ratio would be anything
        no_fall = not known.mean() > 3 * known.std() / len(known) ** 0.5
        return Statistic(
            name=name,
            values=weighted_ratio(np.where(worse.has_any, apart, 0.0), falls),
            count=len(falls),
            reason=by_chance if no_fall else None,
            higher_is_better=False,
            counted=len(known),
        )

    return Measure(of=of)


def range_of_references(groups: Places) -> Measure:
    """Mean range of the scores of a source's references, in shares of all scored texts."""
    sources = int(groups.max()) + 1

    def of(column: SignalColumn) -> Statistic:
        of_references = shares_below(column.values)[: len(groups)]
        highest, lowest = np.full(sources, -np.inf), np.full(sources, np.inf)
        np.maximum.at(highest, groups, of_references)
        np.minimum.at(lowest, groups, of_references)
        return mean("range", highest - lowest, higher_is_better=False)

    return Measure(of=of, ranked=False)


def mean_differences(values: Floats, groups: Places) -> Floats:
    """Mean absolute difference of two items of a group, ``(S,)``.

    Unlike a range, it does not grow with the number of items.
    """
    order = np.lexsort((values, groups))
    sizes = np.bincount(groups)
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    places = np.arange(len(values)) - starts
    # The k-th smallest of n is the larger one of k pairs and the smaller one of n - 1 - k
    weights = 2 * places - sizes[groups[order]] + 1
    summed = np.bincount(groups[order], weights=weights * values[order])
    mean: Floats = summed / np.maximum(sizes * (sizes - 1) / 2, 1)
    return mean


def random_range(groups: Places) -> float:
    """Expected range of uniform noise, over groups of their sizes."""
    sizes = np.bincount(groups)
    return float(((sizes - 1) / (sizes + 1)).mean())
