"""Looks at rows before they are read for good, in silence: can they be read, how many are there."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from headwise.progress import busy


def look_at_first(rows: Iterator[object]) -> None:
    """Read as far as the first row, so that a header which lacks something is noticed."""
    with _in_silence():
        next(rows, None)


def count_rows(rows: Iterator[object]) -> int:
    """Read all rows, of which a terminal shows that it takes a while; how many there are."""
    with _in_silence(), busy("Counting rows"):
        return sum(1 for _ in rows)


@contextmanager
def _in_silence() -> Iterator[None]:
    """Leave out what readers say of a file; they say it when it is read for good."""
    logger = logging.getLogger("headwise.data")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
