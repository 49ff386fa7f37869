"""Windows of a stream: items that are worked on together, for a few seconds at a time."""

import math
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
    size: Callable[[Item], int] = lambda _: 1,
    seconds: float = WINDOW_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[list[Item]]:
    """Cut a stream into windows that each take about as long, read as they are needed.

    The time between two windows counts as work on the first of them, and says how much the next
    one can hold. Reading closes a window as well: a slow source does not hold back what it has
    given.

    Args:
        items: The stream.
        most: How many items a window has at most; more would not help to fill batches.
        size: How much work an item is, in any unit. Characters, for instance: where texts become
            longer, windows get fewer of them.
        seconds: How long reading, and work on a window, should take.
        clock: Tells the time, in seconds.

    Yields:
        Windows of one item or more.
    """
    stream = iter(items)
    count, budget = min(_FIRST, most), math.inf
    while True:
        window: list[Item] = []
        done, ends = 0, clock() + seconds
        for item in stream:
            window.append(item)
            done += size(item)
            # The next item is taken to be about as large as this one
            if len(window) == count or done + size(item) > budget or clock() >= ends:
                break
        if not window:
            return
        started = clock()
        yield window
        # A clock may be too coarse to see a fast window
        budget = done / max(clock() - started, 1e-9) * seconds
        count = min(len(window) * _GROWTH, most)
