"""Find the quantities of a text, and those of an answer that its context does not have."""

from headwise.data.quantities.dates import dates
from headwise.data.quantities.numbers import numbers
from headwise.data.quantities.values import Given, Quantity, QuantityKind

__all__ = ["Quantity", "QuantityKind", "quantities", "unsupported_quantities"]


def quantities(text: str) -> list[Quantity]:
    """The numbers, dates and times of a text, in English or German, in order, none in another.

    ``1,000``, ``1.000``, ``1 000``, ``one thousand`` and ``tausend`` say the same, and so do
    ``5 March 2024``, ``March 5th, 2024``, ``2024-03-05`` and ``5.3.2024``. Figures that may be
    read in two ways (``03/05/2024``, ``1.000``) say both.

    Args:
        text: The text to look through.
    """
    found: list[Quantity] = []
    # Of what overlaps, the date comes before the number and the longer one before the shorter
    taken = bytearray(len(text))
    for of_kind in (dates(text), numbers(text)):
        for one in sorted(of_kind, key=lambda one: one.start - one.end):
            if not any(taken[one.start : one.end]):
                taken[one.start : one.end] = b"\1" * (one.end - one.start)
                found.append(one)
    return sorted(found, key=lambda one: one.start)


def unsupported_quantities(context: str, answer: str) -> list[Quantity]:
    """The quantities of an answer that say something and stand nowhere in its context, in order.

    A date is there if one of the context says all that it says: ``March 2024`` is in
    ``5 March 2024``, not the other way round.

    Args:
        context: What the answer is to keep to.
        answer: The answer to look through.
    """
    given = Given.of(quantities(context))
    return [one for one in quantities(answer) if not given.support(one)]
