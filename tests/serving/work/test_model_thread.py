"""One thread does a model's work: in batches, fairly, and for those alone who still want it."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from headwise.errors import InputError, TextError
from headwise.serving.work.lanes import Done
from headwise.serving.work.model_thread import ModelThread


@dataclass(eq=False)
class Recorded:
    """Work on texts that remembers its batches; a text's length is its number of tokens."""

    most_tokens: int = 40
    batches: list[list[str]] = field(default_factory=list)
    encoded: list[int] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)
    hold: threading.Event = field(default_factory=threading.Event)

    def encode(self, items: Sequence[str]) -> list[str | InputError]:
        self.encoded.append(len(items))
        return [item if item else TextError("empty") for item in items]

    def length(self, code: str) -> int:
        return len(code)

    def run(self, codes: Sequence[str]) -> Iterator[Done[str]]:
        self.threads.add(threading.get_ident())
        self.batches.append(list(codes))
        if "boom" in codes:
            raise ValueError("boom")
        if "hold" in codes:
            assert self.hold.wait(10)
        half = len(codes) // 2
        for places in (range(half), range(half, len(codes))):
            yield places, [codes[place].upper() for place in places]
            if "boom late" in codes[:half]:
                raise ValueError("boom")


@asynccontextmanager
async def thread_of(work: Recorded) -> AsyncIterator[ModelThread]:
    thread = ModelThread("test", [work])
    try:
        yield thread
    finally:
        work.hold.set()
        await asyncio.get_running_loop().run_in_executor(None, thread.close)


async def held(thread: ModelThread, work: Recorded) -> "asyncio.Task[object]":
    """Keep the thread busy, so that what follows waits."""
    task: asyncio.Task[object] = asyncio.create_task(thread.together(work, ["hold"]))
    while not work.batches:
        await asyncio.sleep(0.001)
    return task


def test_requests_that_wait_share_batches_by_length_and_get_their_own() -> None:
    async def run() -> None:
        work = Recorded()
        async with thread_of(work) as thread:
            await held(thread, work)
            short = [thread.together(work, [letter * 5]) for letter in "abcdefgh"]
            long = thread.together(work, ["x" * 30, "", "y" * 5])
            tasks = [asyncio.create_task(one) for one in (*short, long)]
            await asyncio.sleep(0.02)
            work.hold.set()
            *found, (first, wrong, second) = await asyncio.gather(*tasks)
        assert found == [[letter.upper() * 5] for letter in "abcdefgh"]
        assert (first, second) == ("X" * 30, "Y" * 5)
        assert isinstance(wrong, TextError)
        _, *rest = work.batches
        # Eight short ones fill a turn of 40 tokens; the long one runs without any of them
        assert [len(batch) for batch in rest if len(batch[0]) == 5] == [8, 1]
        assert ["x" * 30] in rest
        assert len(work.threads) == 1

    asyncio.run(run())


def test_a_crowd_of_one_request_does_not_hold_others_back() -> None:
    async def run() -> None:
        work = Recorded(most_tokens=8)
        async with thread_of(work) as thread:
            await held(thread, work)
            crowd = asyncio.create_task(thread.together(work, ["crowd"] * 50))
            await asyncio.sleep(0.01)
            lone = asyncio.create_task(thread.together(work, ["lo"]))
            long = asyncio.create_task(thread.together(work, ["longer than a turn"]))
            await asyncio.sleep(0.01)
            work.hold.set()
            await asyncio.gather(crowd, lone, long)
        places = [place for place, batch in enumerate(work.batches) if batch[0][0] == "l"]
        assert len(places) == 2
        assert max(places) <= 4, work.batches[:8]

    asyncio.run(run())


def test_a_flood_is_encoded_between_batches() -> None:
    async def run() -> None:
        work = Recorded(most_tokens=100)
        async with thread_of(work) as thread:
            await held(thread, work)
            first = asyncio.create_task(thread.together(work, ["first"]))
            flood = [asyncio.create_task(thread.together(work, ["x" * 5] * 100)) for _ in range(9)]
            await asyncio.sleep(0.02)
            work.hold.set()
            await asyncio.gather(first, *flood)
        assert work.encoded[:2] == [1, 301]  # the one that was held; then no more than it takes
        assert work.encoded.index(301) < len(work.encoded) - 1
        assert "first" in work.batches[1]

    asyncio.run(run())


