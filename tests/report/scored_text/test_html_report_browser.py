"""The report's script, run by a real browser."""

import itertools

import pytest

from headwise.report.scored_text.page import write_html_report

pytestmark = pytest.mark.browser


@pytest.fixture
def page(examples, chromium, tmp_path):
    path = tmp_path / "report.html"
    write_html_report(examples, path)
    chromium.open(path)
    return chromium


def _tip(page):
    return page.evaluate("document.querySelector('#tip:not([hidden])')?.innerText ?? null")


def _marked(page):
    return page.evaluate(
        "[...document.querySelectorAll('#sentences .word.check')].map((word) => word.textContent)"
    )


def _visible(page):
    return page.evaluate(
        "[...document.querySelectorAll('.sentence:not([hidden]) .number')]"
        ".map((number) => number.textContent)"
    )


def _set(page, selector, value, event):
    page.evaluate(
        f"(() => {{ const node = document.querySelector('{selector}'); node.value = '{value}';"
        f" node.dispatchEvent(new Event('{event}', {{bubbles: true}})); }})()"
    )


def _pause(page, milliseconds):
    page.evaluate(f"new Promise((done) => setTimeout(done, {milliseconds}))")


def test_drawing_leaves_the_text_as_it_was(page, examples):
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    texts = page.evaluate(
        "[...document.querySelectorAll('.hypothesis')].map((node) => node.textContent)"
    )
    assert texts == [scored.hypothesis for scored in examples]


def test_pointing_at_a_token_shows_its_signals_and_alternatives(page):
    assert _tip(page) is None

    page.move_mouse("#s1 .cell[data-cell='5']")
    tip = _tip(page).split()
    assert tip[:3] == ["korb", "token", "105"]
    assert {"sigmoid", "0.060", "rank", "9", "entlang", "18"} <= set(tip)

    page.move_mouse("h1")
    _pause(page, 300)
    assert _tip(page) is None


def test_tokens_can_be_walked_with_the_keyboard(page):
    page.evaluate("document.querySelector('#s4 .cell').focus()")
    for expected in ("الا", "جتماع"):
        page.press("ArrowLeft")  # forward in a text that runs from right to left
        assert _tip(page).split()[0] == expected
    described = page.evaluate("document.activeElement.getAttribute('aria-describedby')")
    assert described == "tip"

    page.press("End")
    assert _tip(page).split()[0] == "."
    page.press("Escape")
    assert _tip(page) is None
    stops = page.evaluate("document.querySelectorAll('#s4 .cell[tabindex=\"0\"]').length")
    assert stops == 1


def test_the_threshold_marks_words_anew(page):
    assert _marked(page)[:3] == ["Strandkorb", "entlang", "Söhne"]

    _set(page, "#threshold", "0.10", "input")
    assert _marked(page) == ["Strandkorb", "السابعة", "七"]
    assert page.evaluate("document.querySelector('#check-count').textContent") == "3"
    assert page.evaluate("document.querySelector('.tools output').value") == "0.10"
    listed = page.evaluate("document.querySelector('#s1 .to-check').innerText")
    assert "Strandkorb" in listed
    assert "entlang" not in listed


def test_order_and_filter(page):
    _set(page, "#order", "worst", "change")
    assert _visible(page) == ["5", "3", "4", "1", "6", "2", "7"]
    _set(page, "#order", "input", "change")
    assert _visible(page) == [str(number) for number in range(1, 8)]

    _set(page, "#filter", "MÜLLER", "input")
    _pause(page, 200)
    assert _visible(page) == ["2"]
    assert page.evaluate("document.querySelector('#shown').textContent") == "1 of 7"
    _set(page, "#filter", "no such text", "input")
    _pause(page, 200)
    assert page.evaluate("document.querySelector('#nothing').innerText").startswith("No sentence")


def test_a_checkbox_shows_flagged_texts_alone(page, examples):
    flagged = [str(n) for n, one in enumerate(examples, start=1) if one.flagged]
    page.evaluate("document.querySelector('#flagged').click()")
    assert _visible(page) == flagged
    assert page.evaluate("document.querySelector('#shown').textContent") == f"{len(flagged)} of 7"
    page.evaluate("document.querySelector('#flagged').click()")
    assert len(_visible(page)) == 7


@pytest.fixture
def gappy(make_scored):
    return make_scored(
        None,
        "👩 Ein Hund am Strandkorb.",
        ("👩", (0.1, 0.0)),
        ("Ein", (0.01, 0.01)),
        ("Hund", (0.2, 0.93)),
        ("am", (0.6, 0.02)),
        ("Strand", (0.1, 0.6)),
        ("korb", (0.9, 0.02)),
        (".", (0.1, 0.7)),
        signals="error,omission",
    )


def test_gaps_follow_the_threshold_and_are_not_copied(gappy, chromium, tmp_path):
    write_html_report([gappy], tmp_path / "report.html")
    chromium.open(tmp_path / "report.html")

    def gaps():
        return chromium.evaluate(
            "[...document.querySelectorAll('#s1 .gap:not([hidden])')].map((gap) => {"
            " const before = document.createRange(); before.setStart(gap.closest('p'), 0);"
            " before.setEndBefore(gap); return before.toString(); })"
        )

    assert gaps() == ["👩 Ein Hund ", "👩 Ein Hund am Strand", gappy.hypothesis]
    _set(chromium, "#threshold", "0.2", "input")
    assert gaps() == ["👩 Ein Hund "]
    assert chromium.evaluate("document.querySelector('#gap-count').textContent") == "1"
    assert chromium.evaluate("document.querySelector('#gap-limit').value") == "0.80"
    listed = chromium.evaluate("document.querySelector('#s1 .missing').textContent")
    assert listed == "before “am” 0.93"
    copied = chromium.evaluate(
        "(() => { getSelection().selectAllChildren(document.querySelector('#s1 .hypothesis'));"
        " return getSelection().toString(); })()"
    )
    assert copied.strip() == gappy.hypothesis


def test_five_thousand_sentences(examples, chromium, tmp_path):
    path = tmp_path / "report.html"
    write_html_report(itertools.islice(itertools.cycle(examples), 5000), path)

    chromium.open(path)

    assert chromium.evaluate("document.querySelectorAll('.sentence').length") == 5000
    assert chromium.evaluate("document.querySelectorAll('.cell').length") < 2000
    milliseconds = chromium.evaluate(
        "(() => { const start = performance.now();"
        " const slider = document.querySelector('#threshold'); slider.value = '0.9';"
        " slider.dispatchEvent(new Event('input')); document.body.offsetHeight;"
        " return performance.now() - start; })()"
    )
    assert milliseconds < 3000  # the first move reads every record, the next ones only count
