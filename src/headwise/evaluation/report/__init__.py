"""How results are shown: page, figures, Markdown, terminal; nothing is measured here."""

from headwise.evaluation.report.html_page import render_page
from headwise.evaluation.report.markdown_table import markdown_report, markdown_table
from headwise.evaluation.report.plots import draw, figure_png
from headwise.evaluation.report.results_json import results_json
from headwise.evaluation.report.terminal_table import terminal_report, terminal_table
from headwise.evaluation.report.writing import write_report

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
