"""The report as one HTML page that works offline, in the dark, without script and on paper."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from headwise.evaluation.statistics.results import Disagreement, Evaluation, Figure, Table
from headwise.report import text
from headwise.report.evaluation.table_view import row_label, view_of
from headwise.report.evaluation.words import MISTAKES, metric_label, mistake_verdict, with_labels
from headwise.report.page import PageFolder
from headwise.report.plots.plots import figure_png
from headwise.report.plots.style import DARK
from headwise.report.scored_text.display import scale_description

_PAGE = PageFolder("headwise.report.evaluation", "template")
_MOST_DISAGREEMENTS = 20
# Where a table has more metrics, intervals stand below their values
_METRICS_BESIDE_INTERVALS = 3
# Where it has more, it may be wider than the text
_METRICS_IN_TEXT_WIDTH = 5
# Steps of the shades; the page's style has a class for each, since its policy forbids inline style
STEPS = 10


def render_page(evaluation: Evaluation, pictures: Mapping[str, bytes] | None = None) -> str:
    """Everything that was found as one self-contained page.

    Args:
        evaluation: What was found.
        pictures: PNG files of the figures by name, if they are drawn already.
    """
    pictures = pictures or {}
    disagreements = evaluation.disagreements[:_MOST_DISAGREEMENTS]
    return _PAGE.template("page.html").render(
        evaluation=evaluation,
        title=evaluation.title,
        notes=list(map(with_labels, evaluation.notes)),
        tables=[_table(table, place) for place, table in enumerate(evaluation.tables, start=1)],
        figures=[
            _figure(figure, place, pictures.get(figure.name))
            for place, figure in enumerate(evaluation.figures, start=1)
        ],
        disagreements=[(item, shaded_pieces(item)) for item in disagreements],
        left_out=len(evaluation.disagreements) - len(disagreements),
        shades=dict.fromkeys(
            f"{item.signal}, {scale_description(item.signal)}"
            for item in disagreements
            if item.signal
        ),
        any_marks=any(item.marks for item in disagreements),
        mistakes_title=MISTAKES,
        mistakes=[(item, mistake_verdict(item)) for item in evaluation.mistakes],
        **_PAGE.head(styles=("report.css",), scripts=("sort.js",), pictures=True),
    )


def _table(table: Table, place: int) -> dict[str, Any]:
    view = view_of(table)
    decimals = {column.name: column.decimals for column in view.columns}
    return {
        "id": f"table-{place}",
        "number": place,
        "view": view,
        "beside": len(view.columns) <= _METRICS_BESIDE_INTERVALS,
        "wide": len(view.columns) > _METRICS_IN_TEXT_WIDTH,
        "legend": view.legend(best="Bold"),
        "comparisons": [
            {
                "metric": metric_label(c.metric),
                "best": row_label(table, c.best),
                "other": row_label(table, c.other),
                "difference": text.number(c.difference, decimals.get(c.metric, 3)),
                "interval": text.interval(c.low, c.high, decimals.get(c.metric, 3)),
                "p": text.p_value(c.p_value).removeprefix("p = ").removeprefix("p "),
                "distinguishable": c.distinguishable,
            }
            for c in table.comparisons
        ],
    }


def _figure(figure: Figure, place: int, picture: bytes | None) -> dict[str, Any]:
    names = ", ".join(panel.label for panel in figure.panels) or "no data"
    return {
        "id": f"figure-{place}",
        "number": place,
        "title": figure.title,
        "caption": with_labels(figure.caption),
        "alternative": f"{figure.title}: {figure.y_label} over {figure.x_label}, for {names}.",
        "light": _data_uri(figure_png(figure) if picture is None else picture),
        "dark": _data_uri(figure_png(figure, theme=DARK)),
    }


def _data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


@dataclass(frozen=True, slots=True)
class Piece:
    """Neighbouring characters that look alike.

    Attributes:
        text: The characters, control characters made visible.
        doubt: Step of the shade from 0, none, to 10; ``None`` outside words or without a signal.
        level: Confidence of the word as text; ``None`` where ``doubt`` is.
        marked: Whether the gold calls it wrong.
    """

    text: str
    doubt: int | None
    level: str | None
    marked: bool


def shaded_pieces(disagreement: Disagreement) -> tuple[Piece, ...]:
    """Cut the text of a disagreement so that each piece has one shade and one mark.

    The texts of all pieces together are the printable text.
    """
    scored, signal = disagreement.scored, disagreement.signal
    shown = text.printable(scored.hypothesis)
    words: list[tuple[int, int, float | None]] = []
    if signal is not None and signal in scored.signals:
        words = [(w.start, w.end, signal.confidence(getattr(w, signal))) for w in scored.words]
    marks = [(max(start, 0), min(end, len(shown))) for start, end in disagreement.marks]
    marks = [(start, end) for start, end in marks if start < end]
    ranges = [(0, len(shown)), *((start, end) for start, end, _ in words), *marks]
    edges = sorted({edge for both in ranges for edge in both})
    pieces = []
    for start, end in pairwise(edges):
        level = next((lv for first, last, lv in words if first <= start < last), None)
        pieces.append(
            Piece(
                text=shown[start:end],
                # The curve keeps the many words without doubt quiet
                doubt=None if level is None else round(STEPS * (1 - level) ** 1.5),
                level=None if level is None else f"{level:.2f}",
                marked=any(first <= start < last for first, last in marks),
            )
        )
    return tuple(pieces)
