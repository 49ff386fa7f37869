"""Sorting of the tables, done by a real browser."""

from dataclasses import replace

import pytest

from headwise.metrics import undefined
from headwise.report import render_page

pytestmark = pytest.mark.browser


@pytest.fixture
def page(table, evaluation, chromium, tmp_path):
    """Signals a and b with two aggregations each, and c, whose AUC is undefined."""

    def row(signal, aggregation, auc, ece):
        first, second = table.rows[0].metrics
        auc = undefined("roc_auc", "No.", count=9) if auc is None else replace(first, value=auc)
        return replace(
            table.rows[0],
            signal=signal,
            aggregation=aggregation,
            metrics=(auc, replace(second, value=ece)),
        )

    rows = (
        row("b", "mean", 0.9, 0.03),
        row("b", "min", 0.5, 0.01),
        row("c", None, None, 0.05),
        row("a", "mean", 0.8, 0.02),
        row("a", "min", 0.7, 0.04),
    )
    grouped = replace(table, rows=rows, comparisons=())
    path = tmp_path / "index.html"
    path.write_text(render_page(replace(evaluation, tables=(grouped,), figures=())))
    chromium.open(path)
    return chromium


def _rows(page):
    return page.evaluate(
        "[...document.querySelectorAll('tbody tr')].map((row) =>"
        " row.cells[0].textContent + ' ' + row.cells[1].textContent)"
    )


def _again(page):
    return page.evaluate(
        "[...document.querySelectorAll('tbody tr')].map((row) => row.className === 'again')"
    )


def _directions(page):
    return page.evaluate(
        "[...document.querySelectorAll('thead th')].map((th) => th.getAttribute('aria-sort'))"
    )


def _click(page, column):
    page.evaluate(f"document.querySelectorAll('th button')[{column}].click()")


def test_rows_stand_as_they_were_given_until_a_heading_is_clicked(page):
    assert _rows(page) == ["b mean", "b min", "c ", "a mean", "a min"]
    assert _again(page) == [False, True, False, False, True]
    assert _directions(page) == [None] * 4


def test_a_click_sorts_best_first_and_another_one_turns_it_round(page):
    _click(page, 2)
    assert _rows(page) == ["b mean", "a mean", "a min", "b min", "c "]
    assert _again(page) == [False, False, True, False, False]
    assert _directions(page) == [None, None, "descending", None]

    _click(page, 2)
    assert _rows(page) == ["b min", "a min", "a mean", "b mean", "c "]  # undefined stays last
    assert _directions(page) == [None, None, "ascending", None]


def test_where_lower_is_better_the_lowest_comes_first(page):
    _click(page, 3)
    assert _rows(page) == ["b min", "a mean", "b mean", "a min", "c "]
    assert _directions(page) == [None, None, None, "ascending"]


def test_names_sort_as_words(page):
    _click(page, 0)
    assert _rows(page) == ["a mean", "a min", "b mean", "b min", "c "]
    assert _again(page) == [False, True, False, True, False]


def test_the_names_of_grouped_rows_are_there_but_not_seen(page):
    colours = page.evaluate(
        "[...document.querySelectorAll('tbody th')].map((th) => getComputedStyle(th).color)"
    )
    assert [colour == "rgba(0, 0, 0, 0)" for colour in colours] == _again(page)


def test_the_page_is_never_wider_than_the_window(page):
    for width in (420, 1200, 1600):
        page.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=800,
            deviceScaleFactor=1,
            mobile=False,
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= width
