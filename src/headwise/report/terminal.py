"""What terminal views share: text that steers nothing, one kind of table, late drawing."""

from collections.abc import Callable
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from headwise.report.readable import readable
from headwise.report.text import printable


@dataclass(frozen=True)
class View:
    """What is drawn when a console shows it, since its width, colours and characters matter."""

    draw: Callable[[Console, ConsoleOptions], RenderResult]

    @classmethod
    def of(cls, *parts: RenderableType) -> "View":
        """A view of parts that look the same on every console, but for its characters."""
        return cls(lambda *_: iter(parts))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for part in self.draw(console, options):
            for segment in [part] if isinstance(part, Segment) else console.render(part, options):
                yield segment._replace(text=readable(segment.text, options.encoding))


def plain(text: str, style: str = "") -> Text:
    """Text as it is: no markup, and no character that would steer the terminal."""
    return Text(printable(text), style)


def simple_table(title: str | None = None) -> Table:
    """A table with a line under its head and none around it."""
    return Table(
        title=None if title is None else plain(title),
        box=box.SIMPLE_HEAD,
        padding=(0, 1),
        pad_edge=False,
    )
