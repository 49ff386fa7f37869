"""Do scores tell errors from valid alternatives, where a source has several translations?

The claim of the Sigmoid Head in numbers: a softmax has to share its mass among all valid
translations, so their scores differ as if some were worse. A good signal is high on all of them
and low on errors.
"""

import itertools

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from headwise.evaluation.columns import Column, Unit, pieces
from headwise.evaluation.corrupted_set import CorruptedSet
from headwise.evaluation.disagreements import in_pieces
from headwise.evaluation.error_copies import PLAUSIBLE
from headwise.evaluation.figures import histogram, reliability, risk_coverage
from headwise.evaluation.judged_text import group_numbers
from headwise.evaluation.measures import Measure
from headwise.evaluation.protocols.correlation import columns_of
from headwise.evaluation.protocols.error_detection import pieces_table, texts_table
from headwise.evaluation.results import Evaluation, Table
from headwise.evaluation.setup import Setup
from headwise.evaluation.tables import build_table
from headwise.metrics import Metric, undefined
from headwise.metrics.weighted import weighted_mean, weighted_ratio

Floats = NDArray[np.float64]


def ambiguity(
    found: CorruptedSet,
    setup: Setup,
) -> Evaluation:
    """Measure whether errors score below valid alternatives, and these alike.

    Args:
        found: Scored references and copies with errors.
        setup: How to run it.
    """
    tables: list[Table] = [_spread(found, setup)]
    of_tokens = {}
    for family, copies in found.copies.items():
        texts = [*found.references, *copies]
        of_tokens[family] = pieces(texts, Unit.TOKEN, seed=setup.resampling.seed)
        tables.append(
            pieces_table(
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
                title=f"References against copies with one {family} error",
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
        disagreements=in_pieces([*found.references, *found.copies[hardest]], main, main.columns[0]),
        notes=setup.notes,
    )


def _spread(found: CorruptedSet, setup: Setup) -> Table:
    """How far apart the references of one source score, and how far below them an error."""
    columns = columns_of(found.texts, setup)
    count = len(found.references)
    groups = group_numbers(found.references)
    originals = np.array(list(itertools.chain(*found.originals.values())), dtype=np.int64)
    sources = int(groups.max()) + 1
    copies_of = np.bincount(groups[originals], minlength=sources)

    def ranges(values: Floats) -> Floats:
        highest, lowest = np.full(sources, -np.inf), np.full(sources, np.inf)
        np.maximum.at(highest, groups, values[:count])
        np.minimum.at(lowest, groups, values[:count])
        spread: Floats = highest - lowest
        return spread

    def drops(values: Floats) -> Floats:
        """Mean fall from a reference to its corrupted copies, of each source."""
        fall = values[originals] - values[count:]
        summed = np.bincount(groups[originals], weights=fall, minlength=sources)
        mean: Floats = summed / np.maximum(copies_of, 1)
        return mean

    def places(values: Floats) -> Floats:
        shares: Floats = (rankdata(values) - 0.5) / len(values)
        return shares

    kept = copies_of > 0

    def mean_range(column: Column) -> Metric:
        value = float(ranges(places(column.values)).mean())
        return Metric(name="range", value=value, count=sources, higher_is_better=False)

    def range_per_drop(column: Column) -> Metric:
        falls = drops(column.values)[kept]
        fall = float(falls.mean())
        # Divided by a fall that chance explains, the ratio would be anything
        if not fall > 3 * float(falls.std()) / len(falls) ** 0.5:
            return undefined(
                "range_per_drop",
                "Errors do not lower the score by more than chance would.",
                count=sources,
                higher_is_better=False,
            )
        value = float(ranges(column.values)[kept].mean()) / fall
        return Metric(
            name="range_per_drop", value=value, count=int(kept.sum()), higher_is_better=False
        )

    measures = (
        Measure(
            name="range_per_drop",
            measure=range_per_drop,
            weighted=lambda c: weighted_ratio(
                np.where(kept, ranges(c.values), 0.0), np.where(kept, drops(c.values), 0.0)
            ),
        ),
        Measure(
            name="range",
            measure=mean_range,
            weighted=lambda c: weighted_mean(ranges(places(c.values))),
        ),
    )
    return build_table(
        columns,
        measures,
        groups=np.arange(sources, dtype=np.int64),
        resampling=setup.resampling,
        name="spread",
        title="Spread between valid references of one source",
        note=f"{count:,} references of {sources:,} sources. Range per drop: mean range of the "
        "scores of a source's references, divided by the mean fall of the score from a reference "
        "to its copy with one error; below 1, a choice among valid references moves the score "
        "less than an error does. Range: the same range in shares of all scored texts, whatever "
        "the signal's scale; for random scores it is "
        f"{_random_range(groups):.3f}.",
    )


def _random_range(groups: NDArray[np.int64]) -> float:
    """Expected range of uniform noise, over groups of their sizes."""
    sizes = np.bincount(groups)
    return float(((sizes - 1) / (sizes + 1)).mean())
