"""The outermost gate: an id for each request, one line in the log, numbers, and the last error."""

import itertools
import logging
import re
import time
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headwise.serving.errors import SERVER_ERROR, ApiError
from headwise.serving.gates.paths import PROBES, path_of
from headwise.serving.metrics import Metrics
from headwise.serving.work.counting import begin_counting

ACCESS = logging.getLogger("headwise.serving.access")
_LOG = logging.getLogger("headwise.serving")
_SANE_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")

# Ids that no other process makes, without asking the system for each: that would let a model's
# threads in at every request, in the middle of an answer
_PROCESS, _NUMBERS = uuid4().hex[:16].encode(), itertools.count(1)

CLIENT_GONE = 499
"""Status in log and numbers of a request whose client did not wait, as nginx has it."""
UNMATCHED, OTHERS = "unmatched", "OTHERS"
"""Stand for the paths that no route takes, and for odd methods: strangers choose them."""

_METHODS = frozenset({"GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"})


class AccessGate:
    """Names, counts and logs requests; no text, query or key is ever in the log.

    An ``X-Request-ID`` that is short and plain is taken from the request, else one is made. What no
    handler has caught becomes an error 500 here, which has that id, too.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identity, start = _request_id(scope), time.perf_counter()
        status, sent = 0, 0
        work = begin_counting()

        async def send_named(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", identity)]
            else:
                sent += len(message.get("body", b""))
            await send(message)

        self._metrics.in_flight.inc()
        try:
            await self._app(scope, receive, send_named)
        except Exception:
            _LOG.exception("Request %s failed", identity.decode())
            if status:  # a part of the answer is out: the server breaks the connection
                raise
            failed = ApiError(
                500,
                "The server failed to answer this; its log says why, by the request id "
                f"{identity.decode()}.",
                kind=SERVER_ERROR,
                code="internal_error",
            )
            await failed.response()(scope, receive, send_named)
        finally:
            self._metrics.in_flight.dec()
            seconds = time.perf_counter() - start
            route = getattr(scope.get("route"), "path", UNMATCHED)
            method = scope["method"] if scope["method"] in _METHODS else OTHERS
            self._metrics.answered(route, method, status or CLIENT_GONE, seconds)
            if path_of(scope) not in PROBES:
                client = scope.get("client")
                facts = {
                    "request_id": identity.decode(),
                    "method": method,
                    "route": route,
                    "status": status or CLIENT_GONE,
                    "seconds": round(seconds, 6),
                    "bytes": sent,
                    "items": work.items,
                    "tokens": work.tokens,
                    "client": client[0] if client else None,
                }
                ACCESS.info("request", extra={"facts": facts})


def _request_id(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _SANE_ID.fullmatch(value.decode("latin-1")):
            return bytes(value)
    return b"%s-%x" % (_PROCESS, next(_NUMBERS))
