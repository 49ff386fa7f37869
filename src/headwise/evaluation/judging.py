"""Put gold and other systems' scores beside scored texts, and leave out nothing in silence."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headwise.data.json_values import parse_number
from headwise.data.readers.scored import ScoredRow
from headwise.data.reserved_names import input_column
from headwise.data.scored import ScoredHypothesis
from headwise.errors import DataError
from headwise.evaluation.judged_text import JudgedText

Numbers = Sequence[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Texts that can be evaluated, and what became of the others.

    Attributes:
        texts: The texts that have all that is needed.
        notes: For each reason why texts were left out, a sentence with their number.
    """

    texts: tuple[JudgedText, ...]
    notes: tuple[str, ...]


def as_row(scored: ScoredHypothesis, line: int) -> ScoredRow:
    """A text that was scored just now, as a row of token level."""
    means = {signal: scored.aggregate(signal=signal) for signal in scored.signals}
    return ScoredRow(line=line, scored=scored, means=means, has_tokens=True)


def judge(
    rows: Sequence[ScoredRow],
    *,
    gold: Numbers | None = None,
    others: Mapping[str, Numbers] | None = None,
    lower_is_better: Sequence[str] = (),
    gold_name: str = "gold",
    group_column: str | None = None,
    system_column: str | None = "system",
) -> Judged:
    """Make judged texts of scored ones.

    All signals are compared on the same texts: a text that lacks its gold, another system's score
    or any token is left out, and counted.

    Args:
        rows: Scored texts, all with the same signals.
        gold: One number a text, ``None`` where there is none.
        others: The same from other systems, by their names.
        lower_is_better: Names of the gold or of other systems that are to be turned round.
        gold_name: Name of the gold.
        group_column: Column that says which texts belong together; the source by default.
        system_column: Column that says who wrote a text, if there is one.

    Raises:
        DataError: If a column is not there, signals differ, or numbers are not one a text.
    """
    for name, numbers in {gold_name: gold, **(others or {})}.items():
        if numbers is not None and len(numbers) != len(rows):
            raise DataError(
                f"`{name}` has {len(numbers):,} values for {len(rows):,} texts; both must have "
                "the same rows."
            )
    if len({row.scored.signals for row in rows}) > 1:
        raise DataError("The texts were scored with different signals; score them in one job.")
    signs = dict.fromkeys(lower_is_better, -1.0)
    unknown = set(signs) - {gold_name, *(others or {})}
    if unknown:
        raise DataError(
            f"`{sorted(unknown)[0]}` is neither the gold nor another system's score; lower can be "
            f"better for {', '.join([gold_name, *(others or {})])}."
        )
    texts: list[JudgedText] = []
    missing: dict[str, int] = {}
    for index, row in enumerate(rows):
        one = row.scored
        of_row = {gold_name: gold[index]} if gold is not None else {}
        of_row |= {name: numbers[index] for name, numbers in (others or {}).items()}
        lacks = next((name for name, value in of_row.items() if _is_missing(value)), None)
        if lacks is None and any(_is_missing(value) for value in row.means.values()):
            lacks = "scores"
        if lacks is not None:
            missing[lacks] = missing.get(lacks, 0) + 1
            continue
        numbers_of_row = {n: signs.get(n, 1.0) * v for n, v in of_row.items() if v is not None}
        group = one.source if group_column is None else cell(one, group_column)
        system = (one.extra or {}).get(system_column) if system_column else None
        texts.append(
            JudgedText(
                scored=one,
                group=f"row {index}" if group is None else str(group),
                gold=numbers_of_row.pop(gold_name, None),
                system=None if system is None else str(system),
                others=numbers_of_row,
                means=None
                if row.has_tokens
                else {s: v for s, v in row.means.items() if v is not None},
            )
        )
    return Judged(
        texts=tuple(texts),
        notes=tuple(
            f"{count:,} of {len(rows):,} texts were left out: they have no `{name}`."
            for name, count in missing.items()
        ),
    )


def cell(scored: ScoredHypothesis, column: str) -> Any:
    """What stands in a column of the row that a text came from.

    A column that has the name of one of ours stands in scored rows as ``input_<name>``, and is
    found under both.

    Raises:
        DataError: If there is no such column.
    """
    extra = scored.extra or {}
    try:
        return extra[input_column(extra, column)]
    except LookupError as error:
        raise DataError(f"In the rows, {error.args[0]}.") from None


def numbers_of(rows: Sequence[ScoredRow], column: str) -> list[float | None]:
    """The numbers in a column of the rows that texts came from.

    Raises:
        DataError: If a row lacks the column, or holds something else than a number in it.
    """
    numbers: list[float | None] = []
    for row in rows:
        value = cell(row.scored, column)
        try:
            # JSON's true and false are labels here
            numbers.append(float(value) if isinstance(value, bool) else parse_number(value))
        except ValueError:
            raise DataError(
                f"`{column}` in line {row.line} must be a number, got {value!r:.60}."
            ) from None
    return numbers


def _is_missing(value: float | None) -> bool:
    return value is None or not math.isfinite(value)
