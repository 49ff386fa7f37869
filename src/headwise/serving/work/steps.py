"""Iterators that a model's thread advances step by step, read from a loop."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import suppress
from typing import Any, Generic, TypeVar

T = TypeVar("T")

# Steps that wait to be read; further ones are not made for a reader that is slow
_AHEAD = 16


class _End:
    """Comes after the last step, with the error that ended it, if one did."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class SteppedStream(Generic[T]):
    """One iterator: made, advanced and closed in the model's thread, read in a loop.

    Args:
        make: Gives the iterator.
        changed: Tells the thread that there is something to do again.
    """

    def __init__(self, make: Callable[[], Iterator[T]], changed: Callable[[], None]) -> None:
        self._make, self._changed = make, changed
        self._iterator: Iterator[T] | None = None
        self._loop = asyncio.get_running_loop()
        self._arrived: deque[T | _End] = deque()
        self._something = asyncio.Event()
        self._made = self._read = 0
        self.is_left = False

    @property
    def can_step(self) -> bool:
        """Whether the next step may be made; asked by the model's thread."""
        return self.is_left or self._loop.is_closed() or self._made - self._read < _AHEAD

    def step(self) -> bool:
        """Make one step, or close what nobody reads any more; whether there may be another.

        Runs in the model's thread.
        """
        if self.is_left or self._loop.is_closed():
            self._close()
            return False
        try:
            if self._iterator is None:
                self._iterator = self._make()
            item: T | _End = next(self._iterator)
        except StopIteration:
            item = _End()
        except BaseException as error:  # noqa: BLE001 - handed to the one who reads
            item = _End(error)
        self._made += 1
        with suppress(RuntimeError):  # a loop that was closed meanwhile reads nothing
            self._loop.call_soon_threadsafe(self._arrive, item)
        return not isinstance(item, _End)

    def _close(self) -> None:
        close: Any = getattr(self._iterator, "close", None)
        if close is not None:
            close()

    def _arrive(self, item: T | _End) -> None:
        self._arrived.append(item)
        self._something.set()

    async def read(self) -> AsyncGenerator[T]:
        """The steps in order; leaving the iterator closes the other one."""
        try:
            while True:
                while not self._arrived:
                    self._something.clear()
                    await self._something.wait()
                item = self._arrived.popleft()
                was_full = not self.can_step
                self._read += 1
                if was_full:
                    self._changed()
                if isinstance(item, _End):
                    if item.error is not None:
                        raise item.error
                    return
                yield item
        finally:
            self.is_left = True
            self._changed()
