"""The one thread that works with a model: batches, single calls and streams take turns."""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from headwise.errors import InputError
from headwise.serving.work.counting import count_work
from headwise.serving.work.lanes import BatchWork, Lane, Ticket, answer
from headwise.serving.work.observer import NOBODY, WorkObserver
from headwise.serving.work.steps import SteppedStream

Item = TypeVar("Item")
Result = TypeVar("Result")
T = TypeVar("T")

# Arrivals follow each other closely where many clients were answered together: a turn that is not
# full waits as long for the next one, and in all no longer than that, seconds
_PAUSE, _LONGEST_WAIT = 0.001, 0.004
# Items that are encoded before a batch, so that a crowd does not keep those from it who have waited
_ADMITTED = 256
_BATCHES, _CALLS, _STREAMS = "batches", "calls", "streams"


class ModelThread:
    """Does everything that is asked of a model, a turn at a time.

    Batches, single calls and steps of streams each get the same share of its time while all of
    them have something to do. Methods are called in a running loop, of which there may be several.

    Args:
        name: Of the model, for the thread and in errors.
        lanes: What is done in batches, by the type of work.
        observer: Is told what happens.
    """

    def __init__(
        self, name: str, works: Sequence[BatchWork[Any, Any, Any]], observer: WorkObserver = NOBODY
    ) -> None:
        self.name = name
        self._lanes: dict[BatchWork[Any, Any, Any], Lane[Any, Any, Any]] = {
            work: Lane(work) for work in works
        }
        self._observer = observer
        self._changed = threading.Condition()
        self._tickets: deque[tuple[Lane[Any, Any, Any], Ticket[Any, Any]]] = deque()
        self._calls: deque[tuple[Callable[[], Any], asyncio.AbstractEventLoop, Any]] = deque()
        self._streams: deque[SteppedStream[Any]] = deque()
        self._spent = dict.fromkeys((_BATCHES, _CALLS, _STREAMS), 0.0)
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"headwise-{name}", daemon=True)
        self._thread.start()

    async def together(
        self, work: BatchWork[Item, Any, Result], items: Sequence[Item]
    ) -> list[Result | InputError]:
        """Work on items in batches with those of other requests; results in order.

        A cancelled request leaves the queue.
        """
        if not items:
            return []
        loop = asyncio.get_running_loop()
        done: asyncio.Future[list[Result | InputError]] = loop.create_future()
        ticket = Ticket(items, loop, done, time.monotonic())
        self._add(lambda: self._tickets.append((self._lanes[work], ticket)))
        results = await done
        count_work(items=len(items), tokens=ticket.tokens)
        return results

    async def turn(self, call: Callable[[], T]) -> T:
        """The result of one call, which has a turn of its own."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._add(lambda: self._calls.append((call, loop, done)))
        return await done

    async def steps(self, make: Callable[[], Iterator[T]]) -> AsyncGenerator[T]:
        """What an iterator gives, which is advanced one step a turn.

        At most a few steps are made that are not read yet. Whoever leaves the iterator, or is
        cancelled, ends the other one.
        """
        stream = SteppedStream(make, self._notify)
        self._add(lambda: self._streams.append(stream))
        async with aclosing(stream.read()) as steps:
            async for step in steps:
                count_work(tokens=1)
                yield step

    def close(self) -> None:
        """Finish what was asked for, and end the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    @property
    def waiting(self) -> int:
        """Items and calls that wait, about."""
        lanes = sum(len(lane) for lane in self._lanes.values())
        return lanes + len(self._calls) + sum(len(t.items) for _, t in tuple(self._tickets))

    @property
    def streams(self) -> int:
        """Streams that are open, about."""
        return len(self._streams)

    def _add(self, put: Callable[[], None]) -> None:
        with self._changed:
            if self._closing:
                raise RuntimeError(f"{self.name} takes no more work.")
            put()
            self._changed.notify()

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify()

    def _run(self) -> None:
        while (kind := self._next_kind()) is not None:
            started = time.perf_counter()
            try:
                {_BATCHES: self._batch, _CALLS: self._call, _STREAMS: self._step}[kind]()
            except Exception:
                logging.getLogger(__name__).exception("A turn of %s failed.", self.name)
            self._spent[kind] += time.perf_counter() - started

    def _next_kind(self) -> str | None:
        """What is to be done next, waiting for it; ``None`` when nothing ever will."""
        since: float | None = None
        with self._changed:
            while True:
                ready = self._ready()
                if ready:
                    if ready != [_BATCHES]:
                        return self._least_served(ready)
                    wait = self._pause(since := since or time.monotonic())
                    if wait <= 0 or self._closing:
                        return self._least_served(ready)
                    if not self._changed.wait(wait):
                        return self._least_served(ready)  # nothing came within the pause
                elif self._closing and not self._streams:
                    return None
                else:
                    self._changed.wait()

    def _ready(self) -> list[str]:
        ready = []
        if self._tickets or any(map(len, self._lanes.values())):
            ready.append(_BATCHES)
        if self._calls:
            ready.append(_CALLS)
        if any(stream.can_step for stream in self._streams):
            ready.append(_STREAMS)
        return ready

    def _pause(self, since: float) -> float:
        """Seconds to wait for others that may join a batch."""
        if any(map(len, self._lanes.values())):
            return 0.0  # what others left over while they ran has waited long enough
        return min(_PAUSE, since + _LONGEST_WAIT - time.monotonic())

    def _least_served(self, ready: list[str]) -> str:
        if len(ready) == 1:
            # Who had nothing to do has saved no time up for later
            self._spent = dict.fromkeys(self._spent, 0.0)
            return ready[0]
        return min(ready, key=self._spent.__getitem__)

    def _batch(self) -> None:
        arrived = []
        with self._changed:
            items = 0
            while self._tickets and items < _ADMITTED:
                lane, ticket = self._tickets.popleft()
                if ticket.is_wanted:
                    arrived.append((lane, ticket))
                    items += len(ticket.items)
        by_lane: dict[Lane[Any, Any, Any], list[Ticket[Any, Any]]] = {}
        for lane, ticket in arrived:
            by_lane.setdefault(lane, []).append(ticket)
        for lane, tickets in by_lane.items():
            try:
                for ticket in lane.admit(tickets):
                    self._answer(ticket)
            except Exception as failure:  # noqa: BLE001 - handed to those who asked
                for ticket in tickets:
                    answer(ticket.loop, ticket.done, failure)
        # The lane whose items have waited longest
        waiting = [lane for lane in self._lanes.values() if len(lane)]
        if not waiting:
            return
        lane = min(waiting, key=lambda one: one.oldest)
        if not (taken := lane.take()):
            return
        started = time.monotonic()
        for complete in lane.run(taken):
            self._answer(complete)
        self._observer.batch(
            self.name,
            items=len(taken),
            tokens=sum(one.tokens for one in taken),
            seconds=time.monotonic() - started,
            waited=started - min(one.ticket.arrived for one in taken),
        )

    def _answer(self, ticket: Ticket[Any, Any]) -> None:
        answer(ticket.loop, ticket.done, ticket.results)

    def _call(self) -> None:
        with self._changed:
            call, loop, done = self._calls.popleft()
        if done.done():
            return  # nobody waits for it any more
        try:
            result = call()
        except Exception as failure:  # noqa: BLE001 - handed to the one who asked
            result = failure
        answer(loop, done, result)

    def _step(self) -> None:
        with self._changed:
            stream = next(one for one in self._streams if one.can_step)
            self._streams.remove(stream)
        if stream.step():
            with self._changed:
                self._streams.append(stream)  # behind the others
            self._observer.step(self.name)
