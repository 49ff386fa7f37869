"""What holds for the whole page: contrast, keyboard, phones, keys, servers that are not ready."""

import json

import pytest

pytestmark = pytest.mark.browser

TABS = ("score", "claims", "file")
# Every text in view, its ratio to what lies behind it, by WCAG 2.2, 1.4.3
CONTRAST = """() => {
  const parts = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a),
    b * a + B * (1 - a)];
  const behind = (node) => {
    const layers = [];
    for (let one = node; one; one = one.parentElement) {
      layers.push(parts(getComputedStyle(one).backgroundColor));
    }
    return layers.reverse().reduce((below, layer) => over(layer, below), [128, 128, 128]);
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((x) => x / 255)
      .map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const nodes = [...document.querySelectorAll("textarea, input, select")];
  while (walker.nextNode()) {
    const text = walker.currentNode;
    if (text.textContent.trim()) nodes.push(text.parentElement);
  }
  for (const node of nodes) {
    if (!node.checkVisibility() || node.closest(".hidden, script, noscript")) continue;
    const base = behind(node);
    const ink = over(parts(getComputedStyle(node).color), base);
    const [low, high] = [luminance(ink), luminance(base)].sort((a, b) => a - b);
    found.push([(high + 0.05) / (low + 0.05), node.textContent.trim().slice(0, 30) || node.id]);
  }
  return found;
}"""

# All that can be reached, numbered, and the number of what has the focus, and whether that shows
CONTROLS = """() => {
  document.querySelectorAll("[data-stop]").forEach((one) => delete one.dataset.stop);
  const all = "button, input, select, textarea, a, summary, [tabindex='0']";
  return [...document.querySelectorAll(all)]
    .filter((one) => one.checkVisibility() && !one.disabled && one.tabIndex >= 0)
    .map((one, index) => { one.dataset.stop = index; return index; });
}"""
FOCUSED = """() => {
  const one = document.activeElement;
  const shown = getComputedStyle(one.matches(".hidden") ? one.labels[0] : one);
  return [one.dataset.stop, shown.outlineStyle !== "none" || shown.boxShadow !== "none"];
}"""


def _fill_all(page):
    """Something in every place where texts are shown."""
    page.wait_for_selector("#results .spans")
    page.click("text=Which is best?")
    page.wait_for_function("() => document.querySelectorAll('#results .spans').length > 1")
    page.click("#tab-claims")
    page.wait_for_selector("#verdicts li")
    page.click("#tab-file")
    text = "source\thypothesis\nA dog.\tEin Hund.\nA dog.\tEin Bahnhof.\nbroken\nA dog.\t \n"
    file = {"name": "pairs.tsv", "mimeType": "text/plain", "buffer": text.encode()}
    page.set_input_files("#file-input", file)
    page.click("#file-start")
    page.wait_for_selector("#file-bad-table tr")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_texts_stand_out_from_what_lies_behind_them(open_page, scheme):
    page = open_page(color_scheme=scheme)
    _fill_all(page)
    page.evaluate("document.querySelector('#notice').hidden = false")
    page.evaluate("document.querySelector('#key').hidden = false")
    count = 0
    for tab in TABS:
        page.click(f"#tab-{tab}")
        if tab == "score":
            page.hover("#results li:last-child .word.check .cell")
        page.wait_for_timeout(200)
        found = page.evaluate(CONTRAST)
        assert not [one for one in found if one[0] < 4.5]
        count += len(found)
    assert count > 150


def test_every_control_is_reached_with_the_tab_key(open_page):
    page = open_page()
    _fill_all(page)
    for tab in TABS:
        page.click(f"#tab-{tab}")
        page.mouse.click(2, 2)
        wanted = page.evaluate(CONTROLS)
        reached, outlined = set(), True
        for _ in range(len(wanted) + 5):
            page.keyboard.press("Tab")
            stop, shown = page.evaluate(FOCUSED)
            if stop is not None:
                reached.add(int(stop))
                outlined &= shown
        assert reached == set(wanted)
        assert outlined


