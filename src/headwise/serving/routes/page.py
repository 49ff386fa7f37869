"""The page: its own files, and those that it has in common with the reports, as they are."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from fastapi import APIRouter, Request
from starlette.responses import Response

from headwise.serving.errors import ApiError

router = APIRouter(include_in_schema=False)

_OWN = ("headwise.serving", "page")
# What the page has in common with the reports, in the folders of these
_SHARED = {
    ("headwise.report", "page_template"): ("base.css", "base.js"),
    ("headwise.report.scored_text", "template"): (
        *("texts.css", "drawing.js", "tooltip.js", "values.js"),
    ),
}
_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_HEADERS = {
    # Asked for again each time, and answered 304 while it is the same
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file of the page, as it is sent.

    Attributes:
        content: Its bytes.
        media_type: What they are.
        etag: Their digest, in quotation marks.
    """

    content: bytes
    media_type: str
    etag: str


@cache
def page_files() -> dict[str, PageFile]:
    """All files of the page by their names; ``index.html`` is the page itself."""
    own = {_OWN: [one.name for one in resources.files(_OWN[0]).joinpath(_OWN[1]).iterdir()]}
    return {
        name: _read(package, folder, name)
        for (package, folder), names in (own | _SHARED).items()
        for name in names
    }


def _read(package: str, folder: str, name: str) -> PageFile:
    content = resources.files(package).joinpath(folder, name).read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:32]
    return PageFile(content, _TYPES[name.rpartition(".")[2]], f'"{digest}"')


@router.api_route("/", methods=["GET", "HEAD"])
async def page(request: Request) -> Response:
    """The page."""
    return _answer(request, page_files()["index.html"])


@router.api_route("/page/{name}", methods=["GET", "HEAD"])
async def file(request: Request, name: str) -> Response:
    """One of its files."""
    if (found := page_files().get(name)) is None:
        raise ApiError(404, f"The page has no file {name!r}.")
    return _answer(request, found)


def _answer(request: Request, found: PageFile) -> Response:
    headers = {**_HEADERS, "ETag": found.etag}
    if found.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(found.content, media_type=found.media_type, headers=headers)
