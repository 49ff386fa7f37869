"""What a request has had computed, for the log's line about it."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Work:
    """What one request has had computed so far: texts or pairs, and tokens read or generated."""

    items: int = 0
    tokens: int = 0


_WORK: ContextVar[Work | None] = ContextVar("headwise_work", default=None)


def begin_counting() -> Work:
    """Count for the request that is answered from here on, in the tasks that it starts, too."""
    work = Work()
    _WORK.set(work)
    return work


def count_work(*, items: int = 0, tokens: int = 0) -> None:
    """Add to what is counted for the request that is being answered; outside of one, do nothing."""
    if (work := _WORK.get()) is not None:
        work.items += items
        work.tokens += tokens