def test_tabs_are_walked_with_arrow_keys(page):
    page.focus("#tab-score")
    walk = {"ArrowRight": "claims", "End": "file", "Home": "score", "ArrowLeft": "file"}
    for key, expected in walk.items():
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.id") == f"tab-{expected}"
        assert page.locator("[role=tabpanel]:visible").get_attribute("id") == expected


def test_nothing_is_wider_than_a_phone(open_page):
    page = open_page(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    _fill_all(page)
    word = "Donaudampfschifffahrtsgesellschaftskapitänsmützenhalterung" * 3
    page.click("#tab-score")
    page.locator("#hypotheses textarea").last.fill(word)
    page.wait_for_selector(f"#results .hypothesis:has-text('{word[:40]}')")
    page.click("#tab-claims")
    page.fill("#claims-text", word)
    page.wait_for_selector(f"#verdicts .claim:has-text('{word[:40]}')")
    for tab in TABS:
        page.click(f"#tab-{tab}")
        widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert widths == [360, 360], tab


def test_nothing_moves_where_that_is_not_wanted(open_page):
    page = open_page(reduced_motion="reduce")
    page.wait_for_selector("#results .spans")
    moving = "getComputedStyle(document.querySelector('#generate')).transitionDuration"
    assert page.evaluate(moving) == "0s"
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(moving) != "0s"


def _error(route, status, message, *, code=None, **headers):
    error = {"error": {"message": message, "type": "error", "param": None, "code": code}}
    route.fulfill(status=status, json=error, headers=headers)


def test_a_key_is_asked_for_and_kept_for_the_tab(open_page):
    def guard(route):
        if route.request.headers.get("authorization") == "Bearer right":
            route.continue_()
        else:
            _error(route, 401, "This server asks for a key", code="invalid_api_key")

    page = open_page(before=lambda one: one.route("**/v1/**", guard))
    page.wait_for_selector("#key:not([hidden])")
    for key in ("wrong", "right"):
        page.fill("#key-text", key)
        page.keyboard.press("Enter")
        if key == "wrong":
            page.wait_for_selector("#key-why:has-text('does not know')")
    page.wait_for_selector("#results .spans")
    assert page.locator("#key").is_hidden()
    assert page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])") == json.dumps(
        [{"headwise-key": "right"}, {}], separators=(",", ":")
    )


def test_a_model_that_is_still_loading_is_waited_for(open_page):
    answers = iter([True])

    def load(route):
        if next(answers, False):
            headers = {"Retry-After": "1"}
            _error(route, 503, "It is still being loaded.", code="model_loading", **headers)
        else:
            route.continue_()

    page = open_page(before=lambda one: one.route("**/v1/score/view", load))
    page.wait_for_selector("#notice:has-text('still being loaded')")
    page.wait_for_selector("#results .spans")
    assert page.locator("#notice").is_hidden()


def test_what_went_wrong_is_said_and_can_be_tried_again(open_page):
    broken = [True]

    def answer(route):
        if broken[0]:
            route.abort()
        else:
            route.continue_()

    page = open_page(before=lambda one: one.route("**/v1/score/view", answer))
    page.wait_for_selector("#notice:has-text('does not answer')")
    broken[0] = False
    page.click("#retry")
    page.wait_for_selector("#results .spans")
    assert page.locator("#notice").is_hidden()


@pytest.mark.parametrize(("missing", "left"), [("language model", "claims"), ("encoder", "score")])
def test_one_model_is_enough(open_page, missing, left):
    def only_one(route):
        models = route.fetch().json()
        models["data"] = [one for one in models["data"] if one["headwise"]["kind"] != missing]
        route.fulfill(json=models)

    page = open_page(before=lambda one: one.route("**/v1/models", only_one))
    page.wait_for_selector(f"#{left} .entries > li")
    for tab in TABS:
        page.click(f"#tab-{tab}")
        withdrawn = tab == "claims" if missing == "encoder" else tab != "claims"
        assert ("Start the server" in page.inner_text(f"#{tab}")) is withdrawn
