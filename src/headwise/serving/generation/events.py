"""Server-sent events: each is sent as soon as it is there, and what fails on the way is said."""

import logging
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from starlette.responses import StreamingResponse

from headwise.data.writers import json_line
from headwise.errors import HeadwiseError
from headwise.serving.errors import SERVER_ERROR, ApiError

_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
_END = b"data: [DONE]\n\n"


async def event_stream(events: Any) -> StreamingResponse:
    """Objects of an async generator as events, the last of which says that it is the last.

    The first is waited for: what makes it impossible is an error of the request. Later errors are
    events themselves, since the answer has begun.
    """
    first = await anext(events)

    async def lines() -> AsyncIterator[bytes]:
        async with aclosing(events):
            yield _event(first)
            try:
                async for event in events:
                    yield _event(event)
            except Exception as error:  # noqa: BLE001 - said to the client
                yield _event(_failure(error))
            yield _END

    return StreamingResponse(lines(), media_type="text/event-stream", headers=_HEADERS)


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + json_line(value) + b"\n"


def _failure(error: Exception) -> dict[str, Any]:
    if isinstance(error, ApiError | HeadwiseError):
        return ApiError.of(error).body()
    logging.getLogger(__name__).error("A stream failed", exc_info=error)
    message = "The server failed in the middle of this answer; its log says why."
    return ApiError(500, message, kind=SERVER_ERROR).body()
