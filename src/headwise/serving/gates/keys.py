"""The gate of bearer keys, which only those pass who know one."""

import hashlib
import hmac
from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from headwise.serving.errors import ApiError
from headwise.serving.gates.paths import is_open, path_of


class KeysGate:
    """Answers 401 to requests without one of the keys, except where a path is open.

    Args:
        app: What lies behind the gate.
        keys: Those that open it, at least one.
    """

    def __init__(self, app: ASGIApp, *, keys: Iterable[str]) -> None:
        self._app = app
        # Digests have one length, so that comparing takes no longer for a longer key
        self._digests = [_digest(key.encode()) for key in keys]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through or refuse it."""
        if scope["type"] == "http" and not is_open(path_of(scope)):
            given = _bearer(scope)
            if given is None or not self._knows(given):
                await _refusal(given).response()(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _knows(self, given: bytes) -> bool:
        digest, known = _digest(given), False
        for one in self._digests:  # all of them: time tells nothing about which
            known |= hmac.compare_digest(one, digest)
        return known


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()


def _bearer(scope: Scope) -> bytes | None:
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, key = value.partition(b" ")
            return bytes(key.strip()) if scheme.lower() == b"bearer" else None
    return None


def _refusal(given: bytes | None) -> ApiError:
    said = "This server asks for a key" if given is None else "The key that came is not known"
    return ApiError(
        401,
        f"{said}: send the header `Authorization: Bearer KEY` with one that the server was given.",
        code="invalid_api_key",
        headers={"WWW-Authenticate": "Bearer"},
    )
