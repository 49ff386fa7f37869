"""Items of many requests, waiting to be worked on in common batches."""

import bisect
import itertools
import math
from asyncio import AbstractEventLoop, Future
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from headwise.errors import InputError

Item = TypeVar("Item")
Code = TypeVar("Code")
Result = TypeVar("Result")
In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)


Done = tuple[Sequence[int], Sequence[Out | InputError]]
"""Places among the codes that were given, and a result for each."""


class BatchWork(Protocol[In, Code, Out]):
    """What is done in batches; everything here runs in the model's thread."""

    @property
    def most_tokens(self) -> int:
        """Padded tokens that are worked on in one turn; a longer item has a turn of its own."""

    def encode(self, items: Sequence[In]) -> list[Code | InputError]:
        """Items as the model reads them; an error stands in the place of one that it cannot."""

    def length(self, code: Code) -> int:
        """Tokens that the model has to read."""

    def run(self, codes: Sequence[Code]) -> Iterable[Done[Out]]:
        """Results, as soon as they are known."""


@dataclass(slots=True, eq=False)
class Ticket(Generic[Item, Result]):
    """The items of one request.

    Attributes:
        done: Is given the results, or an error, in the loop of the request.
        arrived: When it came, in seconds of the monotonic clock.
        served: Tokens worked on for it, beside those of others that it started level with.
        tokens: That its items have.
    """

    items: Sequence[Item]
    loop: AbstractEventLoop
    done: "Future[list[Result | InputError]]"
    arrived: float
    served: int = 0
    tokens: int = 0
    results: list[Result | InputError | None] = field(init=False)
    left: int = field(init=False)

    def __post_init__(self) -> None:
        self.results = [None] * len(self.items)
        self.left = len(self.items)

    @property
    def is_wanted(self) -> bool:
        """Whether somebody still waits for it."""
        return not self.done.done()

    def put(self, place: int, result: Result | InputError) -> bool:
        """Keep the result of an item; whether it was the last one."""
        self.results[place] = result
        self.left -= 1
        return self.left == 0


@dataclass(slots=True, order=True)
class _Waiting:
    """An encoded item in the order of lengths, and of arrival among equal ones."""

    tokens: int
    number: int
    ticket: Ticket[Any, Any] = field(compare=False)
    place: int = field(compare=False)
    code: Any = field(compare=False)


class Lane(Generic[Item, Code, Result]):
    """Items that wait for one kind of work, of which batches are taken.

    The request that was served least is first: its oldest item, and beside it, from all requests,
    the items that are closest in length, as far as the tokens of a turn reach. So no request
    waits for more than a turn of a longer one, and no long text is put off for ever.
    """

    def __init__(self, work: BatchWork[Item, Code, Result]) -> None:
        self._work = work
        self._waiting: list[_Waiting] = []
        self._tickets: dict[int, Ticket[Item, Result]] = {}
        self._numbers = itertools.count()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def oldest(self) -> float:
        """When the first of those that wait came; infinity if nobody does."""
        return min((ticket.arrived for ticket in self._tickets.values()), default=math.inf)

    def admit(self, tickets: Sequence[Ticket[Item, Result]]) -> list[Ticket[Item, Result]]:
        """Encode what has come; returns those that are answered already, as nothing can be read."""
        tickets = [ticket for ticket in tickets if ticket.is_wanted]
        codes = iter(self._work.encode([item for ticket in tickets for item in ticket.items]))
        level = min((ticket.served for ticket in self._tickets.values()), default=0)
        answered = []
        for ticket in tickets:
            ticket.served = level
            for place, code in enumerate(itertools.islice(codes, len(ticket.items))):
                if isinstance(code, InputError):
                    ticket.put(place, code)
                    continue
                tokens = max(1, self._work.length(code))
                ticket.tokens += tokens
                number = next(self._numbers)
                bisect.insort(self._waiting, _Waiting(tokens, number, ticket, place, code))
            if ticket.left:
                self._tickets[id(ticket)] = ticket
            else:
                answered.append(ticket)
        return answered

    def take(self) -> list[_Waiting]:
        """The items of the next turn; empty if nobody waits."""
        self._drop_unwanted()
        if not self._waiting:
            return []
        least = min(
            range(len(self._waiting)),
            key=lambda i: (self._waiting[i].ticket.served, self._waiting[i].number),
        )
        first = last = least
        anchor = self._waiting[least].tokens
        most = self._work.most_tokens
        while True:
            shorter = self._waiting[first - 1] if first > 0 else None
            longer = self._waiting[last + 1] if last + 1 < len(self._waiting) else None
            count = last - first + 2
            if longer is not None and count * longer.tokens > most:
                longer = None
            if shorter is not None and count * self._waiting[last].tokens > most:
                shorter = None
            if shorter is None and longer is None:
                break
            if longer is None or (
                shorter is not None and anchor - shorter.tokens <= longer.tokens - anchor
            ):
                first -= 1
            else:
                last += 1
        taken = self._waiting[first : last + 1]
        del self._waiting[first : last + 1]
        for waiting in taken:
            waiting.ticket.served += waiting.tokens
        return taken

    def run(self, taken: Sequence[_Waiting]) -> Iterator[Ticket[Item, Result]]:
        """Work on items that were taken; gives tickets as soon as they are complete.

        An item that makes the work fail, and no other, has the failure as its request's answer.
        """
        left = dict(enumerate(taken))
        try:
            for places, results in self._work.run([waiting.code for waiting in taken]):
                for place, result in zip(places, results, strict=True):
                    waiting = left.pop(place)
                    if waiting.ticket.put(waiting.place, result):
                        self._tickets.pop(id(waiting.ticket), None)
                        yield waiting.ticket
        except Exception as failure:  # noqa: BLE001 - handed to the one who asked
            if len(taken) > 1:
                for waiting in left.values():
                    yield from self.run([waiting])
                return
            (ticket,) = (waiting.ticket for waiting in taken)
            self._tickets.pop(id(ticket), None)
            answer(ticket.loop, ticket.done, failure)

    def _drop_unwanted(self) -> None:
        gone = {number for number, ticket in self._tickets.items() if not ticket.is_wanted}
        if gone:
            self._waiting = [one for one in self._waiting if id(one.ticket) not in gone]
            self._tickets = {n: t for n, t in self._tickets.items() if n not in gone}


def answer(loop: AbstractEventLoop, future: "Future[Any]", value: Any) -> None:
    """Give a result or an exception to a future of a loop, from another thread."""

    def tell() -> None:
        if future.done():
            return
        if isinstance(value, BaseException):
            future.set_exception(value)
        else:
            future.set_result(value)

    with suppress(RuntimeError):  # a loop that was closed waits for nothing
        loop.call_soon_threadsafe(tell)
