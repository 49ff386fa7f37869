"""Model cards: the template `card.md.jinja` beside each training, filled in."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from rich.filesize import decimal

from headwise.training.loop.card_data import front_matter


def model_card(training: str, **facts: object) -> str:
    """The card of a trained head, as Markdown; ``training`` names the folder with its template."""
    return _environment().get_template(f"{training}/card.md.jinja").render(facts)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parents[1]),
        # A fact that a template misspells is an error, not a gap in somebody's card
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals["front_matter"] = front_matter
    environment.filters |= {
        "count": lambda value: f"{value:,.0f}",
        "files": _files,
        "figure": _figure,
        "percent": lambda value, digits=1: f"{value:.{digits}%}",
        "setting": lambda value: f"{value:g}",
        "size": decimal,
    }
    return environment


def _files(names: Sequence[str]) -> str:
    return ", ".join(names) or "given in Python"


def _figure(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"
