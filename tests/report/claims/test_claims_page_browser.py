"""The script of the page of checked claims, run by a real browser."""

import pytest

from headwise.report import write_claims_report

pytestmark = pytest.mark.browser


@pytest.fixture
def page(rows, chromium, tmp_path):
    path = tmp_path / "report.html"
    write_claims_report(rows, path)
    chromium.open(path)
    return chromium


def _texts(page, selector):
    return page.evaluate(
        f"[...document.querySelectorAll('{selector}')].map((node) => node.textContent)"
    )


def _set(page, selector, value, event):
    page.evaluate(
        f"(() => {{ const node = document.querySelector('{selector}'); node.value = '{value}';"
        f" node.dispatchEvent(new Event('{event}', {{bubbles: true}})); }})()"
    )


def test_verdict_and_filter_choose_claims(page):
    shown = ".claim:not([hidden]) .text"
    _set(page, "#verdict", "contradicted", "change")
    assert _texts(page, shown) == ["The dogs sleep.", "Dogs lie."]
    assert _texts(page, "#shown") == ["2 of 4"]
    _set(page, "#filter", "LIE", "input")
    page.evaluate("new Promise((done) => setTimeout(done, 300))")
    assert _texts(page, shown) == ["Dogs lie."]
    _set(page, "#verdict", "supported", "change")
    assert _texts(page, shown) == []
    assert page.evaluate("document.querySelector('.group').hidden")
    assert not page.evaluate("document.querySelector('#nothing').hidden")


def test_the_least_confident_come_first(page):
    _set(page, "#order", "doubtful", "change")
    assert _texts(page, ".claim .number") == ["4", "3", "2", "1"]
    _set(page, "#order", "input", "change")
    assert _texts(page, ".claim .number") == ["1", "2", "3", "4"]


def test_what_decides_a_claim_stands_out(page):
    page.move_mouse("#c1 .text")
    assert _texts(page, "mark.lit") == ["A man plays.", "Two dogs run."]
    page.move_mouse("#c2 .text")
    assert _texts(page, "mark.lit") == ["Two dogs run."]
