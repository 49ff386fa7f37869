"""The gate that reads a request's body within bounds, and calls its work off when nobody waits."""

import asyncio
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headwise.serving.errors import ApiError
from headwise.serving.gates.paths import path_of, takes_place

_SHARED_BODIES = 32
"""How many bodies of the largest size may be held at a time, by all requests together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyBounds:
    """What a client may send, and how long it may take.

    Attributes:
        largest: Bytes of a body.
        read_seconds: From the first byte of a body to its last.
        send_seconds: In which a client that reads must take something of its answer.
    """

    largest: int
    read_seconds: float
    send_seconds: float


class BodiesGate:
    """Reads bodies whole before anybody works on them, and watches whether the client stays.

    Too large a body is refused with 413, by its ``Content-Length`` before a byte is read; a sender
    that is too slow with 408. A request whose client goes away, or stops to take its answer, is
    cancelled, so that it holds neither a place nor a model.
    """

    def __init__(self, app: ASGIApp, *, bounds: BodyBounds) -> None:
        self._app, self._bounds = app, bounds
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not takes_place(path_of(scope)):
            await self._app(scope, receive, send)
            return
        pieces: list[bytes] = []
        try:
            try:
                whole = await self._read(scope, receive, pieces)
            except ApiError as refusal:
                await refusal.response()(scope, receive, send)
                return
            if whole is not None:
                await self._work(scope, whole, receive, send)
        finally:
            self._held -= sum(map(len, pieces))

    async def _read(self, scope: Scope, receive: Receive, pieces: list[bytes]) -> bytes | None:
        """The body, or ``None`` if its sender left; the pieces are held until the answer is out."""
        largest, seconds = self._bounds.largest, self._bounds.read_seconds
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit() and int(value[:20]) > largest:
                raise self._too_large(f"{int(value[:20]):,} bytes")
        size = 0
        try:
            async with asyncio.timeout(seconds):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    if piece := message.get("body", b""):
                        size += len(piece)
                        if size > largest:
                            raise self._too_large(f"more than {largest:,} bytes")
                        if self._held + len(piece) > _SHARED_BODIES * largest:
                            raise _too_much_at_once()
                        self._held += len(piece)
                        pieces.append(piece)
                    more = message.get("more_body", False)
        except TimeoutError:
            raise ApiError(
                408,
                f"The body did not arrive within {seconds:g} s ({size:,} bytes did); send it "
                "faster, or in smaller requests.",
                code="request_timeout",
                headers={"Connection": "close"},
            ) from None
        return b"".join(pieces)

    def _too_large(self, got: str) -> ApiError:
        return ApiError(
            413,
            f"The body has {got}; this server takes {self._bounds.largest:,} at most "
            "(--max-body-bytes). Send it in several requests.",
            code="body_too_large",
        )

    async def _work(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        """Have the request answered for as long as its client is there."""
        left = asyncio.Event()
        given = answered = False

        async def receive_body() -> Message:
            nonlocal given
            if not given:
                given = True
                return {"type": "http.request", "body": body, "more_body": False}
            await left.wait()
            return {"type": "http.disconnect"}

        async def send_in_time(message: Message) -> None:
            nonlocal answered
            answered = message["type"] == "http.response.body" and not message.get("more_body")
            try:
                async with asyncio.timeout(self._bounds.send_seconds):
                    await send(message)
            except TimeoutError:
                call_off()
                await asyncio.sleep(0)  # where the cancelling arrives

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            if not answered:  # servers say so after a whole answer, too
                call_off()

        def call_off() -> None:
            left.set()
            work.cancel()

        # A task of its own: the server's must not be cancelled
        work = asyncio.ensure_future(self._app(scope, receive_body, send_in_time))
        watcher = asyncio.create_task(watch())
        try:
            await work
        except asyncio.CancelledError:
            if not left.is_set():
                raise
        finally:
            watcher.cancel()


def _too_much_at_once() -> ApiError:
    return ApiError(
        429,
        "The bodies of all requests together are more than this server holds; try again, or send "
        "smaller requests.",
        kind="rate_limit_error",
        code="too_many_bytes",
        headers={"Retry-After": "1"},
    )
