"""Do the scores of texts agree with what people or references say about them?"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from headwise.evaluation.columns import Column, text_columns
from headwise.evaluation.disagreements import in_rank
from headwise.evaluation.figures import risk_coverage, scatter
from headwise.evaluation.judged_text import JudgedText, group_numbers
from headwise.evaluation.measures import confidence_measures, correlation_measures
from headwise.evaluation.resampling import Resampling
from headwise.evaluation.results import Evaluation, Row, Table
from headwise.evaluation.tables import build_table
from headwise.metrics.pairwise_accuracy import system_pairwise_accuracy

Floats = NDArray[np.float64]


def correlation(
    texts: Sequence[JudgedText],
    *,
    gold_name: str,
    resampling: Resampling = Resampling(),
    settings: Mapping[str, str | int | float | bool] | None = None,
    notes: Sequence[str] = (),
    aggregations: Sequence[str] | None = None,
) -> Evaluation:
    """Compare the scores of texts with gold numbers.

    Args:
        texts: Scored texts with gold; texts of one source are resampled together, and compared
            with each other for ``acc_eq``.
        gold_name: What the gold is, for a reader.
        resampling: Settings of intervals and tests.
        settings: What else the report should say about the run.
        notes: What a reader has to know.
        aggregations: How token values become one.

    Raises:
        ValueError: If there is no text.
    """
    columns = columns_of(texts, aggregations, resampling)
    gold = gold_of(texts)
    groups = group_numbers(texts)
    tables = [
        build_table(
            columns,
            correlation_measures(gold, groups, seed=resampling.seed),
            groups=groups,
            resampling=resampling,
            name="correlation",
            title=f"Agreement with {gold_name}",
            note=f"{len(texts):,} texts of {groups.max() + 1:,} sources. Gold: {gold_name}.",
        ),
        build_table(
            columns,
            confidence_measures(gold),
            groups=groups,
            resampling=resampling,
            name="confidence",
            title="Under- and over-confidence",
            note="Share of texts whose score lies below or above the gold, both scaled from their "
            "smallest to their largest value onto [0, 1]. The scale is kept in the resamples.",
        ),
    ]
    systems = [text.system for text in texts]
    if all(systems) and len(set(systems)) > 1:
        tables.append(_systems(columns, gold, [str(system) for system in systems]))
    return Evaluation(
        protocol="correlation",
        title=f"Scores against {gold_name}",
        settings=settings or {},
        tables=tuple(tables),
        figures=(
            scatter(columns, gold, gold_name=gold_name),
            risk_coverage(
                columns, gold.max() - gold, of="texts", risk=f"mean shortfall in {gold_name}"
            ),
        ),
        disagreements=in_rank(texts, columns[0], gold),
        notes=tuple(notes),
    )


def columns_of(
    texts: Sequence[JudgedText], aggregations: Sequence[str] | None, resampling: Resampling
) -> tuple[Column, ...]:
    """Columns of texts under the aggregations that were asked for.

    Raises:
        ValueError: If there is no text.
    """
    if not texts:
        raise ValueError("There is no text with gold to evaluate.")
    if aggregations is None:
        return text_columns(texts, seed=resampling.seed)
    return text_columns(texts, aggregations=aggregations, seed=resampling.seed)


def gold_of(texts: Sequence[JudgedText]) -> Floats:
    """The gold numbers of texts, ``(n,)``.

    Raises:
        ValueError: If a text has none.
    """
    missing = sum(text.gold is None for text in texts)
    if missing:
        raise ValueError(f"{missing:,} of {len(texts):,} texts have no gold; leave them out.")
    return np.array([text.gold for text in texts], dtype=np.float64)


def _systems(
    columns: Sequence[Column],
    gold: Floats,
    systems: list[str],
) -> Table:
    rows = tuple(
        Row(
            signal=column.signal,
            aggregation=column.aggregation,
            metrics=(system_pairwise_accuracy(column.values, gold, systems),),
        )
        for column in columns
    )
    return Table(
        name="systems",
        title="Systems ranked",
        note=f"Share of the pairs of {len(set(systems)):,} systems whose mean scores are ordered "
        "as their mean gold. No interval: there are too few systems to resample.",
        rows=rows,
    )