def test_an_item_that_fails_is_the_failure_of_its_request_alone() -> None:
    async def run() -> None:
        work = Recorded()
        async with thread_of(work) as thread:
            await held(thread, work)
            tasks = [
                asyncio.create_task(thread.together(work, [text])) for text in ("good", "boom")
            ]
            await asyncio.sleep(0.01)
            work.hold.set()
            good, bad = await asyncio.gather(*tasks, return_exceptions=True)
            assert good == ["GOOD"]
            assert isinstance(bad, ValueError)
            assert await thread.together(work, ["after"]) == ["AFTER"]

    asyncio.run(run())


def test_who_goes_away_leaves_the_queue() -> None:
    async def run() -> None:
        work = Recorded()
        async with thread_of(work) as thread:
            await held(thread, work)
            gone = asyncio.create_task(thread.together(work, ["gone"] * 3))
            call = asyncio.create_task(thread.turn(lambda: work.batches.append(["call"])))
            await asyncio.sleep(0.01)
            gone.cancel()
            call.cancel()
            work.hold.set()
            assert await thread.together(work, ["stays"]) == ["STAYS"]
        assert work.batches == [["hold"], ["stays"]]

    asyncio.run(run())


def counted(closed: list[str], name: str, *, made: Callable[[int], None]) -> Iterator[int]:
    try:
        for number in range(1000):
            made(number)
            yield number
    finally:
        closed.append(f"{name} in {threading.current_thread().name}")


def test_streams_take_turns_with_batches_and_end_with_their_readers() -> None:
    async def run() -> None:
        work = Recorded()
        closed: list[str] = []
        order: list[str] = []

        def make(name: str) -> Callable[[], Iterator[int]]:
            def made(_: int) -> None:
                order.append(name)
                time.sleep(0.001)

            return lambda: counted(closed, name, made=made)

        async with thread_of(work) as thread:

            async def read(name: str) -> list[int]:
                found = []
                steps = thread.steps(make(name))
                async for number in steps:
                    found.append(number)
                    if len(found) == 30:
                        break
                await steps.aclose()
                return found

            async def batches() -> None:
                for _ in range(10):
                    await thread.together(work, ["batch"])
                    order.append("batch")

            one, two, _ = await asyncio.gather(read("one"), read("two"), batches())
            assert one == two == list(range(30))
            while len(closed) < 2:
                await asyncio.sleep(0.001)
        assert sorted(closed) == ["one in headwise-test", "two in headwise-test"]
        # Neither stream is ever two steps ahead of the other while both are read
        both = [name for name in order if name != "batch"][:50]
        assert abs(both.count("one") - both.count("two")) <= 2
        assert order.index("batch") < 30

    asyncio.run(run())


def test_a_slow_reader_does_not_make_a_stream_run_ahead() -> None:
    async def run() -> None:
        made: list[int] = []
        async with thread_of(Recorded()) as thread:
            steps = thread.steps(lambda: counted([], "slow", made=made.append))
            assert await anext(steps) == 0
            await asyncio.sleep(0.05)
            assert len(made) < 20
            assert [await anext(steps) for _ in range(40)] == list(range(1, 41))
            await steps.aclose()

    asyncio.run(run())


def test_an_error_of_a_stream_comes_after_its_steps() -> None:
    def failing() -> Iterator[int]:
        yield 1
        raise TextError("no further")

    async def run() -> None:
        async with thread_of(Recorded()) as thread:
            steps = thread.steps(failing)
            assert await anext(steps) == 1
            with pytest.raises(TextError, match="no further"):
                await anext(steps)
            with pytest.raises(ValueError, match="of a call"):
                await thread.turn(lambda: int("of a call"))

    asyncio.run(run())


def test_closing_finishes_what_was_asked_for_and_takes_nothing_new() -> None:
    async def run() -> None:
        work = Recorded()
        thread = ModelThread("test", [work])
        await held(thread, work)
        last = asyncio.create_task(thread.together(work, ["last"]))
        await asyncio.sleep(0.01)
        closing = asyncio.get_running_loop().run_in_executor(None, thread.close)
        await asyncio.sleep(0.01)
        with pytest.raises(RuntimeError, match="takes no more work"):
            await thread.turn(lambda: None)
        work.hold.set()
        assert await last == ["LAST"]
        await closing

    asyncio.run(run())


def test_a_loop_that_is_gone_harms_nobody() -> None:
    work = Recorded()
    thread = ModelThread("test", [work])

    async def leave() -> None:
        await held(thread, work)
        asyncio.ensure_future(thread.together(work, ["late"]))  # noqa: RUF006
        await asyncio.sleep(0.01)

    with suppress(asyncio.CancelledError):
        asyncio.run(leave())
    work.hold.set()

    async def ask() -> list[str | InputError]:
        return await thread.together(work, ["next"])

    assert asyncio.run(ask()) == ["NEXT"]
    thread.close()
