"""Put gold and other systems' scores beside scored texts, and leave out nothing in silence."""

import math
import reprlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headwise.data.readers.scored import ScoredRow
from headwise.data.records.error_spans import Range, marked_ranges
from headwise.data.records.json_values import parse_number
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import ScoredHypothesis
from headwise.data.records.signals import Signal
from headwise.data.records.token_marks import has_error
from headwise.data.writers import input_column
from headwise.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedText:
    """One scored hypothesis and its gold.

    Attributes:
        scored: The hypothesis with its scores; its ``errors`` and ``tags`` are gold too.
        group: What belongs together when texts are resampled or compared: the source.
        gold: Quality of the text, the higher the better; ``None`` if nobody gave any.
        system: Who wrote the hypothesis, if that is known.
        others: Scores of other systems by their names, the higher the better.
        means: The mean of each signal, where that is all that is known: the tokens are not.
    """

    scored: ScoredHypothesis
    group: str
    gold: float | None = None
    system: str | None = None
    others: Mapping[str, float] = field(default_factory=dict)
    means: Mapping[Signal, float] | None = None

    @property
    def error_ranges(self) -> tuple[Range, ...] | None:
        """Characters that the gold calls wrong, without spaces around; ``None`` if unknown."""
        if self.scored.errors is None:
            return None
        return marked_ranges(self.scored.errors, self.scored.hypothesis)

    @property
    def has_error(self) -> bool:
        """Whether the gold finds anything wrong with the text, what is missing in it included."""
        return has_error(self.scored)


def source_numbers(texts: Sequence[JudgedText]) -> NDArray[np.int64]:
    """Number the sources of texts, ``(n,)``; a text without a source is alone."""
    return _numbered(
        index if text.scored.source is None else text.scored.source
        for index, text in enumerate(texts)
    )


def group_numbers(texts: Sequence[JudgedText]) -> NDArray[np.int64]:
    """Number the groups of texts by their first appearance, ``(n,)``."""
    return _numbered(text.group for text in texts)


def _numbered(labels: Iterable[object]) -> NDArray[np.int64]:
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(one, len(numbers)) for one in labels], dtype=np.int64)


Numbers = Sequence[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedTexts:
    """Texts that can be evaluated; for each reason why others were left out, a note counts them."""

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
    ungraded: Collection[int] = (),
) -> JudgedTexts:
    """Make judged texts of scored ones.

    All signals are compared on the same texts: a text that lacks its gold, another system's score
    or any token is left out, and counted.

    Args:
        rows: Scored texts, all with the same signals.
        gold: One number a text, ``None`` where there is none.
        others: The same from other systems, by their names.
        lower_is_better: Names of the gold or of other systems that are to be turned round. The
            names of the systems then begin with a minus.
        gold_name: Name of the gold.
        group_column: Column that says which texts belong together; the source by default.
        system_column: Column that says who wrote a text, if there is one.
        ungraded: Places of texts that need no gold, and get none.

    Raises:
        DataError: If a column is not there, signals differ, or numbers are not one a text.
    """
    others = others or {}
    _check_numbers(rows, gold, others, lower_is_better, gold_name=gold_name)
    gold = _turned(gold) if gold is not None and gold_name in lower_is_better else gold
    better = {
        f"-{name}" if name in lower_is_better else name: (
            _turned(numbers) if name in lower_is_better else numbers
        )
        for name, numbers in others.items()
    }
    groups = None if group_column is None else cells(rows, group_column)
    texts: list[JudgedText] = []
    missing: dict[str, int] = {}
    for index, row in enumerate(rows):
        one = row.scored
        of_others = {name: numbers[index] for name, numbers in better.items()}
        lacks = next((f"`{name}`" for name, v in of_others.items() if _is_missing(v)), None)
        own_gold = None if gold is None or index in ungraded else gold[index]
        if gold is not None and index not in ungraded and _is_missing(own_gold):
            lacks = f"`{gold_name}`"
        elif lacks is None and any(_is_missing(value) for value in row.means.values()):
            lacks = "scores, for they have no tokens"
        if lacks is not None:
            missing[lacks] = missing.get(lacks, 0) + 1
            continue
        group = one.source if groups is None else groups[index]
        system = (one.extra or {}).get(system_column) if system_column else None
        texts.append(
            JudgedText(
                scored=one,
                group=f"row {index}" if group is None else str(group),
                gold=own_gold,
                system=None if system is None else str(system),
                others={name: value for name, value in of_others.items() if value is not None},
                means=None
                if row.has_tokens
                else {s: v for s, v in row.means.items() if v is not None},
            )
        )
    return JudgedTexts(
        texts=tuple(texts),
        notes=tuple(
            f"{count:,} of {len(rows):,} texts were left out: they have no {what}."
            for what, count in missing.items()
        ),
    )


def cells(rows: Sequence[ScoredRow | Pair], column: str) -> list[Any]:
    """What stands in a column of the rows that texts came from; ``None`` where a row lacks it.

    A column that has the name of one of ours stands in scored rows as ``input_<name>``, and is
    found under both.

    Raises:
        DataError: If no row has such a column.
    """
    extras = [row.extra if isinstance(row, Pair) else row.scored.extra or {} for row in rows]
    names = dict.fromkeys(name for extra in extras for name in extra)
    try:
        found = input_column(names, column)
    except LookupError as error:
        raise DataError(f"In the rows, {error.args[0]}.") from None
    return [extra.get(found) for extra in extras]


def numbers_of(rows: Sequence[ScoredRow | Pair], column: str) -> list[float | None]:
    """The numbers in a column of the rows that texts came from; ``None`` where there is none.

    Raises:
        DataError: If no row has the column, or one holds something else than a number in it.
    """
    numbers: list[float | None] = []
    for row, value in zip(rows, cells(rows, column), strict=True):
        try:
            # JSON's true and false are labels here
            numbers.append(float(value) if isinstance(value, bool) else parse_number(value))
        except ValueError:
            raise DataError(
                f"`{column}` in line {row.line} must be a number, got {reprlib.repr(value)}."
            ) from None
    return numbers


def _check_numbers(
    rows: Sequence[ScoredRow],
    gold: Numbers | None,
    others: Mapping[str, Numbers],
    lower_is_better: Sequence[str],
    *,
    gold_name: str,
) -> None:
    named = [*([] if gold is None else [(gold_name, gold)]), *others.items()]
    for name, numbers in named:
        if len(numbers) != len(rows):
            raise DataError(
                f"`{name}` has {len(numbers):,} values for {len(rows):,} texts; both must have "
                "the same rows."
            )
    if other := next((r for r in rows if set(r.means) != set(rows[0].means)), None):
        raise DataError(
            f"Line {rows[0].line} was scored with different signals than line {other.line}: "
            f"{', '.join(rows[0].means)}, and {', '.join(other.means)}; choose signals that all "
            "have, or score the texts in one job."
        )
    names = [name for name, _ in named]
    # A misspelt name would leave the direction of a score wrong in silence
    if unknown := [name for name in lower_is_better if name not in names]:
        raise DataError(
            f"`{unknown[0]}` is neither the gold nor another system's score; lower can be better "
            f"for {', '.join(names) or 'nothing here'}."
        )


def _turned(numbers: Numbers) -> Numbers:
    """Numbers of which the lowest is the best, turned round; labels stay 0 and 1."""
    known = {value for value in numbers if value is not None and not math.isnan(value)}
    highest = 1.0 if known <= {0.0, 1.0} else 0.0
    return [None if value is None else highest - value for value in numbers]


def _is_missing(value: float | None) -> bool:
    return value is None or not math.isfinite(value)
