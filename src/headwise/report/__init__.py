"""How results are shown: pages, terminal views, figures, Markdown; nothing is measured here.

The room is lazy: Matplotlib and Jinja are imported when a name that needs them is used.
"""

from typing import TYPE_CHECKING

from headwise.lazy_names import lazy_names

if TYPE_CHECKING:
    from headwise.report.cascade_terminal import render_cascade
    from headwise.report.claims.page import write_claims_report
    from headwise.report.entailment_terminal import (
        render_prediction,
        render_ranking,
        render_routing,
        render_validation,
    )
    from headwise.report.evaluation.folder import results_json, write_report
    from headwise.report.evaluation.markdown import markdown_report, markdown_table
    from headwise.report.evaluation.page import render_page
    from headwise.report.evaluation.terminal import terminal_report, terminal_table
    from headwise.report.grounded_text import (
        grounded_html,
        render_grounded,
        write_grounded_report,
    )
    from headwise.report.plots.plots import draw, figure_png
    from headwise.report.scored_text.display import shows_gaps
    from headwise.report.scored_text.page import write_html_report
    from headwise.report.scored_text.snippet import scored_html
    from headwise.report.scored_text.terminal import render_legend, render_scored, render_table

_HOMES = {
    ".cascade_terminal": ("render_cascade",),
    ".claims.page": ("write_claims_report",),
    ".entailment_terminal": (
        "render_prediction",
        "render_ranking",
        "render_routing",
        "render_validation",
    ),
    ".evaluation.folder": ("results_json", "write_report"),
    ".evaluation.markdown": ("markdown_report", "markdown_table"),
    ".evaluation.page": ("render_page",),
    ".evaluation.terminal": ("terminal_report", "terminal_table"),
    ".grounded_text": ("grounded_html", "render_grounded", "write_grounded_report"),
    ".plots.plots": ("draw", "figure_png"),
    ".scored_text.display": ("shows_gaps",),
    ".scored_text.page": ("write_html_report",),
    ".scored_text.snippet": ("scored_html",),
    ".scored_text.terminal": ("render_legend", "render_scored", "render_table"),
}

__all__ = [
    "draw",
    "figure_png",
    "grounded_html",
    "markdown_report",
    "markdown_table",
    "render_cascade",
    "render_grounded",
    "render_legend",
    "render_page",
    "render_prediction",
    "render_ranking",
    "render_routing",
    "render_scored",
    "render_table",
    "render_validation",
    "results_json",
    "scored_html",
    "shows_gaps",
    "terminal_report",
    "terminal_table",
    "write_claims_report",
    "write_grounded_report",
    "write_html_report",
    "write_report",
]

__getattr__ = lazy_names(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted(__all__)
