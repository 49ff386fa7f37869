"""Texts that are typed, pointed at, ranked and generated, in a real browser."""

import json
import re
from itertools import pairwise
from urllib.parse import urlencode

import pytest

pytestmark = pytest.mark.browser

SOURCE, GOOD, WRONG = (
    "A dog runs along the beach.",
    "Ein Hund läuft am Strand entlang.",
    "Ein Hund läuft am Bahnhof entlang.",
)
HTML = '<img src=x onerror=alert(1)> & <b>"fett"</b>'


def _spans(page):
    """The table of what is to be checked: words and confidences, in its order."""
    rows = page.locator("#results .spans tbody tr")
    return [tuple(row.locator("td").all_inner_texts()[:2]) for row in rows.all()]


def _marked(page):
    return page.locator("#results .word.check").all_inner_texts()


def _type(page, text):
    page.locator("#hypotheses textarea").last.fill(text)


def test_an_example_is_scored_already(page, estimator):
    expected = estimator.score(SOURCE, WRONG)
    (span,) = expected.to_check
    assert _spans(page) == [(span.text, f"{span.quality:.2f}")]
    assert _marked(page) == ["Bahnhof"]
    assert page.inner_text("#results .score") == f"{expected.score:.2f}"
    assert float(page.input_value("#threshold")) == pytest.approx(expected.threshold, abs=0.005)
    shades = page.locator("#results .cell").evaluate_all(
        "cells => cells.map((cell) => [cell.textContent,"
        " Number(getComputedStyle(cell).backgroundColor.match(/[\\d.]+\\)$/)[0].slice(0, -1))])"
    )
    assert max(shades, key=lambda one: one[1])[0] == "Bahnhof"


def test_scores_follow_what_is_typed(page):
    _type(page, GOOD)
    page.wait_for_selector("#results .all-sound")
    assert page.inner_text("#results .hypothesis") == GOOD
    _type(page, "")
    page.wait_for_selector("#score-empty:not([hidden])")
    assert "Type or paste" in page.inner_text("#score-empty")


def test_an_answer_that_comes_too_late_is_dropped(open_page):
    held = []

    def hold_the_first(route):
        if "Katze" in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    page = open_page(before=lambda one: one.route("**/v1/score/view", hold_the_first))
    page.wait_for_selector("#results .spans")
    with page.expect_request(lambda one: "Katze" in (one.post_data or "")) as asked:
        _type(page, "Eine Katze.")
    _type(page, GOOD)
    page.wait_for_selector("#results .all-sound")
    assert asked.value.failure == "net::ERR_ABORTED"
    assert page.locator("#results .hypothesis").all_inner_texts() == [GOOD]


def test_pointing_at_a_word_shows_what_else_could_stand_there(page):
    page.hover("#results .word.check .cell")
    tip = page.inner_text("#tip")
    assert tip.split()[0] == "Bahnhof"
    assert {"quality", "entropy,", "Strand"} <= set(tip.split())
    page.mouse.move(0, 0)
    page.wait_for_selector("#tip", state="hidden")


def test_words_can_be_walked_with_the_keyboard(page):
    page.focus("#results .cell")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#tip").split()[0] == "Hund"
    page.keyboard.press("Escape")
    assert page.locator("#tip").is_hidden()
    page.click("#results .spans button")
    assert page.evaluate("document.activeElement.textContent") == "Bahnhof"
    assert "Strand" in page.inner_text("#tip")


def test_the_threshold_moves_and_goes_back(page):
    assert page.locator("#reset").is_hidden()
    page.fill("#threshold", "0.1")
    assert (_marked(page), _spans(page)) == ([], [])
    assert page.inner_text("#limit") == "0.10"
    page.fill("#threshold", "1")
    spans = [word for word, _ in _spans(page)]
    assert "Bahnhof" in " ".join(spans)
    joined = GOOD.replace("Strand", "Bahnhof")
    places = [joined.index(word) for word in spans]
    assert places == sorted(places)
    page.click("#reset")
    assert _marked(page) == ["Bahnhof"]


def test_another_signal_shades(page, estimator):
    page.select_option("#signal", "error")
    page.wait_for_selector("#scale:has-text('error head')")
    scored = estimator.score(SOURCE, WRONG, signals=["error"])
    assert page.inner_text("#results .score") == f"{scored.score:.2f}"
    assert "x >" in page.inner_text("#limit")  # in the signal's own range, too
    page.select_option("#signal", "quality")  # which is known already
    page.wait_for_selector("#scale:has-text('calibrated')")
    assert _marked(page) == ["Bahnhof"]


