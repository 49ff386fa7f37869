"""What every rendering of a table shows: cells as text, marks, legend and footnotes."""

import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from headwise.evaluation.statistics.results import Comparison, SignalRow, Table
from headwise.metrics import Metric
from headwise.report import text
from headwise.report.evaluation.words import (
    by_column,
    count_remarks,
    interval_remarks,
    listed,
    long_name,
    metric_label,
    with_labels,
)
from headwise.report.text import UNDEFINED, number

LIKE_BEST = "≈"
LOWER_IS_BETTER = "↓"
_NAMED = 3  # rows that a verdict names, before it counts them


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A metric of a table: its name, the one for a reader, and how all its numbers are written."""

    name: str
    label: str
    higher_is_better: bool
    decimals: int

    @property
    def heading(self) -> str:
        """The label, with an arrow if lower is better."""
        return self.label if self.higher_is_better else f"{self.label} {LOWER_IS_BETTER}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One number of a table.

    Attributes:
        value: The number as text, a dash if it is undefined.
        like_best: Whether nothing in the data tells it from the best.
        note: Letter of the footnote that gives the reason; ``None`` if it is defined.
        contrast: How it compares with the best of its column, if that was tested.
        untested: Whether nobody tested how it compares with others of its column.
    """

    value: str
    number: float | None
    interval: str | None = None
    best: bool = False
    like_best: bool = False
    reason: str | None = None
    note: str | None = None
    contrast: str | None = None
    untested: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RowView:
    """A row as text.

    Attributes:
        aggregation: How token values became one; empty where nothing is aggregated.
        continues: Whether the row above is of the same signal, so that its name need not be
            said again.
    """

    signal: str
    aggregation: str
    continues: bool
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableView:
    """A table as text.

    Attributes:
        aggregated: Whether any row has an aggregation, so that it needs a column.
        footnotes: Letters and reasons of what is undefined.
        verdict: What the first column says, in one sentence; ``None`` where nothing is compared.
        remarks: What its marks but the best's mean, how they, intervals and numbers were found.
    """

    title: str
    note: str
    columns: tuple[Column, ...]
    rows: tuple[RowView, ...]
    aggregated: bool
    footnotes: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...]
    rows_are: str
    verdict: str | None = None

    def legend(self, *, best: str = "Bold") -> tuple[str, ...]:
        """What the marks of this table mean, given how the best values are shown."""
        any_best = any(cell.best and not cell.untested for row in self.rows for cell in row.cells)
        return (*([f"{best}: best of its column."] if any_best else []), *self.remarks)


def view_of(table: Table, *, sort: bool = False) -> TableView:
    """Turn a table into text, its rows as given, or by the first metric, best first."""
    found = [{metric.name: metric for metric in row.metrics} for row in table.rows]
    columns = _columns(found)
    order = list(range(len(found)))
    if sort and columns:
        order.sort(key=lambda index: _sort_key(found[index].get(columns[0].name)))
    letters: dict[str, str] = {}
    best = {
        column.name: None if column.name in table.unranked else _best_value(column.name, found)
        for column in columns
    }
    contrasts = {(c.metric, c.other): c for c in table.comparisons}
    rows = tuple(
        RowView(
            signal=table.rows[index].signal,
            aggregation=_words(table.rows[index].aggregation or ""),
            continues=place > 0 and table.rows[order[place - 1]].signal == table.rows[index].signal,
            cells=tuple(
                _cell(table, table.rows[index], column, found[index], best, contrasts, letters)
                for column in columns
            ),
        )
        for place, index in enumerate(order)
    )
    return TableView(
        title=table.title,
        note=with_labels(table.note, (column.name for column in columns)),
        columns=columns,
        rows=rows,
        aggregated=any(row.aggregation for row in rows),
        footnotes=tuple((letter, reason) for reason, letter in letters.items()),
        remarks=tuple(_remarks(table, columns, rows, found)),
        rows_are=table.rows_are,
        verdict=verdict_of(table, columns[0].name, columns[0].decimals)
        if columns and table.has_verdict
        else None,
    )


def verdict_of(table: Table, metric: str, decimals: int = 3) -> str | None:
    """Which row is best by a metric and which cannot be told from it, in one sentence."""
    found = [(row, one) for row in table.rows for one in row.metrics if one.name == metric]
    known = [(row, one) for row, one in found if one.value is not None]
    values = {one.value for _, one in known}
    if len(values) < 2 or metric in table.unranked:
        return None
    tested = [c for c in table.comparisons if c.metric == metric]

    def value_of(pair: tuple[SignalRow, Metric]) -> float:
        value = pair[1].value or 0.0
        return value if pair[1].higher_is_better else -value

    best = next((p for p in known if table.is_best(p[0], metric)), max(known, key=value_of))
    name = row_label(table, best[0].label)
    shown = f"By {metric_label(metric)}, {name} is best ({number(best[1].value, decimals)})"
    if not tested:
        return f"{shown}; whether others differ was not tested."
    alike = [row_label(table, row.label) for row, _ in known if table.like_best(row, metric)]
    worse = sum(c.distinguishable for c in tested)
    if not alike:
        rest = f"all {worse} others" if worse > 1 else "the other"
        return f"{shown}, distinguishably better than {rest}."
    few = listed(alike) if len(alike) <= _NAMED else f"{len(alike)} others"
    rest = f"; {worse} {'are' if worse > 1 else 'is'} distinguishably worse" if worse else ""
    return f"{shown}, but nothing tells it from {few}{rest}."


