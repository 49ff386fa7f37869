"""A cascade's answer in a terminal: the answer, who gave it, and what everybody said."""

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.text import Text

from headwise.cascade import Attempt, CascadeAnswer
from headwise.report.terminal import View, plain, simple_table


def render_cascade(answer: CascadeAnswer, *, unit: str = "") -> RenderableType:
    """The question, its answer if there is one, and a table of the stages that were asked.

    Args:
        answer: What to show.
        unit: Written behind costs.
    """

    def draw(_console: Console, _options: ConsoleOptions) -> RenderResult:
        yield plain(answer.source, "dim")
        if answer.text is None:
            yield Padding(Text("No answer is good enough.", style="bold"), (0, 0, 0, 2))
        else:
            yield Padding(plain(answer.text, "bold"), (0, 0, 0, 2))
        table = simple_table()
        table.add_column("asked", overflow="fold")
        table.add_column("quality", justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
        table.add_column("answer", overflow="fold")
        table.add_column("cost", justify="right", no_wrap=True)
        for one in answer.attempts:
            quality = "-" if one.quality is None else f"{one.quality:.2f}"
            cost = f"{one.cost:.3g}{unit}"
            said = plain(one.text if one.text is not None else one.error or "")
            table.add_row(plain(one.stage), quality, _what_became(one), said, cost)
        yield table

    return View(draw)


def _what_became(attempt: Attempt) -> Text:
    if attempt.accepted:
        return Text("given", style="green")
    return Text("not given", style="dim") if attempt.text is not None else Text("none", style="dim")
