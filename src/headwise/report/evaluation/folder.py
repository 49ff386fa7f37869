"""The folder of a report: page, figures, tables and results."""

import json
import math
import os
import re
from pathlib import Path
from typing import Any

from headwise.choices import REPORT_FILES
from headwise.evaluation.statistics.results import Evaluation
from headwise.files import atomic_path, naming_output
from headwise.report.evaluation.markdown import markdown_report
from headwise.report.evaluation.page import render_page
from headwise.report.plots.plots import figure_png

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def results_json(evaluation: Evaluation) -> str:
    """Tables, comparisons, settings and notes as JSON that every parser reads.

    JSON has no number for infinity, so it is written as the text ``Infinity`` or ``-Infinity``.

    Args:
        evaluation: What was found.
    """
    plain = _json_value(evaluation.as_dict())
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False, indent=2) + "\n"
    # Halves of surrogate pairs could not be written to a file
    return text.encode("utf-8", errors="replace").decode("utf-8")


def _json_value(value: Any) -> Any:
    match value:
        case dict():
            return {str(key): _json_value(item) for key, item in value.items()}
        case list() | tuple():
            return [_json_value(item) for item in value]
        case float() if math.isnan(value):
            return None
        case float() if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
        case _:
            return value


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
    # All drawn before the first write: a figure that fails leaves an older report as it was
    pictures = {figure.name: figure_png(figure) for figure in evaluation.figures}
    for name, picture in pictures.items():
        _write(folder / f"{name}.png", picture)
    results, tables, page = (folder / name for name in REPORT_FILES)
    _write(results, results_json(evaluation))
    _write(tables, markdown_report(evaluation))
    # The page comes last: who finds it finds everything
    _write(page, render_page(evaluation, pictures))
    return page


def _write(path: Path, content: bytes | str) -> None:
    if isinstance(content, str):
        # Halves of surrogate pairs, which UTF-8 cannot hold, become question marks
        content = content.encode("utf-8", errors="replace")
    with naming_output(path), atomic_path(path) as temporary:
        temporary.write_bytes(content)
