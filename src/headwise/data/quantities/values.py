"""What a number, a date or a time says, and which others say it as well."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple


class QuantityKind(StrEnum):
    """What a quantity is."""

    NUMBER = "number"
    DATE = "date"
    TIME = "time"


class Date(NamedTuple):
    """A date, or the part of it that a text says."""

    year: int | None = None
    month: int | None = None
    day: int | None = None

    @property
    def is_possible(self) -> bool:
        """Whether there is such a month and such a day."""
        return (self.month is None or 1 <= self.month <= 12) and (
            self.day is None or 1 <= self.day <= 31
        )


class Weekday(NamedTuple):
    """A day of the week, Monday being 1."""

    number: int


class Minute(NamedTuple):
    """A time of day, in minutes from midnight."""

    number: int


class Literal(NamedTuple):
    """Digits with marks that are no number: a version, a telephone number."""

    text: str


Value = Decimal | Date | Weekday | Minute | Literal


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number, a date or a time in a text.

    Attributes:
        start: First character.
        end: One past the last.
        kind: What it is.
        asks: Any one of these has to stand in a context that supports it; nothing if it says
            nothing of its own, as the number of an item does.
        gives: What it supports where it stands in a context.
    """

    start: int
    end: int
    kind: QuantityKind
    asks: frozenset[Value]
    gives: frozenset[Value]


@dataclass(slots=True)
class Given:
    """All that the quantities of a context say."""

    values: set[Value] = field(default_factory=set)
    dates: list[Date] = field(default_factory=list)

    @classmethod
    def of(cls, found: Iterable[Quantity]) -> "Given":
        """What some quantities give."""
        given = cls()
        for quantity in found:
            given.values |= quantity.gives
        given.dates = [value for value in given.values if isinstance(value, Date)]
        return given

    def support(self, quantity: Quantity) -> bool:
        """Whether it asks for nothing, or for something that is there."""
        return not quantity.asks or any(map(self._has, quantity.asks))

    def _has(self, value: Value) -> bool:
        if not isinstance(value, Date):
            return value in self.values
        return any(self._says(date, value) for date in self.dates)

    def _says(self, date: Date, asked: Date) -> bool:
        """Whether a date says all of another one; its year may stand elsewhere in the context."""
        if date.year is None and asked.year is not None:
            if Decimal(asked.year) not in self.values:
                return False
            asked = asked._replace(year=None)
        return all(b is None or a == b for a, b in zip(date, asked, strict=True))
