"""Do scores tell errors from valid alternatives, where a source has several translations?

The claim of the Sigmoid Head in numbers: a softmax has to share its mass among all valid
translations, so their scores differ as if some were worse. A good signal is high on all of them
and low on errors.
"""

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
from headwise.evaluation.quality.protocols.spread import (
    WorseTexts,
    random_range,
    range_of_references,
    spread_per_fall,
)
from headwise.evaluation.statistics.figures import histogram, reliability, risk_coverage
from headwise.evaluation.statistics.results import Evaluation, Table
from headwise.evaluation.statistics.setup import Setup
from headwise.evaluation.statistics.tables import build_table


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
    count = len(found.references)
    groups = group_numbers(found.references)
    sources = int(groups.max()) + 1
    measures = (
        *(
            spread_per_fall(
                f"spread_per_{family}_error",
                worse,
                groups,
                by_chance="Errors do not lower the score by more than chance would.",
            )
            for family, worse in _families(found, groups).items()
        ),
        range_of_references(groups),
    )
    return build_table(
        columns_of(found.texts, setup),
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
        f"random scores it is {random_range(groups):.3f}. A small range alone is no merit: a "
        "constant has none.",
    )


def _families(found: CorruptedSet, groups: NDArray[np.int64]) -> dict[str, WorseTexts]:
    families = {}
    start = len(found.references)
    for family, copies in found.copies.items():
        places = np.arange(start, start + len(copies), dtype=np.int64)
        originals = np.array(found.originals[family], dtype=np.int64)
        families[family] = WorseTexts.of(places, originals, groups)
        start += len(copies)
    return {family: worse for family, worse in families.items() if len(worse.places)}
