"""Two files of scores of the same texts, signal by signal."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from headwise.choices import Unit
from headwise.data.readers.scored import ScoredRow
from headwise.errors import DataError
from headwise.evaluation.quality.columns import judged_units, text_columns
from headwise.evaluation.quality.judged_texts import (
    JudgedText,
    group_numbers,
    judge,
    numbers_of,
    source_numbers,
)
from headwise.evaluation.quality.protocol_choice import EvaluationProtocol, fitting_protocol
from headwise.evaluation.statistics.columns import LENGTH, RANDOM, SignalColumn
from headwise.evaluation.statistics.measures import (
    Measure,
    correlation_measures,
    separation_measures,
)
from headwise.evaluation.statistics.notes import unmarked_note, with_certainty_notes
from headwise.evaluation.statistics.results import Evaluation, Table
from headwise.evaluation.statistics.setup import Resampling
from headwise.evaluation.statistics.tables import build_table
from headwise.version import __version__

_SHOWN_CHARACTERS, _SHOWN_BEFORE = 60, 20


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
    if not left:
        raise DataError(f"`{names[0]}` is empty.")
    _check_same_texts(left, right, names)
    numbers = None if gold is None else numbers_of(left, gold)
    turned = [gold] if gold is not None and lower_is_better else []

    judged, judged_right = (
        judge(
            rows,
            gold=numbers,
            lower_is_better=turned,
            gold_name=gold or "gold",
            group_column=group,
        )
        for rows in (left, _with_marks(left, right))
    )
    ours, theirs = judged.texts, judged_right.texts
    notes = list(judged.notes)
    # A text that one model could not read is left out of its file alone
    if [t.scored.hypothesis for t in ours] != [t.scored.hypothesis for t in theirs]:
        raise DataError("Some texts are scored in only one of the files; score both anew.")
    if not ours:
        raise DataError(f"No text is left to compare: {' '.join(notes)}")
    protocol = _protocol(ours, names)
    if turned:
        notes.append(f"Of `{gold}`, lower is better: `-{gold}` is turned round.")
        gold = f"-{gold}"
    if protocol is EvaluationProtocol.ERROR_DETECTION:
        for name, texts in zip(names, (ours, theirs), strict=True):
            if not all(text.scored.tokens for text in texts):
                raise DataError(
                    f"`{name}` holds no token scores to compare with error marks; score it with "
                    "--level token, or name a column with --gold."
                )
        marked = [text.scored.errors is not None for text in ours]
        notes += unmarked_note(sum(marked), len(ours))
        ours, theirs = (tuple(itertools.compress(texts, marked)) for texts in (ours, theirs))
        one, two = (
            judged_units(texts, Unit.WORD, seed=resampling.seed) for texts in (ours, theirs)
        )
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
            if protocol is EvaluationProtocol.BINARY
            else correlation_measures(
                values, groups=groups, sources=source_numbers(ours), seed=resampling.seed
            )
        )
        both = (
            text_columns(texts, aggregations=aggregations, seed=resampling.seed)
            for texts in (ours, theirs)
        )
        columns, of = (next(both), next(both)), f"texts against {gold}"
        note = f"{len(ours):,} texts of {groups.max() + 1:,} sources. Gold: {gold}."
    if group is not None:
        notes.append(f"Texts with the same `{group}` belong together, as a source.")
    found = Evaluation(
        protocol="compare",
        title=f"{names[0]} against {names[1]}",
        settings={"protocol": protocol.value, "seed": resampling.seed, "headwise": __version__},
        tables=_tables(columns, names, measures, groups, of=of, note=note, resampling=resampling),
        notes=tuple(notes),
    )
    return with_certainty_notes(found, [text.group for text in ours], resampling)


def _protocol(texts: Sequence[JudgedText], names: tuple[str, str]) -> EvaluationProtocol:
    try:
        return fitting_protocol(texts)
    except DataError:
        raise DataError(
            f"`{names[0]}` has no gold to compare scores with: name one of its columns with "
            "--gold, or give texts with error marks."
        ) from None


def _tables(
    columns: tuple[Sequence[SignalColumn], Sequence[SignalColumn]],
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
                [
                    replace(column, signal=name, aggregation=None)
                    for column, name in zip((mine, other[key]), names, strict=True)
                ],
                measures,
                groups=groups,
                resampling=resampling,
                name=label.replace(" ", "-"),
                title=f"{label}: {of}",
                note=note,
            )
        )
    if not tables:
        signals = [
            ", ".join(c.signal for c in of_file if c.signal not in baselines) for of_file in columns
        ]
        raise DataError(
            f"`{names[0]}` ({signals[0]}) and `{names[1]}` ({signals[1]}) have no signal in common."
        )
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
        for what in ("source", "hypothesis"):
            mine, other = getattr(one.scored, what), getattr(two.scored, what)
            if mine != other:
                theirs, ours = _first_difference(other, mine)
                raise DataError(
                    f"The {what} in line {two.line} of `{names[1]}` is {theirs}, in line "
                    f"{one.line} of `{names[0]}` it is {ours}; both must hold the same texts in "
                    "the same order."
                )


def _first_difference(one: str | None, other: str | None) -> tuple[str, str]:
    """Two texts, from a little before their first difference on."""
    # Not strict: one text may be the beginning of the other
    alike = (a == b for a, b in zip(one or "", other or "", strict=False))
    common = sum(itertools.takewhile(bool, alike))
    start = max(0, common - _SHOWN_BEFORE)

    def shown(text: str | None) -> str:
        if text is None:
            return "missing"
        cut = text[start : start + _SHOWN_CHARACTERS]
        before, after = "..." * (start > 0), "..." * (start + len(cut) < len(text))
        return repr(f"{before}{cut}{after}")

    return shown(one), shown(other)
