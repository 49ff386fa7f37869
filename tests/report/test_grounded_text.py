"""Grounded answers in a terminal, as a piece of HTML and as a page: nothing in them is markup."""

import io
from pathlib import Path

import pytest
from made_answers import ANSWER, CONTEXT
from rich.console import Console

from headwise import GroundedAnswer, GroundingDetector, grounded_html
from headwise.report import render_grounded, write_grounded_report

HOSTILE = 'In <b>1999</b> & [bold]"7"[/bold] \x1b[31m…'


def grounded(answer: str) -> GroundedAnswer:
    return GroundingDetector().ground(CONTEXT, answer)


def drawn(answer: str, *, colour: bool) -> str:
    stream = io.StringIO()
    system = "truecolor" if colour else None
    console = Console(file=stream, width=80, color_system=system, force_terminal=colour)  # type: ignore[arg-type]
    console.print(render_grounded(grounded(answer)))
    return stream.getvalue()


def test_a_terminal_shows_spans_in_brackets_where_it_has_no_colour() -> None:
    shown = drawn(ANSWER, colour=False)
    assert "1 unsupported span" in shown
    assert "A man plays music. [900] women slept." in shown
    assert "Stands nowhere in the context: 900" in shown
    assert "19-22" in shown
    coloured = drawn(ANSWER, colour=True)
    assert "[900]" not in coloured
    assert "900" in coloured
    assert "supported: nothing was found" in drawn("A man plays.", colour=False)


def test_what_texts_hold_is_no_markup(tmp_path: Path) -> None:
    assert "\x1b[31m" not in drawn(HOSTILE, colour=False)
    assert '[bold]"[7]"[/bold]' in drawn(HOSTILE, colour=False)
    write_grounded_report([grounded(HOSTILE), grounded(ANSWER)], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text("utf-8")
    for html in (grounded_html(grounded(HOSTILE)), page):
        assert "<b>1999" not in html
        assert "&lt;b&gt;<mark" in html
        assert "\x1b" not in html
    assert "2 of 2 answers say something" in page
    assert page.count("<mark") == 4
    assert "script-src" in page


@pytest.mark.parametrize("answer", [ANSWER, "A man plays."])
def test_a_notebook_shows_the_whole_answer(answer: str) -> None:
    html = grounded(answer)._repr_html_()
    assert html.startswith("<div")
    assert html.count("<mark") == len(grounded(answer).spans)
