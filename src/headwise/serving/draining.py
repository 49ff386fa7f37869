"""What happens at SIGTERM and SIGINT: requests in work end first, then the server does.

It stands in front of the handlers that the server itself has set, so that it works under
``headwise serve``, under each of uvicorn's workers, and under ``uvicorn --factory``.
"""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import FrameType

from headwise.serving.gates.places import Places

_LOG = logging.getLogger("headwise.serving")
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@asynccontextmanager
async def draining(places: Places, seconds: float) -> AsyncIterator[None]:
    """While the app lives, let requests in work end before a signal reaches the server.

    After the first signal new requests get 503, and those in work have ``seconds`` to end. A second
    signal ends the process at once.
    """
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    # In other threads, and where Python itself is to act, there is nothing to stand in front of
    ours = threading.current_thread() is threading.main_thread() and all(
        callable(handler) and handler is not signal.default_int_handler
        for handler in before.values()
    )
    loop = asyncio.get_running_loop()
    first: list[int] = []
    tasks: set[asyncio.Task[None]] = set()

    async def drain(number: int, frame: FrameType | None) -> None:
        places.stop()
        _LOG.info("Stopping: %d requests in work have %g s to end", places.taken, seconds)
        await places.emptied(seconds)
        handler = before[signal.Signals(number)]
        assert callable(handler)
        handler(number, frame)

    def handle(number: int, frame: FrameType | None) -> None:
        if not first:
            first.append(number)
            loop.call_soon_threadsafe(lambda: tasks.add(loop.create_task(drain(number, frame))))
        # A supervisor of workers passes Ctrl-C on as SIGTERM, and a terminal has already sent it
        elif (first[0], number) != (signal.SIGINT, signal.SIGTERM):
            os._exit(128 + number)

    if ours:
        for number in _SIGNALS:
            signal.signal(number, handle)
    try:
        yield
    finally:
        if ours:
            for number, handler in before.items():
                signal.signal(number, handler)
