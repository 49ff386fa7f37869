"""Windows close by time: rows arrive steadily, whatever the speed of the model."""

from collections.abc import Iterator
from itertools import count, islice

import pytest

from headwise.data.jobs import timed_windows


class Clock:
    """Tells the time that a test lets pass."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def worked(clock: Clock, *, per_item: float, items: int = 5_000) -> Iterator[tuple[int, float]]:
    """Size and seconds of each window of a model of a known speed."""
    for window in timed_windows(range(items), most=1024, seconds=5.0, clock=clock):
        clock.now += per_item * len(window)
        yield len(window), per_item * len(window)


@pytest.mark.parametrize("per_item", [0.0001, 0.01, 0.1, 0.6])
def test_windows_keep_to_the_budget(per_item: float) -> None:
    windows = list(worked(Clock(), per_item=per_item))
    assert max(seconds for _, seconds in windows) <= 5.0
    assert sum(size for size, _ in windows) == 5_000
    assert max(size for size, _ in windows) == min(1024, int(5.0 / per_item + 1e-9))


def test_a_model_slower_than_the_budget_gets_one_item_at_a_time() -> None:
    sizes = [size for size, _ in worked(Clock(), per_item=7.0, items=20)]
    assert sizes[1:] == [1] * 12


def test_a_fast_model_gets_full_windows_soon() -> None:
    sizes = [size for size, _ in worked(Clock(), per_item=0.0)]
    assert sizes[:5] == [8, 64, 512, 1024, 1024]


def test_a_slow_source_holds_nothing_back() -> None:
    clock = Clock()

    def source() -> Iterator[int]:
        for number in count():
            clock.now += 2.0
            yield number

    windows = timed_windows(source(), most=1024, seconds=5.0, clock=clock)
    assert list(islice(windows, 2)) == [[0, 1, 2], [3, 4, 5]]


def test_order_is_kept_and_items_are_read_as_needed() -> None:
    source = iter(range(100))
    windows = timed_windows(source, most=10, clock=Clock())
    assert next(windows) == list(range(8))
    assert next(source) == 8
    assert [item for window in windows for item in window] == list(range(9, 100))