def _remarks(
    table: Table,
    columns: Sequence[Column],
    rows: Sequence[RowView],
    found: Sequence[Mapping[str, Metric]],
) -> Iterator[str]:
    """What a legend says; where columns differ, each remark with those that it holds for."""
    labels = {column.name: column.label for column in columns}
    if tests := by_column(labels, ((c.metric, c.test) for c in table.comparisons)):
        yield f"{LIKE_BEST}: not distinguishable from the best ({'; '.join(tests)})."
    compared = {c.metric for c in table.comparisons}
    untested = [
        column.label
        for place, column in enumerate(columns)
        if column.name not in compared and any(row.cells[place].best for row in rows)
    ]
    if untested and len(untested) == len(columns):
        yield "Whether values differ was not tested."
    elif untested:
        yield f"Not tested: {listed(untested)}."
    if any(not column.higher_is_better for column in columns):
        yield f"{LOWER_IS_BETTER}: lower is better."
    if intervals := by_column(labels, interval_remarks(found)):
        yield f"Brackets: confidence interval ({'; '.join(intervals)})."
    if counts := by_column(labels, count_remarks(labels, found), "{} ({})"):
        yield f"Computed from {'; '.join(counts)}."
    spelt = [f"{column.label}: {name}" for column in columns if (name := long_name(column.name))]
    if spelt:
        yield f"{'; '.join(spelt)}."


def row_label(table: Table, label: str) -> str:
    """The label under which a comparison speaks of a row, as the table shows it."""
    for row in table.rows:
        if row.label == label:
            return " ".join(filter(None, (row.signal, _words(row.aggregation or ""))))
    return label


def _words(name: str) -> str:
    return name.replace("_", " ")


def _columns(found: list[dict[str, Metric]]) -> tuple[Column, ...]:
    first: dict[str, Metric] = {}
    for metrics in found:
        for name, metric in metrics.items():
            first.setdefault(name, metric)
    return tuple(
        Column(
            name=name,
            label=metric_label(name),
            higher_is_better=metric.higher_is_better,
            decimals=text.decimals_for(row[name].value for row in found if name in row),
        )
        for name, metric in first.items()
    )


def _sort_key(metric: Metric | None) -> tuple[bool, float]:
    if metric is None or metric.value is None:
        return True, 0.0
    return False, -metric.value if metric.higher_is_better else metric.value


def _best_value(name: str, found: list[dict[str, Metric]]) -> float | None:
    """The best value of a column without comparisons; ``None`` where only one row has a value."""
    metrics = [row[name] for row in found if name in row and row[name].value is not None]
    values = [metric.value for metric in metrics if metric.value is not None]
    if len(values) < 2 or min(values) == max(values):
        return None
    return max(values) if metrics[0].higher_is_better else min(values)


def _cell(
    table: Table,
    row: SignalRow,
    column: Column,
    metrics: Mapping[str, Metric],
    best: Mapping[str, float | None],
    contrasts: Mapping[tuple[str, str], Comparison],
    letters: dict[str, str],
) -> Cell:
    metric = metrics.get(column.name)
    if metric is None or metric.value is None:
        reason = (metric and metric.reason) or "Not measured for this row."
        note = letters.setdefault(reason, _letter(len(letters)))
        return Cell(value=UNDEFINED, number=None, reason=reason, note=note)
    compared = any(c.metric == column.name for c in table.comparisons)
    contrast = contrasts.get((column.name, row.label))
    return Cell(
        value=number(metric.value, column.decimals),
        number=metric.value,
        interval=text.interval(metric.low, metric.high, column.decimals),
        best=table.is_best(row, column.name) if compared else metric.value == best[column.name],
        like_best=table.like_best(row, column.name),
        untested=len(table.rows) > 1
        and column.name not in table.unranked
        and not (compared and (contrast is not None or table.is_best(row, column.name))),
        contrast=None if contrast is None else _contrast_text(table, contrast, column.decimals),
    )


def _contrast_text(table: Table, comparison: Comparison, decimals: int = 3) -> str:
    """How far a row is from the best of its column, and with what certainty."""
    difference = number(comparison.difference, decimals)
    around = text.interval(comparison.low, comparison.high, decimals)
    middle = f" {around}" if around else ""
    best, p = row_label(table, comparison.best), text.p_value(comparison.p_value)
    return f"{best} differs by {difference}{middle}, {p}"


def _letter(index: int) -> str:
    """``a`` to ``z``, then ``aa``, ``ab`` and so on."""
    letters = string.ascii_lowercase
    prefix = "" if index < len(letters) else _letter(index // len(letters) - 1)
    return prefix + letters[index % len(letters)]
