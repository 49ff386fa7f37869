import base64
import hashlib
import io
import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from matplotlib.image import imread

from headwise.data.records.signals import Signal
from headwise.errors import OutputError
from headwise.metrics import Metric
from headwise.report import render_page, results_json, write_report
from headwise.report.evaluation import folder, page
from headwise.report.evaluation.page import shaded_pieces

PNG = b"\x89PNG\r\n\x1a\n"
_VOID = {"meta", "img", "source"}


class _Page(HTMLParser):
    """The elements of a page: tag, attributes and all text within."""

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
        assert self._open.pop()["tag"] == tag

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element["text"] += data

    def find(self, tag: str, class_: str | None = None) -> list[dict[str, Any]]:
        return [
            e
            for e in self.elements
            if e["tag"] == tag
            and (class_ is None or class_ in (e["attrs"].get("class") or "").split())
        ]


@pytest.fixture(autouse=True)
def quick_figures(request, monkeypatch):
    """Drawing is tested elsewhere; here it would only take time."""
    if "drawn" not in request.fixturenames:
        for module in (page, folder):
            monkeypatch.setattr(
                module, "figure_png", lambda figure, **_: PNG + figure.name.encode()
            )


@pytest.fixture
def drawn():
    """Figures are drawn after all."""


@pytest.mark.usefixtures("drawn")
def test_the_folder(evaluation, tmp_path):
    folder = tmp_path / "new" / "report"
    page = write_report(evaluation, folder)

    assert page == folder / "index.html"
    names = ["index.html", "results.json", "risk.png", "scatter.png", "tables.md"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert json.loads((folder / "results.json").read_text()) == evaluation.as_dict()
    assert (folder / "tables.md").read_text().startswith("# Tiny model\n")
    assert imread(io.BytesIO((folder / "risk.png").read_bytes())).shape[1] == 1400


def test_files_are_replaced_and_others_stay(evaluation, tmp_path):
    write_report(evaluation, tmp_path)
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for path in tmp_path.iterdir():
        path.write_text("old")
    (tmp_path / "mine.txt").write_text("mine")
    write_report(evaluation, tmp_path)

    second = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert second == {**first, "mine.txt": b"mine"}


@pytest.mark.parametrize("name", ["../evil", "a/b", "", ".hidden", "a b", "a\n"])
def test_figures_cannot_be_written_elsewhere(evaluation, tmp_path, name):
    figure = replace(evaluation.figures[0], name=name)
    with pytest.raises(ValueError, match="`name` of a figure must consist of"):
        write_report(replace(evaluation, figures=(figure,)), tmp_path)
    assert not list(tmp_path.iterdir())


def test_two_figures_of_one_name_are_refused(evaluation, tmp_path):
    with pytest.raises(ValueError, match="'scatter' twice"):
        write_report(replace(evaluation, figures=evaluation.figures[:1] * 2), tmp_path)


def test_a_folder_that_is_a_file(empty_evaluation, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_report(empty_evaluation, tmp_path / "file")


def test_an_empty_evaluation(empty_evaluation, tmp_path):
    page = _Page(write_report(empty_evaluation, tmp_path).read_text())

    assert page.find("h1")[0]["text"] == "Nothing"
    assert page.find("p", "empty")[0]["text"] == "There are no tables in this report."
    assert not page.find("table")
    assert not page.find("figure")
    assert not page.find("h2")


def test_nothing_is_loaded_and_only_our_script_and_style_may_run(evaluation):
    page = _Page(render_page(evaluation))
    policy = page.find("meta")[1]["attrs"]["content"]

    for tag in ("style", "script"):
        (element,) = page.find(tag)
        digest = base64.b64encode(hashlib.sha256(element["text"].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; img-src data:; ")
    assert "unsafe" not in policy
    for element in page.elements:
        assert "style" not in element["attrs"]  # the policy would forbid it
        for name in ("src", "srcset"):
            url = element["attrs"].get(name)
            assert url is None or url.startswith("data:image/png;base64,")
        href = element["attrs"].get("href")
        assert href is None or href.startswith("#")
        assert not any(name.startswith("on") for name in element["attrs"])
    assert "url(" not in page.find("style")[0]["text"]
    assert "@import" not in page.find("style")[0]["text"]


def test_cells_of_every_kind(evaluation):
    page = _Page(render_page(evaluation))
    cells = page.find("td", "number")[:6]

    assert [re.sub(r"\s+", " ", cell["text"]) for cell in cells] == [
        "0.870≈ not distinguishable from the best [0.860, 0.882]",
        "0.050",
        "0.883 [0.873, 0.895]",
        "0.000",
        "0.700 [0.690, 0.712]",
        "\N{EN DASH}undefined, see note a",
    ]
    assert [e["text"] for e in page.find("strong")] == ["0.883"]
    assert [cell["attrs"]["class"] for cell in cells[:4]] == [
        "number",
        "number untested",
        "number",
        "number untested",
    ]
    assert page.find("p", "verdict-line")[0]["text"].startswith("By ROC AUC, softmax is best")
    assert cells[0]["attrs"]["title"].startswith("softmax differs by 0.012")
    assert [cell["attrs"].get("data-value") for cell in cells[4:]] == ["0.7", None]
    assert cells[5]["attrs"]["title"] == "It is no probability."
    assert page.find("ol", "footnotes")[0]["text"].split() == [
        "a",
        "It",
        "is",
        "no",
        "probability.",
    ]
    (target,) = (e["attrs"]["href"] for e in page.find("a"))
    assert [e["attrs"].get("id") for e in page.find("li")].count(target[1:]) == 1


def test_tables_can_be_read_aloud(evaluation):
    page = _Page(render_page(evaluation))

    assert len(page.find("caption")) == len(page.find("table")) == 2
    assert all(e["attrs"]["scope"] in ("col", "row") for e in page.find("th"))
    headings = [e["text"] for e in page.find("th") if "data-first" in e["attrs"]]
    assert headings == ["Signal", "ROC AUC", "ECE ↓, lower is better"]
    ids = [e["attrs"]["id"] for e in page.elements if "id" in e["attrs"]]
    assert len(ids) == len(set(ids))
    for element in page.elements:
        assert element["attrs"].get("aria-labelledby", ids[0]) in ids
    assert all(len(e["attrs"]["alt"]) > 20 for e in page.find("img"))


def test_the_legend_and_the_comparisons(evaluation):
    page = _Page(render_page(evaluation))

    legend = page.find("div", "legend")[0]["text"]
    for text in ("Bold: best", "≈: not dist", "Holm-adjusted, level 0.05", "1,000 resamples"):
        assert text in legend
    details = re.sub(r"\s+", " ", page.find("details")[0]["text"])
    assert "ROC AUCsoftmaxsigmoid0.012 [\N{MINUS SIGN}0.004, 0.029]0.200no" in details
    assert "ROC AUCsoftmaxentropy0.012 [\N{MINUS SIGN}0.004, 0.029]< 0.001yes" in details


def test_a_table_with_one_row_and_one_without(evaluation, table):
    one = replace(table, rows=table.rows[:1], comparisons=())
    none = replace(table, rows=(), comparisons=())
    page = _Page(render_page(replace(evaluation, tables=(one, none))))

    assert len(page.find("tbody")) == 1
    assert not page.find("strong")
    assert page.find("p", "empty")[0]["text"] == "This table has no rows."


def test_words_are_shaded_and_gold_is_underlined(evaluation, disagreement):
    page = _Page(render_page(evaluation))
    (text,) = page.find("p", "hypothesis")

    assert text["text"] == "Ein Hund läuft."
    assert [e["text"] for e in page.find("mark", "gold")] == [
        "Underlined",
        *("n", " ", "Hund", "."),
    ]
    shades = [(p.text, p.doubt, p.marked) for p in shaded_pieces(disagreement)]
    assert shades == [
        ("Ei", 0, False),
        ("n", 0, True),
        (" ", None, True),
        ("Hund", 10, True),
        (" ", None, False),
        ("läuft", 1, False),
        (".", None, True),
    ]
    assert page.find("span", "d10")[0]["attrs"]["title"] == "0.00"
    assert [e["text"] for e in page.find("span", "score")] == ["sigmoid 0.583", "gold 1"]
    assert page.find("p", "verdict")[0]["text"] == "Scored too low."


def test_texts_of_other_systems_are_not_shaded(disagreement):
    for signal in (None, Signal.RANK):
        pieces = shaded_pieces(replace(disagreement, signal=signal, marks=()))
        assert [(p.text, p.doubt) for p in pieces] == [("Ein Hund läuft.", None)]


def test_twenty_disagreements_are_enough(evaluation, disagreement):
    page = _Page(render_page(replace(evaluation, disagreements=(disagreement,) * 23)))

    assert len(page.find("p", "verdict")) == 20
    assert "3 more are not shown." in page.find("div", "key")[0]["text"]


HOSTILE = [
    "</script><script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "{{ title }} {% raw %} <!-- &lt; ]]>",
    "NUL \x00 ESC \x1b[31m BEL \x07",
    "\u202eright to left\u202c مرحبا 👩\u200d🚀",
    "half a pair \ud83d",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(evaluation, disagreement, text, tmp_path):
    def with_text(text: str):
        scored = replace(disagreement.scored, source=text, hypothesis=text, tokens=())
        table = evaluation.tables[0]
        row = replace(
            table.rows[2],
            signal=text,
            aggregation=text,
            metrics=(
                table.rows[2].metrics[0],
                replace(table.rows[2].metrics[1], reason=text),
            ),
        )
        table = replace(table, title=text, note=text, rows=(*table.rows[:2], row))
        return replace(
            evaluation,
            protocol=text,
            title=text,
            settings={text: text},
            notes=(text,),
            tables=(table,),
            figures=tuple(replace(f, title=text, caption=text) for f in evaluation.figures),
            disagreements=(replace(disagreement, scored=scored, verdict=text, marks=()),),
        )

    found = _Page(write_report(with_text(text), tmp_path).read_text(encoding="utf-8"))
    harmless = _Page(render_page(with_text("x")))

    assert [e["tag"] for e in found.elements] == [e["tag"] for e in harmless.elements]
    shown = found.find("p", "hypothesis")[0]["text"]
    assert len(shown) == len(text)
    if "NUL" in text:
        assert shown == "NUL ␀ ESC ␛[31m BEL ␇"
    elif "half" in text:
        assert shown == "half a pair ?"
    else:
        assert shown == text
    assert found.find("h1")[0]["text"] == found.find("p", "verdict")[0]["text"] == shown
    assert json.loads((tmp_path / "results.json").read_text())["title"]


def test_infinity_in_json(evaluation, table):
    metric = Metric(name="prr", value=-math.inf, count=3)
    row = replace(table.rows[0], metrics=(metric,))
    comparison = replace(table.comparisons[0], difference=math.inf, low=math.nan)
    changed = replace(
        evaluation, title="\ud83d", tables=(replace(table, rows=(row,), comparisons=(comparison,)),)
    )

    text = results_json(changed)
    assert text.encode("utf-8")
    found = json.loads(text, parse_constant=pytest.fail)["tables"]["t"]
    assert found["rows"][0]["metrics"]["prr"]["value"] == "-Infinity"
    assert found["comparisons"][0]["difference"] == "Infinity"
    assert found["comparisons"][0]["low"] is None
