"""The gate that lets a bounded number of requests in, and none while the server stops."""

import asyncio
import math

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headwise.serving.errors import SERVER_ERROR, ApiError
from headwise.serving.gates.paths import path_of, takes_place
from headwise.serving.metrics import Metrics

_LONGEST_WAIT = 60
_WEIGHT_OF_LATEST = 0.05


class Places:
    """Who is in work, and whether anybody else may come in.

    Args:
        capacity: How many requests may be in work at a time.
        metrics: Told how many are.
    """

    def __init__(self, capacity: int, metrics: Metrics) -> None:
        self.capacity = capacity
        self.stopping = False
        self.cut_off = False
        self._metrics = metrics
        self._tasks: set[asyncio.Task[object]] = set()
        self._seconds = 1.0

    @property
    def taken(self) -> int:
        """How many requests are in work."""
        return len(self._tasks)

    @property
    def retry_after(self) -> str:
        """Whole seconds, as the header has them: what requests have lately taken, 1 to 60."""
        return str(min(max(math.ceil(self._seconds), 1), _LONGEST_WAIT))

    def enter(self, task: "asyncio.Task[object]") -> None:
        """Give a request a place.

        Raises:
            ApiError: 429 if all are taken, 503 if the server stops.
        """
        if self.stopping:
            raise stopping(self.retry_after)
        if self.taken >= self.capacity:
            raise ApiError(
                429,
                f"{self.taken} requests are in work, which is as many as this server takes at a "
                f"time (--max-concurrent-requests); try again in {self.retry_after} s.",
                kind="rate_limit_error",
                code="too_many_requests",
                headers={"Retry-After": self.retry_after},
            )
        self._tasks.add(task)
        self._metrics.in_work.inc()

    def leave(self, task: "asyncio.Task[object]", seconds: float) -> None:
        """Take the place back, after so many seconds."""
        self._tasks.discard(task)
        self._metrics.in_work.dec()
        self._seconds += _WEIGHT_OF_LATEST * (seconds - self._seconds)

    def stop(self) -> None:
        """From now on, let nobody in."""
        self.stopping = True

    async def emptied(self, seconds: float) -> None:
        """Wait until nobody is in work; who still is after these seconds is cut off."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        if self._tasks:
            self.cut_off = True
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks, timeout=1)


class PlacesGate:
    """Gives each request a place until the last byte of its answer is out."""

    def __init__(self, app: ASGIApp, *, places: Places) -> None:
        self._app, self._places = app, places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not takes_place(path_of(scope)):
            await self._app(scope, receive, send)
            return
        task = asyncio.current_task()
        assert task is not None, "a request runs in a task"
        try:
            self._places.enter(task)
        except ApiError as refusal:
            await refusal.response()(scope, receive, send)
            return
        started = False

        async def send_noting(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        start = asyncio.get_running_loop().time()
        try:
            await self._app(scope, receive, send_noting)
        except asyncio.CancelledError:
            if not self._places.cut_off:
                raise
            task.uncancel()
            if not started:  # else the connection breaks, which says that the answer is not whole
                await stopping(self._places.retry_after).response()(scope, receive, send)
        finally:
            self._places.leave(task, asyncio.get_running_loop().time() - start)


def stopping(retry_after: str) -> ApiError:
    """What a server that stops says to requests."""
    return ApiError(
        503,
        "The server is stopping and takes no more requests; ask another one, or try again in "
        f"{retry_after} s.",
        kind=SERVER_ERROR,
        code="stopping",
        headers={"Retry-After": retry_after, "Connection": "close"},
    )
