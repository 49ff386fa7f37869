"""Which paths stand apart: open without a key, answered without a place, left out of the log."""

from collections.abc import MutableMapping
from typing import Any

PROBES = frozenset({"/health", "/ready", "/metrics"})
"""What machines ask all day; no line of the log is theirs."""

_OPEN = frozenset({"/health", "/ready", "/version", "/", "/docs", "/openapi.json"})
_WITHOUT_PLACE = _OPEN | PROBES
_PAGE = "/page/"


def path_of(scope: MutableMapping[str, Any]) -> str:
    """The path below the one that the app is mounted at."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "")) or "/"


def is_open(path: str) -> bool:
    """Whether a path needs no key: no text goes in or comes out there."""
    return path in _OPEN or path.startswith(_PAGE)


def takes_place(path: str) -> bool:
    """Whether a request counts among those that are in work."""
    return not (path in _WITHOUT_PLACE or path.startswith(_PAGE))
