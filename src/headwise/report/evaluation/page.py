"""The report as one HTML page that works offline, in the dark, without script and on paper."""

import base64
from collections.abc import Mapping
from typing import Any

from headwise.evaluation.statistics.results import Disagreement, Evaluation, Figure, Mistake, Table
from headwise.report import text
from headwise.report.evaluation.shading import shaded_pieces
from headwise.report.evaluation.table_view import row_label, view_of
from headwise.report.evaluation.words import MISTAKES, metric_label, mistake_verdict, with_labels
from headwise.report.page import PageFolder
from headwise.report.plots.plots import figure_png
from headwise.report.plots.style import DARK
from headwise.report.scored_text.display import scale_description
from headwise.report.text import number, printable

_PAGE = PageFolder("headwise.report.evaluation", "template")
_MOST_DISAGREEMENTS = 20
# Where a table has more metrics, intervals stand below their values.
_METRICS_BESIDE_INTERVALS = 3
# Where it has more, it may be wider than the text.
_METRICS_IN_TEXT_WIDTH = 5


def render_page(evaluation: Evaluation, pictures: Mapping[str, bytes] | None = None) -> str:
    """Everything that was found as one self-contained page.

    Args:
        evaluation: What was found.
        pictures: PNG files of the figures by name, if they are drawn already.
    """
    pictures = pictures or {}
    disagreements = evaluation.disagreements[:_MOST_DISAGREEMENTS]
    return _PAGE.template("page.html").render(
        protocol=evaluation.protocol,
        title=evaluation.title,
        settings=[(name, text.setting(v)) for name, v in evaluation.settings.items()],
        notes=list(map(with_labels, evaluation.notes)),
        tables=[_table(table, place) for place, table in enumerate(evaluation.tables, start=1)],
        figures=[
            _figure(figure, place, pictures.get(figure.name))
            for place, figure in enumerate(evaluation.figures, start=1)
        ],
        disagreements=[_disagreement(item) for item in disagreements],
        left_out=len(evaluation.disagreements) - len(disagreements),
        shades=list(dict.fromkeys(_shade_text(item) for item in disagreements if item.signal)),
        any_marks=any(item.marks for item in disagreements),
        mistakes_title=MISTAKES,
        mistakes=[_mistake(item) for item in evaluation.mistakes],
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
                "difference": number(c.difference, decimals.get(c.metric, 3)),
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


def _disagreement(item: Disagreement) -> dict[str, Any]:
    return {
        "source": item.scored.source,
        "pieces": shaded_pieces(item),
        "signal": item.signal.value if item.signal else "score",
        "score": text.single(item.score),
        "gold": text.single(item.gold),
        "verdict": item.verdict,
    }


def _mistake(item: Mistake) -> dict[str, Any]:
    return {
        "premise": printable(item.premise),
        "hypothesis": printable(item.hypothesis),
        "confidence": number(item.confidence, 3),
        "uncertainty": number(item.uncertainty, 3),
        "verdict": mistake_verdict(item),
    }


def _shade_text(item: Disagreement) -> str:
    return f"{item.signal}, {scale_description(item.signal)}" if item.signal else ""


def _data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
