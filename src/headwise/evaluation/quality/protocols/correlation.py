"""Do the scores of texts agree with what people or references say about them?"""

from collections.abc import Sequence

import numpy as np

from headwise.evaluation.quality.columns import text_columns
from headwise.evaluation.quality.disagreements import rank_disagreements
from headwise.evaluation.quality.judged_texts import JudgedText, group_numbers, source_numbers
from headwise.evaluation.quality.protocols.systems import systems_ranked
from headwise.evaluation.quality.slices import sliced
from headwise.evaluation.statistics.columns import SignalColumn
from headwise.evaluation.statistics.figures import risk_coverage, scatter
from headwise.evaluation.statistics.measures import (
    against,
    confidence_measures,
    correlation_measures,
)
from headwise.evaluation.statistics.results import Evaluation
from headwise.evaluation.statistics.setup import Setup
from headwise.evaluation.statistics.tables import build_table
from headwise.metrics import spearman
from headwise.metrics.inputs import Floats


def correlation(
    texts: Sequence[JudgedText],
    setup: Setup,
) -> Evaluation:
    """Compare the scores of texts with gold numbers; ``acc_eq`` compares texts of one source.

    Raises:
        ValueError: If there is no text.
    """
    columns = columns_of(texts, setup)
    gold = gold_of(texts)
    groups = group_numbers(texts)
    by_systems, of_systems = systems_ranked(texts, columns, gold, setup)
    tables = (
        build_table(
            columns,
            correlation_measures(
                gold,
                groups=groups,
                sources=source_numbers(texts),
                seed=setup.resampling.seed,
            ),
            groups=groups,
            resampling=setup.resampling,
            name="correlation",
            title=f"Agreement with {setup.gold_name}",
            note=f"{len(texts):,} texts of {groups.max() + 1:,} sources. Gold: {setup.gold_name}.",
        ),
        build_table(
            columns,
            confidence_measures(gold),
            groups=groups,
            resampling=setup.resampling,
            name="confidence",
            title="Under- and over-confidence",
            note="Share of texts whose score lies below or above the gold, both scaled from their "
            "smallest to their largest value onto [0, 1]. A description: the scale hangs on the "
            "most extreme texts, so there are no intervals and no best.",
        ),
        *by_systems,
        *sliced(
            texts,
            columns,
            lambda inside: against(gold[inside], spearman.weighted, of_ranks=True),
            setup,
            groups=groups,
            metric="Spearman correlation",
        ),
    )
    return Evaluation(
        protocol="correlation",
        title=f"Scores against {setup.gold_name}",
        settings=setup.settings,
        tables=tables,
        figures=(
            scatter(columns, gold, gold_name=setup.gold_name),
            *of_systems,
            risk_coverage(
                columns, gold.max() - gold, of="texts", risk=f"mean shortfall in {setup.gold_name}"
            ),
        ),
        disagreements=rank_disagreements(texts, setup.main_column(columns), gold),
        notes=setup.notes,
    )


def columns_of(texts: Sequence[JudgedText], setup: Setup) -> tuple[SignalColumn, ...]:
    """Columns of texts under the aggregations that were asked for.

    Raises:
        ValueError: If there is no text.
    """
    if not texts:
        raise ValueError("There is no text with gold to evaluate.")
    return text_columns(texts, aggregations=setup.aggregations, seed=setup.resampling.seed)


def gold_of(texts: Sequence[JudgedText]) -> Floats:
    """The gold numbers of texts, ``(n,)``.

    Raises:
        ValueError: If a text has none.
    """
    missing = sum(text.gold is None for text in texts)
    if missing:
        raise ValueError(f"{missing:,} of {len(texts):,} texts have no gold; leave them out.")
    return np.array([text.gold for text in texts], dtype=np.float64)
