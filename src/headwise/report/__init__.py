"""How results are shown: page, figures, Markdown, terminal; nothing is measured here."""

from headwise.report.evaluation.folder import results_json, write_report
from headwise.report.evaluation.markdown import markdown_report, markdown_table
from headwise.report.evaluation.page import render_page
from headwise.report.evaluation.terminal import terminal_report, terminal_table
from headwise.report.plots.plots import draw, figure_png

__all__ = [
    "draw",
    "figure_png",
    "markdown_report",
    "markdown_table",
    "render_page",
    "results_json",
    "terminal_report",
    "terminal_table",
    "write_report",
]
