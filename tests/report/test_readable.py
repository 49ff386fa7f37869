"""What an encoding lacks degrades to signs of the same width; nothing fails."""

import io
import sys
from itertools import product

import pytest
from rich.console import Console
from scored_texts import scored_text

from headwise.entailment import Prediction, Ranked, RouteScore, Routing
from headwise.report import (
    render_legend,
    render_prediction,
    render_ranking,
    render_routing,
    render_scored,
    render_table,
)
from headwise.report.readable import make_streams_readable, readable

ENCODINGS = ("ascii", "latin-1", "cp1252", "shift_jis")
TEXTS = (
    "Ein Hund läuft …",
    "\N{MINUS SIGN} → ≈ ‸ “x”",
    "会议 e\u0301 x",
    "\udcff\ud800",
    "Ein\u00a0Hund",
)


@pytest.mark.parametrize(("text", "encoding"), list(product(TEXTS, (*ENCODINGS, "utf-8"))))
def test_every_text_can_be_written(text: str, encoding: str) -> None:
    shown = readable(text, encoding)
    assert shown.encode(encoding).decode(encoding) == shown
    assert [c for c in shown if c.isascii() and c.isalnum()] == [
        c for c in text if c.isascii() and c.isalnum()
    ]


def test_signs_are_as_wide_as_what_they_stand_for() -> None:
    assert readable("Ein Hund läuft …", "ascii") == "Ein Hund l?uft ."
    assert readable("Ein Hund läuft …", "latin-1") == "Ein Hund läuft ."
    assert readable("Ein Hund läuft …", "cp1252") == "Ein Hund läuft …"
    assert readable("会议 e\u0301 \N{MINUS SIGN}1 \udcff", "ascii") == "???? e -1 ?"
    assert readable("\ud800 ä", "utf-8") == "? ä"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_view_of_texts(encoding: str) -> None:
    values = {"quality": [0.1, 0.9], "omission": [0.9, 0.1]}
    scored = scored_text(["läuft…", "会议"], values, source="\N{EM DASH}Straße\ud800")
    prediction = Prediction("neutral", 0.5, {"neutral": 0.5, "entailment": 0.25}, False, 0.2)
    routing = Routing(
        "straße→", {"straße→": RouteScore(0.5, False, "会议", prediction)}, "entailment"
    )
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=file, width=70)
    for view in (
        render_scored(scored),
        render_table([scored], title="läuft → 会议"),
        render_legend("quality", gaps=True),
        render_prediction(prediction, threshold=0.5),
        render_routing(routing),
        render_ranking([Ranked(0, "läuft 会议", 0.5)], lines={0: 1}),
    ):
        console.print(view)
    file.seek(0)
    shown = file.read()
    assert ("l?uft" if encoding in ("ascii", "shift_jis") else "läuft") in shown
    assert "neutral 0.50" in shown
    assert "##########" in shown or encoding == "shift_jis"


def test_streams_show_signs_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    strict = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict")
    told = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="backslashreplace")
    monkeypatch.setattr(sys, "stdout", strict)
    monkeypatch.setattr(sys, "stderr", told)
    make_streams_readable()
    for stream, expected in ((strict, b"l?uft"), (told, b"l\\xe4uft")):
        stream.write("läuft")
        stream.flush()
        assert stream.buffer.getvalue() == expected  # type: ignore[attr-defined]
