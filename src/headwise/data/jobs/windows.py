"""Windows of a stream: pairs that are worked on together, for a few seconds at a time."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

# What a job that is killed has to repeat at most, if the speed stays what it was
WINDOW_SECONDS = 5.0
# Small, so that a slow model is found out early; quickly outgrown, as a fast one wants bulk
_FIRST, _GROWTH = 8, 8


def timed_windows(
    items: Iterable[Item],
    *,
    most: int,
    seconds: float = WINDOW_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[list[Item]]:
    """Cut a stream into windows that each take about as long, read as they are needed.

    The time between two windows counts as work on the first of them, and says how many items the
    next one can have. Reading closes a window as well: a slow source does not hold back what it
    has given.

    Args:
        items: The stream.
        most: How many items a window has at most; more would not help to fill batches.
        seconds: How long reading, and work on a window, should take.
        clock: Tells the time, in seconds.

    Yields:
        Windows of one item or more.
    """
    stream = iter(items)
    size = min(_FIRST, most)
    while window := _read(stream, size, seconds, clock):
        started = clock()
        yield window
        # A clock may be too coarse to see a fast window
        rate = len(window) / max(clock() - started, 1e-9)
        size = max(1, min(int(rate * seconds), len(window) * _GROWTH, most))


def _read(
    stream: Iterator[Item], size: int, seconds: float, clock: Callable[[], float]
) -> list[Item]:
    window: list[Item] = []
    ends = clock() + seconds
    for item in stream:
        window.append(item)
        if len(window) == size or clock() >= ends:
            break
    return window
