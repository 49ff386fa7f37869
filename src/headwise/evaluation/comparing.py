"""Two files of scores of the same texts, signal by signal."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from headwise.data.readers.scored import ScoredRow
from headwise.errors import DataError
from headwise.evaluation.asking import Protocol, fitting_protocol
from headwise.evaluation.columns import LENGTH, RANDOM, Column, Unit, pieces, text_columns
from headwise.evaluation.judged_text import JudgedText, group_numbers
from headwise.evaluation.judging import judge, numbers_of
from headwise.evaluation.measures import Measure, correlation_measures, separation_measures
from headwise.evaluation.resampling import Resampling
from headwise.evaluation.results import Evaluation, Table
from headwise.evaluation.tables import build_table


def compare(
    left: Sequence[ScoredRow],
    right: Sequence[ScoredRow],
    *,
    names: tuple[str, str],
    gold: str | None = None,
    lower_is_better: bool = False,
    group: str | None = None,
    aggregations: Sequence[str] = ("mean",),
    resampling: Resampling = Resampling(),
) -> Evaluation:
    """Compare the scores of two files with the same gold.

    Args:
        left: Rows of the first file.
        right: Rows of the second, which hold the same texts in the same order.
        names: What the files are called.
        gold: Column with the gold, of the first file; the marks in its texts if left out.
        lower_is_better: Whether the gold is to be turned round.
        group: Column that says which texts belong together; the source by default.
        aggregations: How token values become one.
        resampling: Settings of intervals and tests.

    Raises:
        DataError: If the files do not hold the same texts, share no signal, or have no gold.
    """
    _check_same_texts(left, right, names)
    numbers = None if gold is None else numbers_of(left, gold)
    turned = [gold] if gold is not None and lower_is_better else []

    def judged(rows: Sequence[ScoredRow]) -> tuple[JudgedText, ...]:
        return judge(
            rows,
            gold=numbers,
            lower_is_better=turned,
            gold_name=gold or "gold",
            group_column=group,
        ).texts

    ours, theirs = judged(left), judged(_with_marks(left, right))
    if [t.scored.hypothesis for t in ours] != [t.scored.hypothesis for t in theirs]:
        raise DataError("Some texts are scored in only one of the files; score both anew.")
    protocol = fitting_protocol(ours)
    if protocol is Protocol.ERROR_DETECTION:
        one, two = (pieces(texts, Unit.WORD, seed=resampling.seed) for texts in (ours, theirs))
        if one.ranges != two.ranges:
            raise DataError("The files do not have the same words; were the texts cut?")
        measures = separation_measures(~one.wrong, positive="wrong")
        columns, groups, of = (one.columns, two.columns), one.groups, "words"
        note = f"{len(one.wrong):,} words, {one.wrong.mean():.1%} of them wrong."
    else:
        values = np.array([text.gold for text in ours], dtype=np.float64)
        groups = group_numbers(ours)
        measures = (
            separation_measures(values == 1.0, positive="correct")
            if protocol is Protocol.BINARY
            else correlation_measures(values, groups, seed=resampling.seed)
        )
        both = (
            text_columns(texts, aggregations=aggregations, seed=resampling.seed)
            for texts in (ours, theirs)
        )
        columns, of = (next(both), next(both)), f"texts against {gold}"
        note = f"{len(ours):,} texts of {groups.max() + 1:,} sources. Gold: {gold}."
    return Evaluation(
        protocol="compare",
        title=f"{names[0]} against {names[1]}",
        settings={"protocol": protocol.value, "seed": resampling.seed},
        tables=_tables(columns, names, measures, groups, of=of, note=note, resampling=resampling),
    )


def _tables(
    columns: tuple[Sequence[Column], Sequence[Column]],
    names: tuple[str, str],
    measures: Sequence[Measure],
    groups: NDArray[np.int64],
    *,
    of: str,
    note: str,
    resampling: Resampling,
) -> tuple[Table, ...]:
    """A table a signal that both files have, with a row a file."""
    baselines = (LENGTH, RANDOM)
    other = {(column.signal, column.aggregation): column for column in columns[1]}
    tables = []
    for mine in columns[0]:
        key = (mine.signal, mine.aggregation)
        if mine.signal in baselines or key not in other:
            continue
        label = " ".join(part for part in key if part)
        tables.append(
            build_table(
                [replace(c, signal=n, aggregation=None)
                 for c, n in zip((mine, other[key]), names, strict=True)],
                measures,
                groups=groups,
                resampling=resampling,
                name=label.replace(" ", "-"),
                title=f"{label}: {of}",
                note=note,
            )
        )  # fmt: skip
    if not tables:
        raise DataError(f"`{names[0]}` and `{names[1]}` have no signal in common.")
    return tuple(tables)


def _with_marks(left: Sequence[ScoredRow], right: Sequence[ScoredRow]) -> list[ScoredRow]:
    """The rows of the second file with the groups and marks of the first."""
    return [
        replace(
            other,
            scored=replace(
                other.scored,
                errors=row.scored.errors,
                tags=row.scored.tags,
                extra=row.scored.extra,
            ),
        )
        for row, other in zip(left, right, strict=True)
    ]


def _check_same_texts(
    left: Sequence[ScoredRow], right: Sequence[ScoredRow], names: tuple[str, str]
) -> None:
    if len(left) != len(right):
        raise DataError(
            f"`{names[0]}` has {len(left):,} rows and `{names[1]}` has {len(right):,}; both must "
            "hold the same texts in the same order."
        )
    for one, two in zip(left, right, strict=True):
        texts: Mapping[str, Callable[[ScoredRow], str | None]] = {
            "source": lambda row: row.scored.source,
            "hypothesis": lambda row: row.scored.hypothesis,
        }
        for what, of in texts.items():
            if of(one) != of(two):
                raise DataError(
                    f"The {what} in line {two.line} of `{names[1]}` is {of(two)!r:.60}, in line "
                    f"{one.line} of `{names[0]}` it is {of(one)!r:.60}; both must hold the same "
                    "texts in the same order."
                )
