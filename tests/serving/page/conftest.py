"""The page in a real browser that is watched: its console, what it loads, what it must not do."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from headless_chromium import found_chromium

# Chromium reports each answer of 400 and above, those too that the page deals with
_REFUSED = "Failed to load resource"


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    executable = found_chromium()
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=executable, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Any, live_server: str) -> Iterator[Callable[..., Any]]:
    """Opens pages in contexts of their own; in the end nothing may have gone wrong in any.

    ``before`` is called with the page before it is loaded; other options are those of the context.
    """
    problems: list[str] = []
    contexts = []

    def note(kind: str, text: str) -> None:
        # Violations of the policy are errors, too
        if kind in ("error", "warning") and not text.startswith(_REFUSED):
            problems.append(text)

    def requested(url: str) -> None:
        if not url.startswith((live_server, f"blob:{live_server}")):
            problems.append(f"{url} is elsewhere")

    def open_one(
        place: str = "/", *, before: Callable[[Any], None] | None = None, **options: Any
    ) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1100, "height": 900}} | options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: note(message.type, message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: requested(request.url))
        if before is not None:
            before(page)
        page.goto(live_server + place)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not problems


@pytest.fixture
def page(open_page: Callable[..., Any]) -> Any:
    """The page once its first example is scored."""
    page = open_page()
    page.wait_for_selector("#results .spans")
    return page
