"""The HTML report, read back with a parser and looked at with a browser."""

import base64
import dataclasses
import gc
import hashlib
import json
import re
import tracemalloc
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from headwise.data.records.scored import ScoredHypothesis, ScoredToken
from headwise.data.records.signals import Signal
from headwise.errors import OutputError
from headwise.report.scored_text.page import write_html_report

_VOID = {"meta", "input", "rect", "path", "br", "link", "img"}


class _Page(HTMLParser):
    """The elements of a page: tag, attributes, own text and all text within."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[dict[str, Any]] = []
        self._open: list[dict[str, Any]] = []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = {"tag": tag, "attrs": dict(attrs), "text": ""}
        self.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self._open.pop()["tag"] == tag

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element["text"] += data

    def find(self, tag: str, **attrs: str) -> list[dict[str, Any]]:
        wanted = {name.rstrip("_"): value for name, value in attrs.items()}
        return [
            element
            for element in self.elements
            if element["tag"] == tag and wanted.items() <= element["attrs"].items()
        ]

    def records(self) -> list[dict[str, Any]]:
        return [json.loads(script["text"]) for script in self.find("script", class_="record")]


def _written(scored: Any, path: Path, **options: Any) -> _Page:
    write_html_report(scored, path, **options)
    return _Page(path.read_text(encoding="utf-8"))


def _utf16(text: str, start: int, end: int) -> str:
    return text.encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le")


def test_every_sentence_stands_in_the_page_as_text(examples, tmp_path):
    page = _written(examples, tmp_path / "report.html", title="Zwölf Sätze", model="tiny-en-de")

    hypotheses = [element["text"] for element in page.find("p", class_="hypothesis")]
    sources = [element["text"] for element in page.find("p", class_="source")]
    assert hypotheses == [scored.hypothesis for scored in examples]
    assert sources == [scored.source for scored in examples if scored.source is not None]
    assert page.find("h1")[0]["text"] == "Zwölf Sätze"
    assert page.find("p", class_="model")[0]["text"] == "Scored by tiny-en-de"
    assert all(p["attrs"]["dir"] == "auto" for p in page.find("p", class_="hypothesis"))


def test_words_below_the_threshold_are_marked_and_listed_without_script(examples, tmp_path):
    page = _written(examples[:2], tmp_path / "report.html")

    marks = [mark["text"] for mark in page.find("mark", class_="check")]
    assert marks == ["Underlined words", "Strandkorb", "entlang", "Söhne"]
    listed = [item["text"] for item in page.find("li") if "class" not in item["attrs"]]
    assert listed == ["Strandkorb 0.06", "entlang 0.38", "Söhne 0.47"]


def test_records_point_into_the_text(examples, tmp_path):
    page = _written(examples, tmp_path / "report.html")

    for scored, record in zip(examples, page.records(), strict=True):
        words = [_utf16(scored.hypothesis, start, end) for start, end, _ in record["words"]]
        assert words == [word.text for word in scored.words]
        ends = [0]
        for start, end, level, tokens in record["cells"]:
            assert ends[-1] <= start < end
            ends.append(end)
            shown = _utf16(scored.hypothesis, start, end)
            worst = None if shown in TAGS else min(values[0] for _, values, _ in tokens)
            assert level == worst  # tags are no words
        tokens = [token for cell in record["cells"] for token in cell[3]]
        assert [token[0] for token in tokens] == [token.token_id for token in scored.tokens]


def test_tokens_of_one_visible_character_share_a_cell(examples, tmp_path):
    record = _written(examples, tmp_path / "report.html").records()[2]

    start, end, level, tokens = record["cells"][5]
    assert _utf16(examples[2].hypothesis, start, end) == "👩\u200d🚀"
    assert level == 0.41
    assert [alternatives for _, _, alternatives in tokens] == [
        None,
        [["\ufffd", 0.5], ["👨", 0.2]],
        None,
    ]


def test_outer_spaces_of_a_token_are_not_shaded(make_scored, tmp_path):
    scored = make_scored(None, "Ein Hund", ("Ein", 0.9), (" Hund", 0.2))

    record = _written([scored], tmp_path / "report.html").records()[0]

    assert [cell[:2] for cell in record["cells"]] == [[0, 3], [4, 8]]


TAGS = {"<b>", "</b>"}
HOSTILE = [
    "Nun </script><img src=x onerror=alert(1)>",
    "<!-- sentences --> ]]> {{ config }} &lt; &amp; \"quotes\" 'more'",
    "Ein \u202ezurück\u202c Satz",
    "NUL \x00, ESC \x1b[31m, CR \r, NEL \x85",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(make_scored, text, tmp_path):
    scored = make_scored(text, text, (text, 0.1, [(text, 0.7), ("", 0.2), ("  ", 0.1)]))
    harmless = make_scored("x", "x", ("x", 0.1, [("x", 0.7), ("", 0.2), (" ", 0.1)]))

    page = _written([scored], tmp_path / "report.html", title=text, model=text)
    expected = _written([harmless], tmp_path / "harmless.html", title="x", model="x")

    def tags(found: _Page) -> list[str]:
        return [e["tag"] for e in found.elements if e["tag"] not in ("mark", "bdi", "li")]

    assert tags(page) == tags(expected)
    shown = page.find("p", class_="hypothesis")[0]["text"]
    assert len(shown) == len(text)
    if "NUL" in text:
        assert shown == "NUL ␀, ESC ␛[31m, CR  , NEL \ufffd"
    else:
        assert shown == text
        assert page.records()[0]["cells"][0][3][0][2][0] == [text, 0.7]


def test_the_page_loads_nothing_and_runs_only_its_own_script(examples, tmp_path):
    page = _written(examples, tmp_path / "report.html")

    for element in page.elements:
        assert element["tag"] not in ("link", "img", "iframe", "object")
        assert not {"src", "style", "onclick", "onload"} & element["attrs"].keys()
        assert element["attrs"].get("href", "#").startswith("#")
    style, script = page.find("style")[0]["text"], page.find("script", type="module")[0]["text"]
    assert not re.search(r"https?:|url\(|@import|\bimport\b|fetch\(", style + script)
    policy = page.find("meta")[1]["attrs"]["content"]
    for text in (style, script):
        assert base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() in policy
    assert policy.startswith("default-src 'none'")


def test_flagged_texts_alone(examples, tmp_path):
    whole = _written(examples, tmp_path / "whole.html")
    flagged = [one.hypothesis for one in examples if one.flagged]
    assert 0 < len(flagged) < len(examples)
    assert len(whole.find("input", id="flagged", type="checkbox")) == 1
    marked = [li for li in whole.find("li", class_="sentence") if "data-flagged" in li["attrs"]]
    assert len(marked) == len(flagged)

    page = _written(examples, tmp_path / "flagged.html", flagged_only=True)
    assert [p["text"].strip() for p in page.find("p", class_="hypothesis")] == flagged
    assert not page.find("input", id="flagged")
    assert page.find("dd")[0]["text"] == f"{len(flagged)} of {len(examples)}"


def test_summary(examples, tmp_path):
    summary = write_html_report(examples, tmp_path / "report.html")
    page = _Page((tmp_path / "report.html").read_text(encoding="utf-8"))

    scores = [scored.score for scored in examples if scored.score is not None]
    assert summary.segments == 7
    assert summary.mean_score == pytest.approx(sum(scores) / len(scores))
    assert summary.words_to_check == 6
    assert sum(summary.histogram) == len(scores)
    assert [dd["text"] for dd in page.find("dd")] == ["5 of 7", f"{summary.mean_score:.2f}", "6"]
    assert len(page.find("rect")) == sum(count > 0 for count in summary.histogram)


def test_no_sentences(tmp_path):
    page = _written([], tmp_path / "report.html")

    assert [dd["text"] for dd in page.find("dd")] == ["0 of 0", "\N{EN DASH}", "0"]
    assert page.find("p", id="nothing")[0]["text"] == "There are no sentences in this report."
    assert "hidden" not in page.find("p", id="nothing")[0]["attrs"]


def test_a_sentence_without_tokens_has_no_score(make_scored, tmp_path):
    page = _written([make_scored("Nobody answered.", "")], tmp_path / "report.html")

    assert "data-level" not in page.find("li", class_="sentence")[0]["attrs"]
    assert page.records() == [{"words": [], "cells": []}]


def test_values_that_json_cannot_hold(make_scored, tmp_path):
    scored = make_scored(
        None,
        "Hin und weg",
        ("Hin", (float("-inf"), float("inf"))),
        ("und", (-0.1, float("nan"))),
        ("weg", (-1.2345678, 0.5)),
        signals="logprob,entropy",
    )

    record = _written([scored], tmp_path / "report.html").records()[0]

    assert [cell[2] for cell in record["cells"]] == [0.0, 0.9048, 0.291]
    values = [cell[3][0][1] for cell in record["cells"]]
    assert values == [["\N{MINUS SIGN}∞", "∞"], [-0.1, None], [-1.235, 0.5]]


@pytest.mark.parametrize(
    ("signal", "good", "bad"),
    [("logprob", -0.1, -3.0), ("entropy", 0.1, 3.0), ("rank", 1, 20), ("error", 0.1, 0.9)],
)
def test_signals_of_another_scale(make_scored, signal, good, bad, tmp_path):
    scored = make_scored(None, "gut schlecht", ("gut", good), ("schlecht", bad), signals=signal)

    page = _written([scored], tmp_path / "report.html")

    assert [mark["text"] for mark in page.find("mark")][1:] == ["schlecht"]


def test_signals_follow_the_first_sentence(make_scored, tmp_path):
    first = make_scored(None, "eins", ("eins", (0.9, 0.8)), signals="sigmoid,softmax")
    second = make_scored(None, "zwei", ("zwei", 0.7), signals="softmax")

    page = _written([first, second], tmp_path / "report.html")

    assert json.loads(page.find("script", id="config")[0]["text"])["signals"] == [
        "sigmoid",
        "softmax",
    ]
    assert page.records()[1]["cells"] == [[0, 4, None, [[100, [None, 0.7], None]]]]


@pytest.fixture
def gappy(make_scored):
    return make_scored(
        None,
        "👩 Ein Hund am Strandkorb.",
        ("👩", (0.9, 0.1, 0.0)),
        ("Ein", (0.98, 0.01, 0.01)),
        ("Hund", (0.97, 0.2, 0.93)),
        ("am", (0.9, 0.6, 0.02)),
        ("Strand", (0.9, 0.1, 0.6)),
        ("korb", (0.06, 0.9, 0.02)),
        (".", (0.96, 0.1, 0.7)),
        signals="quality,error,omission",
    )


def test_gaps_are_marks_and_no_text(gappy, tmp_path):
    page = _written([gappy], tmp_path / "report.html")

    assert page.find("p", class_="hypothesis")[0]["text"] == gappy.hypothesis
    marks = page.find("span", class_="gap")[1:]  # the first explains the mark
    assert [(mark["text"], mark["attrs"]["aria-label"][-5:]) for mark in marks] == [
        ("", " 0.93"),
        ("", " 0.60"),
        ("", " 0.70"),
    ]
    assert [mark["text"] for mark in page.find("mark")][1:] == ["Strand", "korb"]
    (missing,) = page.find("ul", class_="missing")
    assert missing["text"] == "before “am” 0.93in “Strandkorb” 0.60at the end 0.70"
    assert page.find("dd", id="gap-count")[0]["text"] == "3"
    assert page.find("output", id="gap-limit")[0]["text"] == "0.50"


def test_a_gap_that_no_threshold_shows_is_not_in_the_record(gappy, tmp_path):
    assert _written([gappy], tmp_path / "a.html").records()[0]["gaps"] == [
        [12, 0.07, "before “am”", 0.93],
        [21, 0.4, "in “Strandkorb”", 0.6],
        [26, 0.3, "at the end", 0.7],
    ]

    by_error = dataclasses.replace(gappy, signals=(Signal.ERROR, Signal.OMISSION))
    page = _written([by_error], tmp_path / "b.html", threshold=0.2)

    assert [gap[0] for gap in page.records()[0]["gaps"]] == [7, 12, 15, 21, 25, 26]
    assert [gap["text"] for gap in page.find("ul", class_="missing")] == ["before “am” 0.93"]
    assert page.find("output", id="gap-limit")[0]["text"] == "0.80"
    assert json.loads(page.find("script", id="config")[0]["text"])["gapThreshold"] is None


def test_without_omissions_the_page_says_nothing_of_gaps(examples, tmp_path):
    page = _written(examples, tmp_path / "report.html")

    assert not page.find("span", class_="gap")
    assert not page.find("ul", class_="missing")
    assert not page.find("dd", id="gap-count")


@pytest.mark.parametrize("threshold", [-0.1, 1.5, float("nan")])
def test_threshold_outside_the_scale(examples, threshold, tmp_path):
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\], got"):
        write_html_report(examples, tmp_path / "report.html", threshold=threshold)


def test_a_failure_leaves_the_old_report(examples, tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")

    def failing() -> Iterator[ScoredHypothesis]:
        yield examples[0]
        raise ConnectionError("lost")

    with pytest.raises(ConnectionError, match="lost"):
        write_html_report(failing(), path)

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_path_that_cannot_be_written(examples, tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(OutputError, match="cannot be written"):
        write_html_report(examples, tmp_path / "file" / "report.html")


def test_memory_does_not_grow_with_the_input(examples, tmp_path):
    def texts(count: int) -> Iterator[ScoredHypothesis]:
        for place in range(count):
            if place % 140 == 0:
                gc.collect()  # which a large process does rarely: only what is held counts
            yield dataclasses.replace(examples[place % 7])

    def peak(count: int) -> int:
        tracemalloc.start()
        write_html_report(texts(count), tmp_path / "report.html")
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    peak(7)  # loads the templates
    assert peak(1400) < 1.2 * peak(280)


def test_the_probability_of_a_text_stands_beside_its_score(examples, tmp_path):
    known = dataclasses.replace(examples[1], quality=0.204)
    page = _written([examples[0], known], tmp_path / "report.html")
    assert [e["text"] for e in page.find("span", class_="no-error")] == ["no error 20%"]


@pytest.mark.parametrize("main", ["quality", "sigmoid"])
def test_the_legend_says_what_quality_is_made_of(main, tmp_path):
    token = ScoredToken(text="Hund", end=4, quality=0.5, sigmoid=0.5)
    scored = ScoredHypothesis(None, "Hund", (token,), (), (Signal(main),))
    page = _written([scored], tmp_path / "report.html", made_of="1.20 error + 0.30 logprob")
    (legend,) = page.find("div", class_="legend")
    assert ("from 0 to 1, made of 1.20 error + 0.30 logprob." in legend["text"]) == (
        main == "quality"
    )
