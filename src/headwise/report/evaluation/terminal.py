"""Results in a terminal, readable from 60 columns on."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table as RichTable
from rich.text import Text

from headwise.evaluation.statistics.results import Evaluation, Table
from headwise.report.evaluation.table_view import LIKE_BEST, Cell, TableView, view_of
from headwise.report.evaluation.words import MISTAKES, mistake_summary, with_labels
from headwise.report.terminal import View, plain, simple_table
from headwise.report.text import setting

# Wider than any table, so that a table says how much room it needs
_UNLIMITED = 10_000
_MISTAKES_SHOWN = 5


def terminal_report(evaluation: Evaluation, *, sort: bool = False) -> RenderableType:
    """All tables of an evaluation with their notes and legends, and the first mistakes.

    Rows stand as they are given, or with ``sort`` by the first metric, best first.

    Args:
        evaluation: What was found.
        sort: Whether rows are ordered by the first metric, best first.
    """
    return View(partial(_draw_report, evaluation, sort))


def terminal_table(table: Table, *, sort: bool = False) -> RenderableType:
    """One table, as wide as the console allows.

    Intervals stand beside their values where there is room, below them where there is not, and
    the metrics are dealt out to several tables where even that is too wide. Where bold cannot be
    shown, the best value of a column has a ``*``. With ``sort``, rows are ordered by the first
    metric, best first.

    Args:
        table: The table.
        sort: Whether rows are ordered by the first metric, best first.
    """
    return View(partial(_draw_table, view_of(table, sort=sort)))


def _draw_report(
    evaluation: Evaluation, sort: bool, _console: Console, _options: ConsoleOptions
) -> RenderResult:
    yield plain(evaluation.title, "bold")
    settings = [f"{k}: {setting(v)}" for k, v in evaluation.settings.items()]
    if settings:
        yield plain(" · ".join(settings), "dim")
    for note in evaluation.notes:
        yield plain(with_labels(note))
    for table in evaluation.tables:
        yield Text()
        yield terminal_table(table, sort=sort)
    if evaluation.mistakes:
        yield Text()
        yield plain(MISTAKES, "bold")
    for item in evaluation.mistakes[:_MISTAKES_SHOWN]:
        yield plain(item.premise)
        yield plain(f"→ {item.hypothesis}")
        yield plain(f"  {mistake_summary(item)}", "dim")


def _draw_table(view: TableView, console: Console, options: ConsoleOptions) -> RenderResult:
    # Without a colour system nothing is bold either
    writer = _TableWriter(view, marked=console.color_system is None)
    yield plain(view.title, "bold")
    if view.verdict is not None:
        yield plain(view.verdict)
    if view.note:
        yield plain(view.note, "dim")
    if not view.rows:
        yield plain("no rows", "dim")
        return
    yield from writer.tables(console, options)
    for line in view.legend(best="*" if writer.marked else "Bold"):
        yield plain(line, "dim")
    for letter, reason in view.footnotes:
        yield plain(f"{letter}) {reason}", "dim")


@dataclass(frozen=True)
class _TableWriter:
    """Makes tables that fit a console; the best are ``marked`` where bold does not show."""

    view: TableView
    marked: bool

    def tables(self, console: Console, options: ConsoleOptions) -> Iterator[RichTable]:
        """One table, or as many as the metrics need where one is too wide."""
        every = tuple(range(len(self.view.columns)))
        limit = options.max_width
        wide = options.update(width=_UNLIMITED)

        def width(table: RichTable) -> int:
            return Measurement.get(console, wide, table).maximum

        beside = self._table(every, stacked=False)
        if width(beside) <= limit:
            yield beside
            return
        chosen: tuple[int, ...] = ()
        for index in every:
            longer = (*chosen, index)
            if chosen and width(self._table(longer, stacked=True)) > limit:
                yield self._table(chosen, stacked=True)
                longer = (index,)
            chosen = longer
        yield self._table(chosen, stacked=True)

    def _table(self, chosen: tuple[int, ...], *, stacked: bool) -> RichTable:
        view, table = self.view, simple_table()
        table.add_column(view.rows_are, overflow="fold")
        if view.aggregated and not stacked:
            table.add_column("aggregation", overflow="fold")
        for index in chosen:
            heading = plain(view.columns[index].heading)
            table.add_column(heading, justify="right", no_wrap=True)
        last = len(view.rows) - 1
        for place, row in enumerate(view.rows):
            signal = Text() if row.continues else plain(row.signal)
            aggregation = plain(row.aggregation, "dim")
            labels = [signal, aggregation] if view.aggregated else [signal]
            if view.aggregated and stacked:
                # Of several rows of one signal its name stands alone above all of them
                if not row.continues and place < last and view.rows[place + 1].continues:
                    table.add_row(signal)
                    signal = Text()
                below = Text("  ").append_text(aggregation) if aggregation else aggregation
                labels = [Text("\n").join(filter(None, (signal, below)))]
            cells = [self._cell(row.cells[index], stacked=stacked) for index in chosen]
            table.add_row(*labels, *cells)
        return table

    def _cell(self, cell: Cell, *, stacked: bool) -> Text:
        if cell.note is not None:
            return Text.assemble(plain(cell.value), plain(f" {cell.note})", "dim"))
        is_best = cell.best and not cell.untested
        mark = LIKE_BEST if cell.like_best else "*" if self.marked and is_best else " "
        look = "dim italic" if cell.untested else "bold" if cell.best else ""
        value = Text.assemble(plain(cell.value, look), plain(mark))
        if cell.interval is None:
            return value
        separator = "\n" if stacked else " "
        return Text.assemble(value, separator, plain(cell.interval, "dim"))
