"""What terminal views share: text that steers nothing, one kind of table, late drawing."""

from collections.abc import Callable
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from headwise.report.text import MINUS, UNDEFINED, printable

# What a terminal without Unicode shows instead
_ASCII = str.maketrans(
    {MINUS: "-", UNDEFINED: "-", "≈": "~", "↓": "v", "→": ">", "·": "|", "∞": "inf"}
)


@dataclass(frozen=True)
class View:
    """What is drawn when a console shows it, since its width and its colours matter."""

    draw: Callable[[Console, ConsoleOptions], RenderResult]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        return self.draw(console, options)


def plain(text: str, style: str = "", *, ascii_only: bool = False) -> Text:
    """Text as it is: no markup, and no character that would steer the terminal."""
    shown = printable(text)
    if ascii_only:
        shown = shown.translate(_ASCII).encode("ascii", "replace").decode()
    return Text(shown, style)


def simple_table(title: str | None = None) -> Table:
    """A table with a line under its head and none around it."""
    return Table(
        title=None if title is None else plain(title),
        box=box.SIMPLE_HEAD,
        padding=(0, 1),
        pad_edge=False,
    )
