"""Results in a terminal, readable from 60 columns on."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table as RichTable
from rich.text import Text

from headwise.evaluation.statistics.results import Evaluation, Table
from headwise.report.evaluation.table_view import (
    LIKE_BEST,
    LOWER_IS_BETTER,
    Cell,
    Column,
    TableView,
    view_of,
)
from headwise.report.evaluation.words import MISTAKES, mistake_summary, with_labels
from headwise.report.text import MINUS, UNDEFINED, printable, setting

# What a terminal without Unicode shows instead.
_ASCII = str.maketrans(
    {
        LIKE_BEST: "~",
        MINUS: "-",
        UNDEFINED: "-",
        LOWER_IS_BETTER: "v",
        "∞": "inf",
        "·": "|",
        "→": ">",
    }
)
_UNLIMITED = 10_000
_MISTAKES_SHOWN = 5


def terminal_report(evaluation: Evaluation, *, sort: bool = False) -> RenderableType:
    """All tables of an evaluation with their notes and legends, and the first mistakes.

    Args:
        evaluation: What was found.
        sort: Whether rows are ordered by the first metric, best first.
    """
    return _ReportView(evaluation, sort)


def terminal_table(table: Table, *, sort: bool = False) -> RenderableType:
    """One table, as wide as the console allows.

    Intervals stand beside their values where there is room, below them where there is not, and
    the metrics are dealt out to several tables where even that is too wide. Where bold cannot be
    shown, the best value of a column has a ``*``.

    Args:
        table: The results.
        sort: Whether rows are ordered by the first metric, best first.
    """
    return _View(view_of(table, sort=sort))


@dataclass(frozen=True)
class _ReportView:
    evaluation: Evaluation
    sort: bool

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        plain = _Writer(options.ascii_only)
        yield plain.text(self.evaluation.title, "bold")
        settings = [f"{k}: {setting(v)}" for k, v in self.evaluation.settings.items()]
        if settings:
            yield plain.text(" · ".join(settings), "dim")
        for note in self.evaluation.notes:
            yield plain.text(with_labels(note))
        for table in self.evaluation.tables:
            yield Text()
            yield terminal_table(table, sort=self.sort)
        if self.evaluation.mistakes:
            yield Text()
            yield plain.text(MISTAKES, "bold")
        for item in self.evaluation.mistakes[:_MISTAKES_SHOWN]:
            yield plain.text(item.premise)
            yield plain.text(f"→ {item.hypothesis}")
            yield plain.text(f"  {mistake_summary(item)}", "dim")


@dataclass(frozen=True)
class _View:
    view: TableView

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        write = _Writer(options.ascii_only, marked=console.color_system is None)
        yield write.text(self.view.title, "bold")
        if self.view.note:
            yield write.text(self.view.note, "dim")
        if not self.view.rows:
            yield write.text("no rows", "dim")
            return
        yield from self._tables(write, console, options)
        best = "*" if write.marked else "Bold"
        for line in self.view.legend(best=best):
            yield write.text(line, "dim")
        for letter, reason in self.view.footnotes:
            yield write.text(f"{letter}) {reason}", "dim")

    def _tables(
        self, write: "_Writer", console: Console, options: ConsoleOptions
    ) -> Iterator[RichTable]:
        every = tuple(range(len(self.view.columns)))
        limit = options.max_width
        wide = options.update(width=_UNLIMITED)

        def width(table: RichTable) -> int:
            return Measurement.get(console, wide, table).maximum

        beside = self._table(every, write, stacked=False)
        if width(beside) <= limit:
            yield beside
            return
        chosen: tuple[int, ...] = ()
        for index in every:
            longer = (*chosen, index)
            if chosen and width(self._table(longer, write, stacked=True)) > limit:
                yield self._table(chosen, write, stacked=True)
                longer = (index,)
            chosen = longer
        yield self._table(chosen, write, stacked=True)

    def _table(self, chosen: tuple[int, ...], write: "_Writer", *, stacked: bool) -> RichTable:
        view = self.view
        table = RichTable(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
        table.add_column(view.rows_are, overflow="fold")
        if view.aggregated and not stacked:
            table.add_column("aggregation", overflow="fold")
        for index in chosen:
            table.add_column(write.heading(view.columns[index]), justify="right", no_wrap=True)
        last = len(view.rows) - 1
        for place, row in enumerate(view.rows):
            signal = Text() if row.continues else write.text(row.signal)
            aggregation = write.text(row.aggregation, "dim")
            labels = [signal, aggregation] if view.aggregated else [signal]
            if view.aggregated and stacked:
                if not row.continues and place < last and view.rows[place + 1].continues:
                    table.add_row(signal)
                    signal = Text()
                labels = [Text("\n").join(filter(None, (signal, _indented(aggregation))))]
            cells = [write.cell(row.cells[index], stacked=stacked) for index in chosen]
            table.add_row(*labels, *cells)
        return table


def _indented(text: Text) -> Text:
    return Text("  ").append_text(text) if text else text


@dataclass(frozen=True)
class _Writer:
    """Puts text on a console: no markup, no control characters, ASCII where it must be.

    Attributes:
        ascii_only: Whether the console shows nothing else.
        marked: Whether the best values need a mark because bold does not show.
    """

    ascii_only: bool
    marked: bool = False

    def text(self, text: str, style: str = "") -> Text:
        shown = printable(text)
        if self.ascii_only:
            shown = shown.translate(_ASCII).encode("ascii", "replace").decode()
        return Text(shown, style)

    def heading(self, column: Column) -> Text:
        return self.text(column.heading)

    def cell(self, cell: Cell, *, stacked: bool) -> Text:
        if cell.note is not None:
            return Text.assemble(self.text(cell.value), self.text(f" {cell.note})", "dim"))
        mark = LIKE_BEST if cell.like_best else "*" if self.marked and cell.best else " "
        value = Text.assemble(self.text(cell.value, "bold" if cell.best else ""), self.text(mark))
        if cell.interval is None:
            return value
        separator = "\n" if stacked else " "
        return Text.assemble(value, separator, self.text(cell.interval, "dim"))
