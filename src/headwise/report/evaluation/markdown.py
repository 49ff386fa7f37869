"""Results as GitHub Markdown, for documents that are kept beside the code."""

import re

from headwise.evaluation.statistics.results import Evaluation, Table
from headwise.report.evaluation.table_view import LIKE_BEST, Cell, TableView, view_of
from headwise.report.evaluation.words import MISTAKES, mistake_summary, with_labels
from headwise.report.text import printable, setting

_SPECIAL = re.compile(r"([\\`*\[\]|$~])|(?<!\w)(_)|(_)(?!\w)")
_LINE_START = re.compile(r"^([#+-]|\d+[.)])(?=\s|$)")


def markdown_report(evaluation: Evaluation, *, sort: bool = False, heading: int = 1) -> str:
    """All tables of an evaluation with their notes and legends, and mistakes.

    Rows stand as they are given, or with ``sort`` by the first metric, best first. The
    title has the level ``heading``, tables the next one.

    Args:
        evaluation: What was found.
        sort: Whether rows are ordered by the first metric, best first.
        heading: Level of the title, from 1.
    """
    settings = " · ".join(
        f"{_escaped(name)}: {_escaped(setting(value))}"
        for name, value in evaluation.settings.items()
    )
    parts = [f"{'#' * heading} {_escaped(evaluation.title)}", settings]
    parts += [f"- {_escaped(with_labels(note))}" for note in evaluation.notes]
    tables = [markdown_table(table, sort=sort, heading=heading + 1) for table in evaluation.tables]
    parts += [*tables, _mistakes(evaluation, heading=heading + 1)]
    text = "\n\n".join(filter(None, parts)).rstrip()
    # Notes form one list
    return re.sub(r"(?m)^(- .*)\n\n(?=- )", r"\1\n", text) + "\n"


def markdown_table(table: Table, *, sort: bool = False, heading: int = 2) -> str:
    """One table: best values bold, intervals in brackets, reasons as footnotes.

    Args:
        table: The table.
        sort: Whether rows are ordered by the first metric, best first.
        heading: Level of its title, from 1.
    """
    view = view_of(table, sort=sort)
    lines = [f"{'#' * heading} {_escaped(view.title)}", ""]
    if view.verdict is not None:
        lines += [f"**{_escaped(view.verdict)}**", ""]
    if view.note:
        lines += [_escaped(view.note), ""]
    if view.rows:
        lines += [*_rows(view), ""]
        lines += [_escaped(" ".join(view.legend())), ""]
    if view.footnotes:
        notes = (f"<sup>{letter}</sup> {_escaped(reason)}" for letter, reason in view.footnotes)
        lines += ["<br>\n".join(notes), ""]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))


def _mistakes(evaluation: Evaluation, *, heading: int) -> str:
    if not evaluation.mistakes:
        return ""
    lines = [f"{'#' * heading} {MISTAKES}", ""]
    for place, item in enumerate(evaluation.mistakes, start=1):
        lines += [f"{place}. {_escaped(item.premise)}  ", f"   → {_escaped(item.hypothesis)}  "]
        lines.append(f"   {_escaped(mistake_summary(item))}")
    return "\n".join(lines)


def _rows(view: TableView) -> list[str]:
    names = [view.rows_are, *(["aggregation"] if view.aggregated else [])]
    table = [[*names, *(_escaped(column.heading) for column in view.columns)]]
    table.append([":--"] * len(names) + ["--:"] * len(view.columns))
    for row in view.rows:
        labels = [row.signal, *([row.aggregation] if view.aggregated else [])]
        table.append([*map(_escaped, labels), *map(_cell_text, row.cells)])
    return [f"| {' | '.join(cells)} |" for cells in table]


def _cell_text(cell: Cell) -> str:
    if cell.note is not None:
        return f"{cell.value} <sup>{cell.note}</sup>"
    value = f"**{cell.value}**" if cell.best and not cell.untested else cell.value
    if cell.untested:
        value = f"*{value}*"
    mark = f" {LIKE_BEST}" if cell.like_best else ""
    return value + mark + (f" {cell.interval}" if cell.interval else "")


def _escaped(text: str) -> str:
    """Text that Markdown leaves as it is, on one line."""
    text = printable(" ".join(text.split()))
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _SPECIAL.sub(lambda match: f"\\{match.group()}", text)
    return _LINE_START.sub(r"\\\1", text)
