"""Do scores tell errors from valid alternatives, where a source has several translations?

The claim of the Sigmoid Head in numbers: a softmax has to share its mass among all valid
translations, so their scores differ as if some were worse. A good signal is high on all of them
and low on errors.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headwise.choices import Unit
from headwise.corruption.error_copies import PLAUSIBLE
from headwise.evaluation.quality.columns import judged_units
from headwise.evaluation.quality.corrupted_set import CorruptedSet
from headwise.evaluation.quality.disagreements import unit_disagreements
from headwise.evaluation.quality.judged_texts import group_numbers
from headwise.evaluation.quality.protocols.correlation import columns_of
from headwise.evaluation.quality.protocols.error_detection import texts_table, units_table
from headwise.evaluation.statistics.columns import SignalColumn, shares_below
from headwise.evaluation.statistics.figures import histogram, reliability, risk_coverage
from headwise.evaluation.statistics.measures import Measure
from headwise.evaluation.statistics.results import Evaluation, Table
from headwise.evaluation.statistics.setup import Setup
from headwise.evaluation.statistics.tables import build_table
from headwise.metrics import Statistic, weighted_ratio
from headwise.metrics.inputs import Floats
from headwise.metrics.resampled import mean


def ambiguity(
    found: CorruptedSet,
    setup: Setup,
) -> Evaluation:
    """Measure whether errors score below valid alternatives, and these alike."""
    tables: list[Table] = [_spread(found, setup)]
    of_tokens = {}
    for family, copies in found.copies.items():
        texts = [*found.references, *copies]
        of_tokens[family] = judged_units(texts, Unit.TOKEN, seed=setup.resampling.seed)
        tables.append(
            units_table(
                of_tokens[family],
                setup,
                gold_name=f"{family} errors",
                name=f"tokens-{family}",
            )
        )
        tables.append(
            texts_table(
                texts,
                setup,
                name=f"texts-{family}",
                title=f"References against copies with {family} errors",
            )
        )
    hardest = PLAUSIBLE if PLAUSIBLE in of_tokens else next(iter(of_tokens))
    main = of_tokens[hardest]
    curve = reliability(main.columns, ~main.wrong, of="tokens")
    return Evaluation(
        protocol="ambiguity",
        title=f"Errors against valid alternatives: {setup.gold_name}",
        settings=setup.settings,
        tables=tuple(tables),
        figures=(
            histogram(main.columns, main.wrong, of="tokens"),
            *([curve] if curve else []),
            risk_coverage(
                main.columns,
                main.wrong.astype(np.float64),
                of="tokens",
                risk="share of wrong ones",
            ),
        ),
        disagreements=unit_disagreements(
            [*found.references, *found.copies[hardest]], main, setup.main_column(main.columns)
        ),
        notes=setup.notes,
    )


def _spread(found: CorruptedSet, setup: Setup) -> Table:
    """How far apart the references of one source score, and how far below them an error."""
    columns = columns_of(found.texts, setup)
    count = len(found.references)
    groups = group_numbers(found.references)
    sources = int(groups.max()) + 1
    families = _families(found, groups)

    def ranges(column: SignalColumn) -> Floats:
        of_references = shares_below(column.values)[:count]
        highest, lowest = np.full(sources, -np.inf), np.full(sources, np.inf)
        np.maximum.at(highest, groups, of_references)
        np.minimum.at(lowest, groups, of_references)
        spread: Floats = highest - lowest
        return spread

    def mean_range(column: SignalColumn) -> Statistic:
        return mean("range", ranges(column), higher_is_better=False)

    def per_fall(family: str, of_copies: _Copies) -> Measure:
        """Mean difference of two references, over the mean fall of the family's errors."""

        def of(column: SignalColumn) -> Statistic:
            falls = of_copies.falls(column.values)
            apart = _mean_differences(column.values[:count], groups)
            known = falls[of_copies.has_any]
            # Divided by a fall that chance explains, the ratio would be anything
            by_chance = not known.mean() > 3 * known.std() / len(known) ** 0.5
            reason = "Errors do not lower the score by more than chance would."
            return Statistic(
                name=f"spread_per_{family}_error",
                values=weighted_ratio(np.where(of_copies.has_any, apart, 0.0), falls),
                count=sources,
                reason=reason if by_chance else None,
                higher_is_better=False,
                counted=len(known),
            )

        return Measure(of=of)

    measures = (
        *(per_fall(family, of_copies) for family, of_copies in families.items()),
        Measure(of=mean_range, ranked=False),
    )
    return build_table(
        columns,
        measures,
        groups=np.arange(sources, dtype=np.int64),
        resampling=setup.resampling,
        name="spread",
        title="Spread between valid references of one source",
        note=f"{count:,} references of {sources:,} sources. Spread per error: how far the scores "
        "of two references of a source are apart on average, divided by how far the score falls "
        "from a reference to its copy with errors; below 1, a choice between two valid "
        "references moves the score less than an error does. Range: mean range of the scores of a "
        "source's references, in shares of all scored texts, whatever the signal's scale; for "
        f"random scores it is {_random_range(groups):.3f}. A small range alone is no merit: a "
        "constant has none.",
    )


@dataclass(frozen=True, slots=True)
class _Copies:
    """Where the C copies of one family stand among all texts, ``(C,)``, with reference and source.

    ``counts`` is how many copies each of S sources has, ``(S,)``.
    """

    places: NDArray[np.int64]
    originals: NDArray[np.int64]
    sources: NDArray[np.int64]
    counts: NDArray[np.int64]

    @property
    def has_any(self) -> NDArray[np.bool_]:
        """Which sources have a copy, ``(S,)``."""
        return self.counts > 0

    def falls(self, values: Floats) -> Floats:
        """Mean fall from a reference to its copy, of each source; 0 without copies, ``(S,)``."""
        fall = values[self.originals] - values[self.places]
        summed = np.bincount(self.sources, weights=fall, minlength=len(self.counts))
        mean: Floats = summed / np.maximum(self.counts, 1)
        return mean


def _families(found: CorruptedSet, groups: NDArray[np.int64]) -> dict[str, _Copies]:
    families = {}
    start = len(found.references)
    for family, copies in found.copies.items():
        originals = np.array(found.originals[family], dtype=np.int64)
        families[family] = _Copies(
            np.arange(start, start + len(copies), dtype=np.int64),
            originals,
            groups[originals],
            np.bincount(groups[originals], minlength=int(groups.max()) + 1),
        )
        start += len(copies)
    return {family: of_copies for family, of_copies in families.items() if len(of_copies.places)}


def _mean_differences(values: Floats, groups: NDArray[np.int64]) -> Floats:
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


def _random_range(groups: NDArray[np.int64]) -> float:
    """Expected range of uniform noise, over groups of their sizes."""
    sizes = np.bincount(groups)
    return float(((sizes - 1) / (sizes + 1)).mean())