def test_hypotheses_are_ranked_and_can_be_removed(page, estimator):
    texts = [WRONG, GOOD, "Eine Katze schläft."]
    for text in texts[1:]:
        page.click("#add")
        page.keyboard.type(text)
    page.wait_for_function("() => document.querySelectorAll('#results > li').length === 3")
    best = [one.hypothesis for one in estimator.rerank(SOURCE, texts)]
    assert page.locator("#results .hypothesis").all_inner_texts() == best
    assert page.inner_text("#results li:first-child .which") == "1 of 3 · Hypothesis 2"
    page.click("[aria-label='Remove hypothesis 3']")
    page.wait_for_function("() => document.querySelectorAll('#results > li').length === 2")
    assert page.evaluate("document.activeElement.value") == GOOD


def test_words_take_their_colour_while_they_are_generated(page, estimator):
    generated = estimator.generate(SOURCE).hypothesis
    page.evaluate(
        "(() => { window.grown = []; new MutationObserver(() => {"
        " const text = document.querySelector('.streaming .hypothesis')?.textContent;"
        " if (text) window.grown.push(text); })"
        ".observe(document.querySelector('#results'), {childList: true, subtree: true}); })()"
    )
    page.click("#generate")
    page.wait_for_function("() => document.querySelectorAll('#hypotheses textarea').length === 2")
    fields = page.locator("#hypotheses textarea").evaluate_all("all => all.map((one) => one.value)")
    assert fields == [WRONG, generated]
    grown = page.evaluate("window.grown")
    assert len(set(grown)) >= 4
    assert all(after.startswith(before) for before, after in pairwise(grown))
    page.wait_for_function("() => document.querySelectorAll('#results .score').length === 2")


def test_generation_can_be_stopped(open_page):
    started = []

    def hold(route):
        started.append(route)

    page = open_page(before=lambda one: one.route("**/v1/chat/completions", hold))
    page.wait_for_selector("#results .spans")
    page.focus("#generate")
    page.keyboard.press("Enter")
    page.wait_for_selector(".streaming")
    assert page.evaluate("document.activeElement.id") == "stop"
    page.keyboard.press("Enter")
    page.wait_for_selector(".streaming", state="detached")
    assert page.evaluate("document.activeElement.id") == "generate"
    assert page.locator("#hypotheses textarea").count() == 1
    assert len(started) == 1


def test_a_link_restores_what_was_seen_and_sends_nothing(open_page, page):
    page.fill("#source", "Two dogs.")
    _type(page, HTML)
    page.select_option("#signal", "sigmoid")
    page.wait_for_selector("#scale:has-text('Sigmoid')")
    page.fill("#threshold", "0.25")
    page.click("#score-link")
    link = page.input_value("#share-text")
    assert link == page.url
    urls = []
    other = open_page(
        f"/#{link.split('#', 1)[1]}",
        before=lambda one: one.on("request", lambda request: urls.append(request.url)),
    )
    other.wait_for_selector("#results > li")
    assert other.input_value("#source") == "Two dogs."
    assert other.input_value("#hypotheses textarea") == HTML
    assert other.input_value("#signal") == "sigmoid"
    assert other.inner_text("#limit") == "0.25"
    assert not [url for url in urls if "dogs" in url]


def test_what_is_seen_can_be_had_as_json(page, client):
    page.click("#score-json")
    (row,) = json.loads(page.input_value("#share-text"))
    asked = {"source": SOURCE, "hypothesis": WRONG, "level": "token"}
    expected = client.post("/v1/score", json=asked).json()["data"][0]
    levels = [one["to_check"][0]["quality"] for one in (row, expected)]
    assert levels[0] == pytest.approx(levels[1], abs=1e-6)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("#share-copy")
    page.wait_for_selector("#share-said:has-text('Copied')")
    assert json.loads(page.evaluate("navigator.clipboard.readText()")) == [row]
    page.keyboard.press("Escape")
    assert page.locator("#share").is_hidden()


@pytest.mark.parametrize("field", ["source", "hypothesis"])
def test_html_in_a_text_stays_text(open_page, field):
    texts = {"source": SOURCE, "hypothesis": WRONG} | {field: HTML}
    page = open_page(f"/#{urlencode({'tab': 'score', **texts})}")
    page.wait_for_selector("#results > li")
    assert page.inner_text("#results .hypothesis") == texts["hypothesis"]
    assert page.locator("main img, main b").count() == 0


def test_a_listener_hears_the_words_once_typing_rests(page):
    page.wait_for_function("() => document.querySelector('#said').textContent.includes('Bahnhof')")
    heard = page.inner_text("#said", timeout=2000)
    assert re.fullmatch(r"1 place to check: Bahnhof 0\.\d\d\.", heard)
    page.evaluate(
        "(() => { window.heard = []; new MutationObserver(() =>"
        " window.heard.push(document.querySelector('#said').textContent))"
        ".observe(document.querySelector('#said'), {childList: true}); })()"
    )
    _type(page, "")
    page.locator("#hypotheses textarea").press_sequentially("Ein Hund läuft am Strand.", delay=40)
    page.wait_for_function("() => window.heard.length > 0")
    page.wait_for_timeout(300)
    assert len(page.evaluate("window.heard")) == 1
