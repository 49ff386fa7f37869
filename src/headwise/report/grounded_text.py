"""Answers and what their contexts do not support, in a terminal, a notebook and as a page."""

import os
from collections.abc import Iterable, Iterator
from html import escape
from itertools import pairwise
from pathlib import Path

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.text import Text

from headwise.files import atomic_path, naming_output
from headwise.grounding import GroundedAnswer, UnsupportedSpan
from headwise.grounding.records import FoundBy
from headwise.report.page import PageFolder
from headwise.report.terminal import View, plain, simple_table
from headwise.report.text import number, printable

_INK = "bold underline #c4641a"
# Without colour, what is not supported stands between these
_BRACKETS = ("[", "]")
_SAYS = {
    FoundBy.HEAD: "the error head",
    FoundBy.ENTAILMENT: "no passage entails the sentence",
    FoundBy.QUANTITY: "a number or date that the context does not have",
}
_PAGE = PageFolder("headwise.report", "grounded_template")
# Styles stand in the elements: a notebook keeps no style sheet of ours
_MARK = (
    "background: rgb(240 130 30 / 0.3); text-decoration: underline wavy #a63d00 1.5px; "
    "text-underline-offset: 0.25em"
)
_SOFT = "opacity: 0.7"


def render_grounded(grounded: GroundedAnswer) -> RenderableType:
    """The answer with its unsupported spans in colour, or in brackets, and a table of these.

    Args:
        grounded: The answer with its spans.
    """

    def draw(console: Console, _options: ConsoleOptions) -> RenderResult:
        coloured = console.color_system is not None and not console.no_color
        yield Text.assemble((_verdict(grounded), "bold"))
        yield Padding(_marked(grounded, coloured=coloured), (0, 0, 0, 2))
        if not grounded.spans:
            return
        table = simple_table()
        table.add_column("at", justify="right", no_wrap=True)
        table.add_column("unsupported", overflow="fold")
        table.add_column("probability", justify="right", no_wrap=True)
        table.add_column("found by", overflow="fold")
        for span in grounded.spans:
            share = "-" if span.probability is None else f"{span.probability:.2f}"
            place = f"{span.start:,}-{span.end:,}"
            table.add_row(place, plain(span.text), share, _reasons(span))
        yield table
        if grounded.quantities:
            listed = ", ".join(quantity.text for quantity in grounded.quantities)
            yield Text.assemble(("Stands nowhere in the context: ", "dim"), plain(listed))

    return View(draw)


def grounded_html(grounded: GroundedAnswer) -> str:
    """A grounded answer as one ``div``: the verdict, the context, the answer with marked spans.

    What the texts hold is escaped. It needs no style sheet and no script.

    Args:
        grounded: The answer with its spans.
    """
    lines = [f'<div style="font-size: 0.85em; {_SOFT}">{escape(_verdict(grounded))}</div>']
    lines.append(f'<div dir="auto" style="{_SOFT}">{escape(printable(grounded.context))}</div>')
    answer = "".join(
        escape(text)
        if span is None
        else f'<mark title="{escape(_title(span))}" style="{_MARK}">{escape(text)}</mark>'
        for text, span in _pieces(grounded)
    )
    lines.append(f'<div dir="auto">{answer}</div>')
    return f'<div style="line-height: 1.7; white-space: pre-wrap">{"".join(lines)}</div>'


def write_grounded_report(
    answers: Iterable[GroundedAnswer],
    path: str | os.PathLike[str],
    *,
    title: str = "Answers and their contexts",
) -> None:
    """Write a page of answers with their contexts, which works offline and without a script.

    Args:
        answers: What to show; read once.
        path: The file to write. It appears, or is replaced, only when it is complete.
        title: Heading of the page.

    Raises:
        OutputError: If it cannot be written.
    """
    path = Path(path)
    shown = [
        {
            "context": one.context,
            "pieces": [
                (text, None if span is None else _title(span)) for text, span in _pieces(one)
            ],
            "supported": one.supported,
            "verdict": _verdict(one),
        }
        for one in answers
    ]
    page = _PAGE.template("page.html").render(
        **_PAGE.head(styles=["page.css"], scripts=[]),
        title=title,
        answers=shown,
        doubted=sum(not one["supported"] for one in shown),
    )
    with naming_output(path), atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _verdict(grounded: GroundedAnswer) -> str:
    count = len(grounded.spans)
    if not count:
        return "supported: nothing was found that the context does not say"
    return f"{count} unsupported span{'s' if count > 1 else ''}"


def _pieces(grounded: GroundedAnswer) -> Iterator[tuple[str, UnsupportedSpan | None]]:
    """The answer, cut where spans begin and end, without control characters."""
    text, spans = printable(grounded.answer), {span.start: span for span in grounded.spans}
    edges = {0, len(text), *spans, *(span.end for span in grounded.spans)}
    for start, end in pairwise(sorted(edges)):
        yield text[start:end], spans.get(start)


def _marked(grounded: GroundedAnswer, *, coloured: bool) -> Text:
    text = Text()
    before, after = ("", "") if coloured else _BRACKETS
    for piece, span in _pieces(grounded):
        if span is None:
            text.append(piece)
        else:
            text.append(f"{before}{piece}{after}", _INK if coloured else "")
    return text


def _reasons(span: UnsupportedSpan) -> str:
    return ", ".join(_SAYS[one] for one in span.found_by)


def _title(span: UnsupportedSpan) -> str:
    share = "" if span.probability is None else f", probability {number(span.probability, 2)}"
    return f"Not supported{share}: {_reasons(span)}"
