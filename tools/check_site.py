"""Whether the built site holds together: links, anchors, nothing from elsewhere, questions.

``python tools/check_site.py site tools/reader_questions.toml`` reads the HTML files of a folder
and exits with 1 where a link leads nowhere, an anchor does not exist, a page loads something from
another host, or a reader's question is not answered within two clicks of the landing page.
"""

import argparse
import posixpath
import sys
import tomllib
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What a browser fetches by itself; a link is followed by a person
LOADING = {"img", "script", "source", "iframe", "video", "audio", "embed"}
CLICKS = 2


@dataclass
class Page:
    """What a page has: anchors, links of the whole page, links of its own text, what it loads."""

    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    own_links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)


class PageReader(HTMLParser):
    """Reads one page; its own text is the element ``article``."""

    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self._articles = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self._articles += tag == "article"
        if name := found.get("id"):
            self.page.anchors.add(name)
        if tag == "a" and (name := found.get("name")):
            self.page.anchors.add(name)
        if tag == "a" and (href := found.get("href")):
            self.page.links.append(href)
            if self._articles:
                self.page.own_links.append(href)
        if tag in LOADING and (source := found.get("src")):
            self.page.loaded.append(source)
        rel = (found.get("rel") or "").split()
        if tag == "link" and (href := found.get("href")) and not {"prev", "next"} & set(rel):
            self.page.loaded.append(href)

    def handle_endtag(self, tag: str) -> None:
        self._articles -= tag == "article"


def read_pages(site: Path) -> dict[str, Page]:
    """Pages by their path within the site, as in ``how-to/comet/index.html``."""
    pages = {}
    for path in sorted(site.rglob("*.html")):
        reader = PageReader()
        reader.feed(path.read_text(encoding="utf-8"))
        pages[path.relative_to(site).as_posix()] = reader.page
    return pages


def target(page: str, link: str) -> tuple[str, str]:
    """The file that a link of a page leads to, and the anchor in it."""
    parts = urlsplit(link)
    path = unquote(parts.path)
    if path.startswith("/"):
        path = path[1:]
    elif path:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) + (
            "/" if path.endswith("/") or path.split("/")[-1] in (".", "..") else ""
        )
    else:
        path = page
    if path in ("", "./", "/") or path.endswith("/"):
        path = path.removeprefix("./").lstrip("/") + "index.html"
    return path, unquote(parts.fragment)


def is_elsewhere(link: str) -> bool:
    """Whether a link leaves the site, or is none of a file (``mailto:``, ``data:``)."""
    parts = urlsplit(link)
    return bool(parts.scheme or parts.netloc)


def broken(site: Path, pages: dict[str, Page]) -> list[str]:
    """A line for each link that leads nowhere and each thing that is loaded from elsewhere."""
    found = []
    for name, page in pages.items():
        for link in sorted({*page.links, *page.loaded}):
            if is_elsewhere(link):
                if link in page.loaded and not link.startswith("data:"):
                    found.append(f"{name}: loads {link} from elsewhere")
                continue
            path, anchor = target(name, link)
            if not (site / path).is_file():
                found.append(f"{name}: no file for {link}")
            elif anchor and path in pages and anchor not in pages[path].anchors | {"__top"}:
                found.append(f"{name}: no anchor for {link}")
    return found


def reached(pages: dict[str, Page], start: str, clicks: int) -> set[tuple[str, str]]:
    """Places (file, anchor) that links of the pages' own texts lead to within so many clicks."""
    found, doors = set[tuple[str, str]](), {start}
    for _ in range(clicks):
        places = {
            target(door, link)
            for door in doors
            if door in pages
            for link in pages[door].own_links
            if not is_elsewhere(link)
        }
        found |= places
        doors = {path for path, _ in places}
    return found


def unanswered(pages: dict[str, Page], questions: Path) -> tuple[int, list[str]]:
    """How many questions there are, and a line for each that the landing page does not lead to."""
    asked = [
        (kind, question["asks"], question["answer"])
        for kind, listed in tomllib.loads(questions.read_text(encoding="utf-8")).items()
        for question in listed
    ]
    places = reached(pages, "index.html", CLICKS)
    return len(asked), [
        f"{kind}: {asks} is not answered within {CLICKS} clicks at {answer}"
        for kind, asks, answer in asked
        if target("index.html", answer) not in places
    ]


def main() -> int:
    """Check, say what is wrong, and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path)
    parser.add_argument("questions", type=Path)
    options = parser.parse_args()
    pages = read_pages(options.site)
    wrong = broken(options.site, pages)
    count, open_questions = unanswered(pages, options.questions)
    for line in wrong + open_questions:
        print(line)
    links = sum(len(page.links) for page in pages.values())
    print(
        f"{len(pages)} pages, {links} links, {len(wrong)} broken; "
        f"{count - len(open_questions)} of {count} questions within {CLICKS} clicks."
    )
    return int(bool(wrong or open_questions))


if __name__ == "__main__":
    sys.exit(main())
