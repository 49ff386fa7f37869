"""The folder of a report: page, figures, tables and results."""

import os
import re
from pathlib import Path

from headwise.atomic import atomic_path, naming_output
from headwise.evaluation.report.html_page import render_page
from headwise.evaluation.report.markdown_table import markdown_report
from headwise.evaluation.report.plots import figure_png
from headwise.evaluation.report.results_json import results_json
from headwise.evaluation.results import Evaluation

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def write_report(evaluation: Evaluation, folder: str | os.PathLike[str]) -> Path:
    """Write a report of an evaluation into a folder.

    ``index.html`` holds everything and needs no other file; beside it lie the figures as PNG
    files, ``tables.md`` and ``results.json``. Files that are there already are replaced, each at
    once and the page last; other files stay.

    Args:
        evaluation: What was found.
        folder: Where to; made if it does not exist.

    Returns:
        The page.

    Raises:
        ValueError: If the name of a figure cannot be a file name, or is given twice.
        OutputError: If a file cannot be written.
    """
    folder = Path(folder)
    names = [figure.name for figure in evaluation.figures]
    for name in names:
        if not _FILE_NAME.fullmatch(name):
            raise ValueError(
                f"`name` of a figure must consist of letters, digits, dots, dashes and "
                f"underscores, got {name!r}."
            )
        if names.count(name) > 1:
            raise ValueError(f"`name` of a figure must be given once, got {name!r} twice.")
    pictures = {figure.name: figure_png(figure) for figure in evaluation.figures}
    for name, picture in pictures.items():
        _write(folder / f"{name}.png", picture)
    _write(folder / "results.json", _encoded(results_json(evaluation)))
    _write(folder / "tables.md", _encoded(markdown_report(evaluation)))
    page = folder / "index.html"
    _write(page, _encoded(render_page(evaluation, pictures)))
    return page


def _encoded(text: str) -> bytes:
    """UTF-8; halves of surrogate pairs, which it cannot hold, become question marks."""
    return text.encode("utf-8", errors="replace")


def _write(path: Path, content: bytes) -> None:
    with naming_output(path), atomic_path(path) as temporary:
        temporary.write_bytes(content)
