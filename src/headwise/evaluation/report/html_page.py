"""The report as one HTML page that works offline, in the dark, without script and on paper."""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from headwise.evaluation.report import numbers
from headwise.evaluation.report.metric_names import metric_label
from headwise.evaluation.report.plot_style import DARK
from headwise.evaluation.report.plots import figure_png
from headwise.evaluation.report.shading import shaded_pieces
from headwise.evaluation.report.table_view import view_of
from headwise.evaluation.results import Disagreement, Evaluation, Figure, Table
from headwise.quality.display import printable, scale_description

_MOST_DISAGREEMENTS = 20
# Where a table has more metrics, intervals stand below their values.
_METRICS_BESIDE_INTERVALS = 3


def render_page(evaluation: Evaluation, pictures: Mapping[str, bytes] | None = None) -> str:
    """Everything that was found as one self-contained page.

    Args:
        evaluation: What was found.
        pictures: PNG files of the figures by name, if they are drawn already.
    """
    style, script = _template_text("report.css"), _template_text("sort.js")
    pictures = pictures or {}
    disagreements = evaluation.disagreements[:_MOST_DISAGREEMENTS]
    page = _templates().get_template("page.html")
    return page.render(
        protocol=evaluation.protocol,
        title=evaluation.title,
        settings=[(name, numbers.setting(v)) for name, v in evaluation.settings.items()],
        notes=evaluation.notes,
        tables=[_table(table, number) for number, table in enumerate(evaluation.tables, start=1)],
        figures=[
            _figure(figure, number, pictures.get(figure.name))
            for number, figure in enumerate(evaluation.figures, start=1)
        ],
        disagreements=[_disagreement(item) for item in disagreements],
        left_out=len(evaluation.disagreements) - len(disagreements),
        shades=list(dict.fromkeys(_shade_text(item) for item in disagreements if item.signal)),
        any_marks=any(item.marks for item in disagreements),
        # Nothing but this style, this script and pictures within the page may load.
        policy=f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; "
        f"script-src '{_digest(script)}'; base-uri 'none'; form-action 'none'",
        style=Markup(style),
        script=Markup(script),
    )


def _table(table: Table, number: int) -> dict[str, Any]:
    view = view_of(table)
    decimals = {column.name: column.decimals for column in view.columns}
    return {
        "id": f"table-{number}",
        "number": number,
        "view": view,
        "beside": len(view.columns) <= _METRICS_BESIDE_INTERVALS,
        "legend": view.legend(best="Bold"),
        "comparisons": [
            {
                "metric": metric_label(c.metric),
                "best": c.best,
                "other": c.other,
                "difference": numbers.number(c.difference, decimals.get(c.metric, 3)),
                "interval": numbers.interval(c.low, c.high, decimals.get(c.metric, 3)),
                "p": numbers.p_value(c.p_value).removeprefix("p = ").removeprefix("p "),
                "distinguishable": c.distinguishable,
            }
            for c in table.comparisons
        ],
    }


def _figure(figure: Figure, number: int, picture: bytes | None) -> dict[str, Any]:
    names = ", ".join(panel.label for panel in figure.panels) or "no data"
    return {
        "id": f"figure-{number}",
        "number": number,
        "title": figure.title,
        "caption": figure.caption,
        "alternative": f"{figure.title}: {figure.y_label} over {figure.x_label}, for {names}.",
        "light": _data_uri(figure_png(figure) if picture is None else picture),
        "dark": _data_uri(figure_png(figure, theme=DARK)),
    }


def _disagreement(item: Disagreement) -> dict[str, Any]:
    return {
        "source": item.scored.source,
        "pieces": shaded_pieces(item),
        "signal": item.signal.value if item.signal else "score",
        "score": numbers.single(item.score),
        "gold": numbers.single(item.gold),
        "verdict": item.verdict,
    }


def _shade_text(item: Disagreement) -> str:
    return f"{item.signal}, {scale_description(item.signal)}" if item.signal else ""


def _data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


@cache
def _templates() -> Environment:
    return Environment(
        loader=FunctionLoader(_template_text),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Control characters would vanish from the page.
        finalize=lambda value: printable(value) if type(value) is str else value,
    )


@cache
def _template_text(name: str) -> str:
    folder = resources.files("headwise.evaluation.report") / "template"
    return (folder / name).read_text(encoding="utf-8")
