"""Where it fails: one metric of every signal in slices of the texts, by a column of theirs."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headwise.data.records.json_values import parse_number
from headwise.data.writers import input_column
from headwise.evaluation.quality.judged_texts import JudgedText
from headwise.evaluation.statistics.columns import LENGTH, SignalColumn
from headwise.evaluation.statistics.measures import Groups, Measure
from headwise.evaluation.statistics.results import Table
from headwise.evaluation.statistics.setup import Setup
from headwise.evaluation.statistics.tables import build_table
from headwise.metrics import Statistic
from headwise.metrics import weighted_rows as rows
from headwise.metrics.inputs import Floats

# More different numbers than this are a quantity, fewer are names, such as those of annotators
_MOST_NUMBERS = 8
# More columns than this nobody reads
_MOST_NAMES = 12
_QUARTERS = (0.25, 0.5, 0.75)

Inside = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Slices:
    """Parts of texts by what stands in a column.

    Attributes:
        names: Names of the parts, in order.
        of_texts: Which part each text is in, ``(n,)``; -1 for none.
        remark: What is in no part; empty if all texts are in one.
    """

    names: tuple[str, ...]
    of_texts: NDArray[np.int64]
    remark: str = ""


def slices_of(texts: Sequence[JudgedText], column: str) -> Slices:
    """Slice texts by a column of their rows: quarters of numbers, or each other value by itself.

    ``length``, if there is no such column, is the number of tokens of each text, or of characters
    where tokens are not known. Of more than twelve names the twelve with the most texts count.

    Raises:
        ValueError: If there is no such column, or all texts would be in one slice.
    """
    values = _values(texts, column)
    known = [value for value in values if value is not None]
    numbers = _as_numbers(known)
    if numbers is not None and len(np.unique(numbers)) > _MOST_NUMBERS:
        parts = np.searchsorted(np.quantile(numbers, _QUARTERS), numbers)
        found = [numbers[parts == part] for part in range(4)]
        labels = [f"{of.min():.6g} to {of.max():.6g}" if len(of) else "" for of in found]
        of_known = [labels[part] for part in parts]
        names = [label for label in labels if label]
    else:
        of_known = [str(value) for value in known]
        counts = Counter(of_known)
        names = [name for name, _ in counts.most_common(_MOST_NAMES)]
        if numbers is not None:
            names.sort(key=dict(zip(of_known, numbers, strict=True)).__getitem__)
    if len(names) < 2:
        same = f"all texts have {names[0]}" if names else "no text has a value"
        raise ValueError(
            f"`{column}` makes no slices: {same}; take another column with --by, or leave it out."
        )
    places = {name: place for place, name in enumerate(names)}
    labelled = iter(of_known)
    of_texts = [-1 if value is None else places.get(next(labelled), -1) for value in values]
    outside = of_texts.count(-1)
    return Slices(
        tuple(names),
        np.array(of_texts, dtype=np.int64),
        f" {outside:,} texts have another {column}, or none." if outside else "",
    )


def sliced(
    texts: Sequence[JudgedText],
    columns: Sequence[SignalColumn],
    measure: Callable[[Inside], Measure],
    setup: Setup,
    *,
    groups: Groups,
    metric: str,
    owners: NDArray[np.int64] | None = None,
) -> tuple[Table, ...]:
    """A table of one metric by slices, if the setup asks for one.

    Args:
        texts: Texts, which slices are made of.
        columns: Signals of their N items.
        measure: What to measure of some of the items, given their places.
        setup: Which column to slice by, and how to resample.
        groups: Items that are resampled together, ``(N,)``.
        metric: What is measured, for a reader.
        owners: The text of each item, ``(N,)``; by default items are texts.

    Raises:
        ValueError: If the column is not there, or makes no slices.
    """
    if setup.by is None:
        return ()
    slices = slices_of(texts, setup.by)
    of_items = slices.of_texts if owners is None else slices.of_texts[owners]
    parts = [np.flatnonzero(of_items == place) for place in range(len(slices.names))]
    table = build_table(
        columns,
        [
            Measure(of=partial(_of_part, measure(inside), name, inside))
            for name, inside in zip(slices.names, parts, strict=True)
        ],
        groups=groups,
        resampling=setup.resampling,
        name="slices",
        title=f"{metric} by {setup.by}",
        note=f"Where it fails: {metric} of each slice of the texts alone.{slices.remark}",
    )
    # No slice says more than another about which signal is best
    return (replace(table, has_verdict=False),)


def _of_part(measure: Measure, name: str, inside: Inside, column: SignalColumn) -> Statistic:
    """What is measured of some items, as a statistic of all."""
    part = SignalColumn(
        signal=column.signal,
        aggregation=column.aggregation,
        values=column.values[inside],
        is_probability=column.is_probability,
    )
    found = measure.of(part)
    assert isinstance(found, Statistic)

    def values(weights: Floats) -> Floats:
        return found(rows.gathered(weights, inside))

    return Statistic(
        name=name,
        values=values,
        count=len(column.values),
        reason=found.reason,
        higher_is_better=found.higher_is_better,
        counted=len(inside),
    )


def _values(texts: Sequence[JudgedText], column: str) -> list[Any]:
    """What stands in the column; ``None`` where nothing does."""
    extras = [text.scored.extra or {} for text in texts]
    names = dict.fromkeys(name for extra in extras for name in extra)
    try:
        found = input_column(names, column)
    except LookupError as error:
        lengths = [len(text.scored.tokens) or len(text.scored.hypothesis) for text in texts]
        if column == LENGTH and any(lengths):
            return lengths
        raise ValueError(f"Slices: in the rows, {error.args[0]}.") from None
    values = [extra.get(found) for extra in extras]
    return [None if value is None or str(value).strip() == "" else value for value in values]


def _as_numbers(values: Sequence[Any]) -> Floats | None:
    try:
        read = [None if isinstance(value, bool) else parse_number(value) for value in values]
    except ValueError:
        return None
    numbers = [value for value in read if value is not None]
    return np.array(numbers) if len(numbers) == len(values) and numbers else None
